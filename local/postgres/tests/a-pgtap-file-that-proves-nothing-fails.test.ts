import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runPgTap } from "../pgtap.ts";
import { type Prepare, startTestServer, type TestDatabase, type TestServer } from "../testing.ts";

const withPgTap: Prepare = async ({ postgresUrl }) => {
  const sql = postgres(postgresUrl, { max: 1 });
  await sql`create extension pgtap with schema extensions`;
  await sql.end();
};

let server: TestServer;
let database: TestDatabase;
beforeAll(async () => {
  server = await startTestServer();
  database = await server.createDatabase({ prepare: withPgTap });
});
afterAll(() => server.stop());

const run = (text: string) => runPgTap(database.postgresUrl, text);

test("a file whose assertions hold passes, and leaves nothing behind", async () => {
  const report = await run(`begin; select plan(2); create table t (id int);
    select has_table('t'); select throws_ok('select 1/0', '22012'); select * from finish(); rollback;`);
  expect(report).toEqual({ planned: 2, passed: 2, failures: [] });
  expect((await run("begin; select plan(1); select hasnt_table('t'); rollback;")).failures).toEqual([]);
});

test("a failing assertion is told with what was wanted and what was there", async () => {
  const { failures } = await run(`begin; select plan(3); select ok(true, 'fine');
    select is(1 + 1, 3, 'sums are right'); select ok(true); select * from finish(); rollback;`);
  expect(failures).toHaveLength(1);
  expect(failures[0]).toContain("not ok 2 - sums are right");
  expect(failures[0]).toMatch(/have: 2\s+#?\s*want: 3/);
});

test("a file that plans more or fewer assertions than it runs fails", async () => {
  expect((await run("begin; select plan(3); select pass(); rollback;")).failures).not.toEqual([]);
  expect((await run("begin; select plan(1); select pass(); select pass(); rollback;")).failures).not.toEqual(
    [],
  );
});

test("a file that plans nothing fails", async () => {
  const planless = expect.stringContaining("planned no assertions");
  expect((await run("")).failures).toEqual([planless]);
  expect((await run("begin; select * from no_plan(); select pass(); rollback;")).failures).toEqual([
    planless,
  ]);
  expect(
    (await run("begin; select * from no_plan(); select pass(); select * from finish(); rollback;")).failures,
  ).toEqual([]);
});

test("a file that ends in an error fails at its line, also when all planned assertions had run", async () => {
  const { failures } = await run("begin;\nselect plan(1);\nselect pass();\nselect 1 / 0;\nrollback;");
  expect(failures).toEqual(["ended early at line 4: division by zero (SQLSTATE 22012)"]);
});

test("a file that does not parse fails", async () => {
  const { failures } = await run("begin;\nselect plan(1)\nselect pass();");
  expect(failures).toContainEqual(expect.stringMatching(/^ended early at line 3: syntax error/));
});

test("an assertion marked as still to do does not fail the file", async () => {
  const { failures } = await run(
    "begin; select plan(1); select * from todo('later', 1); select ok(false, 'soon'); select * from finish(); rollback;",
  );
  expect(failures).toEqual([]);
});
