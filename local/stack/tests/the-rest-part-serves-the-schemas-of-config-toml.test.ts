import { expect, test } from "vitest";
import { parseExposedSchemas, readExposedSchemas } from "../exposed-schemas.ts";

test("schemas are read from the [api] section, on one line or several", () => {
  expect(
    parseExposedSchemas('[db]\nschemas = ["no"]\n[api]\nport = 1\nschemas = ["public", "recorder_api"]\n'),
  ).toEqual(["public", "recorder_api"]);
  expect(
    parseExposedSchemas("[api]\nschemas = [\n  'public', # everybody\n  \"other\",\n]\n[auth]\n"),
  ).toEqual(["public", "other"]);
});

test("a line of another section or a commented one does not count", () => {
  expect(parseExposedSchemas('[db]\nschemas = ["no"]')).toBeUndefined();
  expect(parseExposedSchemas('[api]\n# schemas = ["public"]\n[db]\nschemas = ["no"]')).toBeUndefined();
});

test("a missing file is one sentence", async () => {
  await expect(readExposedSchemas("/nowhere/config.toml")).rejects.toThrow(
    "/nowhere/config.toml cannot be read",
  );
});
