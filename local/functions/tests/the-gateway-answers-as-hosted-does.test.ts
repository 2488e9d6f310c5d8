import { createClient, FunctionsHttpError } from "@supabase/supabase-js";
import { UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningFunctions } from "../server.ts";
import { openTo, type TemporaryProject, temporaryProject, token } from "./temporary-project.ts";

let project: TemporaryProject;
let functions: RunningFunctions;
const call = (name: string, authorization?: string, method = "POST") =>
  fetch(`${functions.address}/functions/v1/${name}`, {
    method,
    headers: authorization === undefined ? {} : { authorization },
  });
const summary = async (answer: Response) => ({
  status: answer.status,
  code: answer.headers.get("sb-error-code"),
  body: await answer.json(),
});

beforeAll(async () => {
  project = await temporaryProject({
    "config.toml": `${openTo("open")}\n[functions.off]\nenabled = false\n`,
    "functions/open/index.ts": `Deno.serve(async (request) => {
      if (request.method === "PUT") return new Response("teapot", { status: 418 });
      return Response.json({ said: await request.json() });
    });`,
    "functions/guarded/index.ts": `Deno.serve(() => new Response("in"));`,
    "functions/off/index.ts": `Deno.serve(() => new Response("off"));`,
  });
  functions = await project.start();
});
afterAll(() => project.remove());

describe("A function that does not exist", () => {
  const notFound = {
    status: 404,
    code: "NOT_FOUND",
    body: { code: "NOT_FOUND", message: "Requested function was not found" },
  };
  test("is answered 404 NOT_FOUND", async () => {
    expect(await summary(await call("nobody"))).toEqual(notFound);
  });
  test("is also a shared folder, a path out of the folder, an empty name and one that config.toml turns off", async () => {
    for (const name of ["_shared", "..%2fopen", "", "off"])
      expect(await summary(await call(name))).toEqual(notFound);
  });
});

describe("verify_jwt, which is on unless config.toml turns it off", () => {
  const refusal = (code: string, message = "Invalid JWT") => ({
    status: 401,
    code,
    body: { code: 401, message },
  });

  test("lets a token of the project in", async () => {
    expect(await (await call("guarded", `Bearer ${await token()}`)).text()).toBe("in");
  });
  test("lets OPTIONS in without a token", async () => {
    expect((await call("guarded", undefined, "OPTIONS")).status).toBe(200);
  });
  test("refuses a call without Authorization", async () => {
    expect(await summary(await call("guarded"))).toEqual(
      refusal("UNAUTHORIZED_NO_AUTH_HEADER", "Missing authorization header"),
    );
  });
  test("refuses what is no token: a word, another scheme, an API key", async () => {
    for (const value of ["Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer sb_publishable_test"]) {
      expect(await summary(await call("guarded", value))).toEqual(refusal("UNAUTHORIZED_INVALID_JWT_FORMAT"));
    }
  });
  test("refuses a wrong signature and an expired token", async () => {
    const forged = await token({ secret: "another-secret-of-at-least-32-characters!" });
    const expired = await token({ expiresIn: "-1s" });
    for (const bad of [forged, expired]) {
      expect(await summary(await call("guarded", `Bearer ${bad}`))).toEqual(
        refusal("UNAUTHORIZED_LEGACY_JWT"),
      );
    }
  });
  test("refuses unsigned tokens and other algorithms", async () => {
    const unsigned = new UnsecuredJWT({ role: "service_role" }).encode();
    const longer = await token({ algorithm: "HS512", secret: "x".repeat(64) });
    for (const bad of [unsigned, longer]) {
      expect(await summary(await call("guarded", `Bearer ${bad}`))).toEqual(
        refusal("UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM"),
      );
    }
  });
  test("turned off, asks for nothing", async () => {
    expect((await fetch(`${functions.address}/open`, { method: "POST", body: "1" })).status).toBe(200);
  });
});

describe("supabase-js", () => {
  const client = () =>
    createClient(functions.address, "sb_publishable_test", { auth: { persistSession: false } });

  test("invokes a function and reads its JSON", async () => {
    const { data, error } = await client().functions.invoke("open", { body: { id: 7 } });
    expect(error).toBeNull();
    expect(data).toEqual({ said: { id: 7 } });
  });
  test("gets a function's own status with its body", async () => {
    const { error } = await client().functions.invoke("open", { method: "PUT" });
    expect(error).toBeInstanceOf(FunctionsHttpError);
    expect(error.context.status).toBe(418);
    expect(await error.context.text()).toBe("teapot");
  });
});
