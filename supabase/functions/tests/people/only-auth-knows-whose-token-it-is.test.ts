import assert from "node:assert/strict";
import { RecorderFailure } from "../../_shared/errors.ts";
import { userOfToken } from "../../_shared/people/user.ts";
import { VIEWER_ID } from "../playback/playback-for-tests.ts";

const SETTINGS = { url: "https://project.example", publishableKey: "sb_publishable_key" };

Deno.test("Auth is asked with the viewer's token, and does not get redirected", async () => {
  let asked: { url: string; init: RequestInit | undefined } | undefined;
  const id = await userOfToken("token-of-the-viewer", SETTINGS, {
    fetch: (input, init) => {
      asked = { url: String(input), init };
      return Promise.resolve(Response.json({ id: VIEWER_ID, email: "viewer@example.com" }));
    },
  });
  assert.equal(id, VIEWER_ID);
  assert.equal(asked?.url, "https://project.example/auth/v1/user");
  const headers = new Headers(asked?.init?.headers);
  assert.deepEqual(
    [headers.get("apikey"), headers.get("authorization")],
    ["sb_publishable_key", "Bearer token-of-the-viewer"],
  );
  assert.equal(asked?.init?.redirect, "manual");
});

for (const status of [400, 401, 403, 404]) {
  Deno.test(`${status} means that the token is nobody's`, async () => {
    const fetch = () => Promise.resolve(Response.json({ code: status, msg: "no" }, { status }));
    assert.equal(await userOfToken("t", SETTINGS, { fetch }), undefined);
  });
}

const unknowing: Record<string, () => Promise<Response>> = {
  "no connection": () => Promise.reject(new TypeError("connection reset")),
  "an error": () => Promise.resolve(new Response("busy", { status: 500 })),
  "too many requests": () => Promise.resolve(new Response("busy", { status: 429 })),
  "a timeout": () => Promise.resolve(new Response("slow", { status: 408 })),
  "a redirect": () =>
    Promise.resolve(new Response(null, { status: 302, headers: { location: "https://elsewhere.example" } })),
  "a success that is no JSON": () => Promise.resolve(new Response("<html>")),
  "a success without an id": () => Promise.resolve(Response.json({ user: VIEWER_ID })),
  "an id that is none": () => Promise.resolve(Response.json({ id: "anon" })),
};
for (const [what, fetch] of Object.entries(unknowing)) {
  Deno.test(`${what} says nothing about the token: auth_unavailable`, async () => {
    const token = "token-of-the-viewer";
    const thrown = await userOfToken(token, SETTINGS, { fetch }).then(
      () => assert.fail("it was taken for an answer"),
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof RecorderFailure);
    assert.deepEqual([thrown.error.code, thrown.error.retry], ["auth_unavailable", "later"]);
    assert.ok(!JSON.stringify(thrown.error).includes(token));
  });
}
