// @vitest-environment happy-dom
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, configure, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes, useLocation } from "react-router";
import { afterEach, expect, it } from "vitest";
import { queries } from "../../src/backend/client.ts";
import RecordingsPage from "../../src/pages/recordings/recordings-page.tsx";
import { type Answer, answerWith } from "../backend-of-answers.ts";

configure({ asyncUtilTimeout: 30_000 });
afterEach(cleanup);

const mentorshipId = "33000000-0000-4000-8000-000000000001";
const page = (members: object): Answer => ({
  data: { is_visible: true, recordings: [], total: 0, next: null, ...members },
});

function Address() {
  const { search } = useLocation();
  return <output>{search}</output>;
}

function show(search = "") {
  render(
    <QueryClientProvider client={queries}>
      <MemoryRouter initialEntries={[`/video-call/${mentorshipId}/recordings${search}`]}>
        <Routes>
          <Route path="/video-call/:mentorshipId/recordings" element={<RecordingsPage />} />
        </Routes>
        <Address />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

it("nothing recorded yet: how something gets here", async () => {
  answerWith({ list_recordings: () => page({}) });
  show();
  await screen.findByText("Nothing recorded yet");
  expect(screen.getByText("0 recordings")).toBeTruthy();
  const links = screen.getAllByRole("link", { name: "Go to the call" });
  expect(links.map((link) => link.getAttribute("href"))).toContain(`/video-call/${mentorshipId}`);
});

it("nothing matches: the filters can be cleared", async () => {
  answerWith({ list_recordings: () => page({}) });
  show("?status=failed&q=monday");
  await screen.findByText("No recording matches");
  expect(screen.getByText("0 recordings found")).toBeTruthy();
  const [clear] = screen.getAllByRole("button", { name: "Clear filters" });
  if (clear === undefined) throw new Error("there is no button");
  await userEvent.setup().click(clear);
  await waitFor(() => expect(document.querySelector("output")?.textContent).toBe(""));
});

it("not mine: nothing but the way home", async () => {
  answerWith({ list_recordings: () => page({ is_visible: false }) });
  show();
  await screen.findByText("There is nothing here for you");
  expect(screen.queryByRole("searchbox")).toBeNull();
});

it("a failure is one sentence, and can be tried again", async () => {
  const asked = answerWith({
    list_recordings: () => ({ error: { code: "PGRST000", message: "no connection" }, status: 500 }),
  });
  show();
  await screen.findByRole("alert");
  const before = asked.filter((name) => name === "list_recordings").length;
  await userEvent.setup().click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() =>
    expect(asked.filter((name) => name === "list_recordings").length).toBeGreaterThan(before),
  );
});
