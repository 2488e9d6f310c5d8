// @vitest-environment happy-dom
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { Link, MemoryRouter, Route, Routes } from "react-router";
import { afterEach, expect, test, vi } from "vitest";
import { useFocusOnNewPage } from "../src/app/page-focus.ts";

const heading = (text: string) => <h1 tabIndex={-1}>{text}</h1>;
let arrive: () => void;

/** Shows one heading while it loads, and another when it is there. */
function Second() {
  const [isThere, setThere] = useState(false);
  arrive = () => setThere(true);
  return isThere ? <section>{heading("It is there")}</section> : heading("It is loading");
}

function Pages() {
  useFocusOnNewPage();
  return (
    <main>
      <Routes>
        <Route path="/" element={<Link to="/second">Go</Link>} />
        <Route path="/second" element={<Second />} />
      </Routes>
      <button type="button">Elsewhere</button>
    </main>
  );
}

const isFocused = (text: string) => () => expect(document.activeElement?.textContent).toBe(text);

afterEach(() => {
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

async function openSecond() {
  vi.spyOn(window, "scrollTo").mockImplementation(() => undefined);
  render(
    <MemoryRouter>
      <Pages />
    </MemoryRouter>,
  );
  await userEvent.click(screen.getByRole("link", { name: "Go" }));
  await waitFor(isFocused("It is loading"));
}

test("what stood there while it was loading takes the focus, and gives it to what comes", async () => {
  await openSecond();
  act(() => arrive());
  await waitFor(isFocused("It is there"));
});

test("whoever went somewhere else meanwhile stays there", async () => {
  await openSecond();
  await userEvent.tab();
  isFocused("Elsewhere")();
  act(() => arrive());
  await screen.findByText("It is there");
  isFocused("Elsewhere")();
});
