// @vitest-environment happy-dom
import { act, configure, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { afterEach, expect, test, vi } from "vitest";
import { AccountMenu } from "../../src/app/account-menu.tsx";
import { NotFound } from "../../src/app/not-found.tsx";
import AlertsPage from "../../src/pages/alerts/alerts-page.tsx";
import { type Answer, answerWith } from "../backend-of-answers.ts";
import { show } from "../dom.tsx";

configure({ asyncUtilTimeout: 30_000 });
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const alert = (number: number, members: object = {}) => ({
  id: `77000000-0000-4000-8000-00000000000${number}`,
  rule: "dead_job",
  severity: "warning",
  state: "firing",
  message: "Work was given up.",
  explanation: "2 jobs were given up within a day.",
  runbook: "#alert-dead_job",
  fired_at: new Date(Date.now() - 3 * 3_600_000).toISOString(),
  resolved_at: null,
  ...members,
});
const stuck = alert(1, {
  rule: "stuck_recording",
  severity: "critical",
  message: "A recording does not go on by itself.",
  explanation: "1 recording is stuck.",
  runbook: "#alert-stuck_recording",
});
const over = alert(3, {
  rule: "secret_expiring",
  state: "resolved",
  message: "A secret expires soon.",
  explanation: "AGORA_CUSTOMER_SECRET ends 2026-12-01.",
  runbook: "#alert-secret_expiring",
  resolved_at: new Date(Date.now() - 3_600_000).toISOString(),
});
const lost: Answer = { error: { code: "", message: "TypeError: Failed to fetch" }, status: 0 };

/** A database with these alerts, as an administrator asks it, or as somebody else does. */
const database = (alerts: () => object[] | Answer, isAdministrator = true) =>
  answerWith({
    list_alerts: () => {
      const given = alerts();
      if (!Array.isArray(given)) return given as Answer;
      return { data: isAdministrator ? given : [] };
    },
    is_portal_administrator: () => ({ data: isAdministrator }),
  });

test("what fires comes first, with how bad, since when, what it means and what to run; then what is over", async () => {
  database(() => [stuck, alert(2), over]);
  const { container } = show(<AlertsPage />);
  const firing = await screen.findByRole("region", { name: "Firing now" });
  expect(screen.getByRole("status").textContent).toBe("2 alerts are firing.");
  expect(screen.getAllByRole("heading").map(({ textContent }) => textContent)).toEqual([
    "Alerts",
    "Firing now",
    "A recording does not go on by itself.",
    "Work was given up.",
    "Recovered",
    "A secret expires soon.",
  ]);
  const [first] = within(firing).getAllByRole("listitem");
  expect(first?.textContent).toContain("Critical");
  expect(first?.textContent).toContain("Began 3 hours ago");
  expect(first?.textContent).toContain("1 recording is stuck.");
  expect(first?.textContent).toContain("select * from recorder.stuck");
  expect(first?.textContent).toContain("docs/operations.md#alert-stuck_recording");
  const recovered = screen.getByRole("region", { name: "Recovered" });
  expect(recovered.textContent).toContain("AGORA_CUSTOMER_SECRET ends 2026-12-01.");
  expect(recovered.textContent).toContain(" until ");
  expect((await axe.run(container)).violations).toEqual([]);
});

test("a rule that this page does not know yet has its own sentence and its page", async () => {
  database(() => [alert(1, { message: "The moon is too near.", runbook: "#alert-moon" })]);
  show(<AlertsPage />);
  await screen.findByRole("heading", { name: "The moon is too near." });
  screen.getByText("More in docs/operations.md#alert-moon");
  expect(screen.queryByText("What it means")).toBeNull();
});

test("nothing is wrong: said to an administrator, with what was", async () => {
  database(() => [over]);
  show(<AlertsPage />);
  await screen.findByText("Nothing is wrong");
  expect(screen.getByRole("status").textContent).toBe("No alert is firing.");
  screen.getByRole("region", { name: "Recovered" });
  expect(screen.queryByRole("region", { name: "Firing now" })).toBeNull();
});

test("nothing was ever wrong: said to an administrator, and there is no empty list below", async () => {
  database(() => []);
  show(<AlertsPage />);
  await screen.findByText("Nothing is wrong");
  expect(screen.queryByRole("region")).toBeNull();
});

test("to anybody else it is the page that there is not, word for word, and they are not asked about again", async () => {
  vi.useFakeTimers();
  const asked = database(() => [stuck], false);
  const { container, unmount } = show(<AlertsPage />);
  await act(() => vi.advanceTimersByTimeAsync(1_000));
  const shown = container.innerHTML;
  expect(asked).toEqual(["list_alerts", "is_portal_administrator"]);
  await act(() => vi.advanceTimersByTimeAsync(120_000));
  expect(asked).toHaveLength(2);
  unmount();
  expect(shown).toBe(show(<NotFound />).container.innerHTML);
  expect(document.title).not.toContain("Alerts");
});

test("while nobody knows for whom it loads, nothing says what", () => {
  database(() => [stuck]);
  const { container } = show(<AlertsPage />);
  expect(screen.getByRole("status").textContent).toBe("Loading…");
  expect(container.textContent).not.toMatch(/alert|wrong/i);
});

test("an answer that cannot be had is one sentence, and can be asked for again", async () => {
  let isThere = false;
  database(() =>
    isThere ? [stuck] : { error: { code: "PGRST000", message: "no connection" }, status: 500 },
  );
  show(<AlertsPage />);
  const told = await screen.findByRole("alert");
  expect(told.textContent).not.toContain("no connection");
  isThere = true;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("region", { name: "Firing now" });
});

test("it is asked for again every 30 s while the page is seen, and not while it is hidden", async () => {
  vi.useFakeTimers();
  const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("visible");
  let alerts: object[] = [];
  const asked = database(() => alerts);
  show(<AlertsPage />);
  await act(() => vi.advanceTimersByTimeAsync(100));
  screen.getByText("Nothing is wrong");
  alerts = [stuck];
  await act(() => vi.advanceTimersByTimeAsync(30_000));
  screen.getByRole("heading", { name: "A recording does not go on by itself." });
  const before = asked.length;
  visibility.mockReturnValue("hidden");
  await act(() => vi.advanceTimersByTimeAsync(90_000));
  expect(asked).toHaveLength(before);
});

test("without a network what is shown stays, with a word that it is old; with it comes what is so", async () => {
  vi.useFakeTimers();
  const online = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
  let answer: () => object[] | Answer = () => [stuck];
  database(() => answer());
  show(<AlertsPage />);
  await act(() => vi.advanceTimersByTimeAsync(100));
  answer = () => lost;
  await act(() => vi.advanceTimersByTimeAsync(30_100));
  screen.getByRole("heading", { name: "A recording does not go on by itself." });
  screen.getByText(/what is so now could not be asked for/);
  answer = () => [{ ...stuck, state: "resolved", resolved_at: new Date().toISOString() }];
  online.mockReturnValue(true);
  await act(() => vi.advanceTimersByTimeAsync(30_100));
  screen.getByText("Nothing is wrong");
  expect(screen.queryByText(/what is so now could not be asked for/)).toBeNull();
});

test.each([
  [
    "has a way to the alerts for an administrator",
    true,
    ["As the system", "Light", "Dark", "Sign out", "Alerts"],
  ],
  ["has no word of them for anybody else", false, ["As the system", "Light", "Dark", "Sign out"]],
])("the account's menu %s, and asks when it is opened", async (_claim, isAdministrator, items) => {
  const asked = database(() => [], isAdministrator);
  show(<AccountMenu />);
  expect(asked).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: /^Account of/ }));
  await screen.findByRole("menuitem", { name: "Sign out" });
  await waitFor(() => expect(asked).toEqual(["is_portal_administrator"]));
  await waitFor(() =>
    expect(screen.getAllByRole("menuitem").map(({ textContent }) => textContent)).toEqual(items),
  );
});
