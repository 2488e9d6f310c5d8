import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, type LocalProject, localProject } from "./local-project.ts";

let project: LocalProject;

beforeAll(async () => {
  project = await localProject(`
    create function public.type_of(value jsonb) returns text language sql as 'select jsonb_typeof(value)';
    create table public.notes (id int primary key, body jsonb);
    grant execute on function public.type_of(jsonb) to service_role;
    grant select, insert on public.notes to service_role;`);
});
afterAll(() => project.stop());

test.each([
  ["array", []],
  ["array", [{ a: 1 }]],
  ["object", { a: [1] }],
  ["number", 5],
  ["boolean", true],
  ["string", "words"],
])("a jsonb argument that is a JSON %s arrives as one", async (type, value) => {
  const { data, error } = await project.client({ key: keys.secretKey }).rpc("type_of", { value });
  expect(error).toBeNull();
  expect(data).toBe(type);
});

test("a jsonb column keeps arrays and objects", async () => {
  const service = project.client({ key: keys.secretKey });
  expect((await service.from("notes").insert({ id: 1, body: [{ a: 1 }] })).error).toBeNull();
  expect((await service.from("notes").select("body").single()).data).toEqual({ body: [{ a: 1 }] });
  const [row] = await project.sql`select jsonb_typeof(body) as type from public.notes`;
  expect(row?.type).toBe("array");
});
