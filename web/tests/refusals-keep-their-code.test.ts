// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { asBackendError, asFunctionError } from "../src/backend/errors.ts";

const functionError = (response: Response): Error =>
  Object.assign(new Error("Edge Function returned a non-2xx status code"), { context: response });

test("a refusal of the database keeps its code and hint", () => {
  const refused = {
    code: "kept_longest",
    message: "This recording cannot be kept that long.",
    hint: "2027-11-22T00:00:00Z",
    details: null,
  };
  expect(asBackendError(refused, 409)).toMatchObject({
    code: "kept_longest",
    hint: "2027-11-22T00:00:00Z",
    status: 409,
  });
});

test.each([
  [{ code: "42501", message: "permission denied" }, 403, "not_allowed"],
  [{ code: "PGRST303", message: "JWT expired" }, 401, "sign_in_required"],
  [{ code: "invalid_credentials", message: "Invalid login credentials" }, 400, "credentials_wrong"],
  [{ message: "nobody knows" }, 401, "sign_in_required"],
  [new TypeError("Failed to fetch"), undefined, "backend_unreachable"],
  [{ message: "TypeError: Failed to fetch", code: "" }, 0, "backend_unreachable"],
  [{ code: "XX000", message: "internal" }, 500, "unexpected_error"],
  ["odd", undefined, "unexpected_error"],
])("%o with HTTP %s is %s", (thrown, status, code) => {
  expect(asBackendError(thrown, status).code).toBe(code);
});

test("a function's own refusal is read out of its answer", async () => {
  const answer = Response.json({ code: "call_ended", message: "The call has ended." }, { status: 409 });
  expect(await asFunctionError(functionError(answer))).toMatchObject({ code: "call_ended", status: 409 });
});

test("an answer that is none of a function's is judged by its status", async () => {
  expect((await asFunctionError(functionError(new Response("<html>", { status: 502 })))).code).toBe(
    "unexpected_error",
  );
});
