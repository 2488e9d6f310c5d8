import { describe, expect, test } from "vitest";
import { readFunctionConfigs } from "../function-config.ts";
import { functionsSettings } from "../settings.ts";

const read = (toml: string) => Object.fromEntries(readFunctionConfigs(toml));

describe("config.toml", () => {
  test("gives each function's settings, with hosted's defaults, whatever stands around them", () => {
    const toml = `
      project_id = "demo" # [functions.commented]
      [api]
      schemas = [
        "public",
        "[functions.inside]",
      ]
      [auth.email.template.invite]
      content = """
      [functions.text]
      verify_jwt = false
      """
      [[remotes]]
      name = "x"
      [functions.open] # open to all
      verify_jwt = false # checked inside
      entrypoint = './functions/open/main.ts'
      [functions."quoted-name"]
      enabled = false
      import_map = "./functions/x/deno.json"
      [db]
      port = 1`;
    expect(read(toml)).toEqual({
      open: { enabled: true, verifyJwt: false, entrypoint: "./functions/open/main.ts" },
      "quoted-name": { enabled: false, verifyJwt: true, importMap: "./functions/x/deno.json" },
    });
  });

  test.each([
    ["another way to write a table", "functions.open.verify_jwt = false", "line 1: write one table"],
    ["an inline table", "functions = { open = { verify_jwt = false } }", "line 1: write one table"],
    ["a table of all functions", "[functions]\nopen = { verify_jwt = false }", "line 1: write one table"],
    ["a table below a function", "[functions.open.more]", "line 1: write one table"],
    ["a list", "[[functions]]", "line 1: functions is not a list"],
    ["the same function twice", "[functions.a]\n[functions.a]", "line 2: [functions.a] stands twice"],
    [
      "a flag that is none",
      '[functions.a]\nverify_jwt = "false"',
      "line 2: verify_jwt must be true or false",
    ],
    ["a text that is none", "[functions.a]\nentrypoint = 1", "line 2: entrypoint must be a string"],
    ["a key it does not know", "[functions.a]\nstatic_files = []", "line 2: static_files is not known"],
    ["a line it does not understand", "[functions.a]\nverify_jwt", "line 2: expected `name = value`"],
  ])("refuses %s, naming the line", (_what, toml, message) => {
    expect(() => read(toml)).toThrow(message);
  });
});

describe("The settings", () => {
  const settings = {
    port: 0,
    functionsDir: "/f",
    configFile: "/c",
    cacheDir: "/d",
    env: { SUPABASE_URL: "http://127.0.0.1:1" },
    jwtSecret: "x".repeat(32),
    publishableKey: "sb_publishable_x",
    secretKey: "sb_secret_x",
  };
  test("have hosted's limits unless told otherwise", () => {
    expect(functionsSettings.parse(settings)).toMatchObject({
      memoryMb: 256,
      wallClockSeconds: 400,
      idleTimeoutSeconds: 150,
    });
  });
  test("refuse a secret in the platform's own namespace, as hosted does, and an environment without SUPABASE_URL", () => {
    const own = { ...settings.env, SUPABASE_MINE: "1" };
    expect(functionsSettings.safeParse({ ...settings, env: own }).error?.message).toContain("SUPABASE_MINE");
    expect(functionsSettings.safeParse({ ...settings, env: {} }).error?.message).toContain(
      "SUPABASE_URL is missing",
    );
  });
});
