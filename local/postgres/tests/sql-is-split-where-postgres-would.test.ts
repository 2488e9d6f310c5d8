import { expect, test } from "vitest";
import { splitStatements } from "../statements.ts";

const texts = (sql: string) => splitStatements(sql).map((statement) => statement.text);

test.each([
  ["a plain pair", "select 1; select 2", ["select 1", "select 2"]],
  ["empty statements", ";; select 1;;", ["select 1"]],
  ["a string", "select ';', 'it''s;'; select 2", ["select ';', 'it''s;'", "select 2"]],
  ["a backslash in an ordinary string", "select '\\'; select 2", ["select '\\'", "select 2"]],
  ["an escape string", "select E'\\';'; select 2", ["select E'\\';'", "select 2"]],
  ["a quoted name", 'select 1 as "a;""b"; select 2', ['select 1 as "a;""b"', "select 2"]],
  ["dollar quotes", "do $$ a; b; $$; select 2", ["do $$ a; b; $$", "select 2"]],
  ["tagged dollar quotes", "do $x$ a; $$ b; $$ $x$; select 2", ["do $x$ a; $$ b; $$ $x$", "select 2"]],
  ["a name with a dollar", "select a$b$c; select 2", ["select a$b$c", "select 2"]],
  ["parameters", "prepare p as select $1; select $2$3", ["prepare p as select $1", "select $2$3"]],
  ["a line comment", "select 1 -- not; here\n; select 2", ["select 1 -- not; here", "select 2"]],
  [
    "a nested block comment",
    "select 1 /* a; /* b; */ c; */; select 2",
    ["select 1 /* a; /* b; */ c; */", "select 2"],
  ],
  ["only comments", "-- a;\n/* b; */", []],
  [
    "a rule",
    "create rule r as on insert to t do (select 1; select 2); select 3",
    ["create rule r as on insert to t do (select 1; select 2)", "select 3"],
  ],
  [
    "a body in standard SQL",
    "create or replace function f() returns int begin atomic; select case when true then 1 end; end; select 2",
    [
      "create or replace function f() returns int begin atomic; select case when true then 1 end; end",
      "select 2",
    ],
  ],
  ["a transaction", "begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]],
])("%s", (_, sql, expected) => {
  expect(texts(sql)).toEqual(expected);
});

test("each statement knows the line of its first word, not that of the comment before it", () => {
  expect(splitStatements("-- one\n\nselect 1;\n/* two\n */ select\n2;")).toEqual([
    { text: "select 1", line: 3 },
    { text: "select\n2", line: 5 },
  ]);
});
