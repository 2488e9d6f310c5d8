import { postgresChangesFilter } from "@supabase/supabase-js";
import { expect, test } from "vitest";
import { conditionSql, meets, parseFilter } from "../filters.ts";

test("one condition, several, a negated one, and none", () => {
  expect(parseFilter("id=eq.5")).toEqual([{ column: "id", operator: "eq", value: "5", negated: false }]);
  expect(parseFilter(" id=gt.0, id=not.lt.100 ")).toEqual([
    { column: "id", operator: "gt", value: "0", negated: false },
    { column: "id", operator: "lt", value: "100", negated: true },
  ]);
  expect(parseFilter("  ")).toEqual([]);
  expect(parseFilter("a=eq.x=y.z")[0]).toMatchObject({ column: "a", value: "x=y.z" });
});

test("commas and quotes inside values are kept, as the client's builder writes them", () => {
  const filter = postgresChangesFilter()
    .eq("name", 'a,"b"\\(c)')
    .in("status", ["on, off", "x"])
    .not("gone", "is", null)
    .build();
  expect(parseFilter(filter)).toEqual([
    { column: "name", operator: "eq", value: 'a,"b"\\(c)', negated: false },
    { column: "status", operator: "in", value: '{"on, off",x}', negated: false },
    { column: "gone", operator: "is", value: "null", negated: true },
  ]);
});

test("what is no filter is refused with the part that is wrong", () => {
  expect(() => parseFilter("undefined")).toThrow('["undefined"]');
  expect(() => parseFilter("id=5")).toThrow('["5"]');
  expect(() => parseFilter("id=near.5")).toThrow('["near", "5"]');
  expect(() => parseFilter("id=in.1,2")).toThrow("`in` filter value must be wrapped by parentheses");
  expect(() => parseFilter("id=eq.1,,id=eq.2")).toThrow("empty segments");
});

const typed = (filter: string, typeName: string, canonical: string[]) => {
  const [condition] = parseFilter(filter);
  if (condition === undefined) throw new Error("no condition");
  return { ...condition, typeName, canonical };
};

test("types with one text form are compared here, others are asked", () => {
  expect(meets(typed("id=eq.05", "int4", ["5"]), "int4", "5")).toBe(true);
  expect(meets(typed("id=gt.9", "int8", ["9"]), "int8", "10")).toBe(true);
  expect(meets(typed("id=not.in.(1,2)", "int4", ["1", "2"]), "int4", "2")).toBe(false);
  expect(meets(typed("size=eq.1.0", "numeric", ["1.0"]), "numeric", "1.00")).toBe("ask");
  expect(meets(typed("name=lt.b", "text", ["b"]), "text", "a")).toBe("ask");
  // The column's type changed after the subscription was made.
  expect(meets(typed("id=eq.5", "int4", ["5"]), "text", "5")).toBe("ask");
});

test("null meets nothing but is.null and isdistinct", () => {
  expect(meets(typed("a=eq.x", "text", ["x"]), "text", null)).toBe(false);
  expect(meets(typed("a=not.eq.x", "text", ["x"]), "text", null)).toBe(false);
  expect(meets(typed("a=is.null", "text", []), "text", null)).toBe(true);
  expect(meets(typed("a=not.is.null", "text", []), "text", null)).toBe(false);
  expect(meets(typed("a=isdistinct.x", "text", ["x"]), "text", null)).toBe(true);
});

test("the SQL of a condition never holds the value itself, and other keywords are refused", () => {
  const [condition] = parseFilter("a=not.eq.x'; drop table y");
  if (condition === undefined) throw new Error("no condition");
  const sql = conditionSql(condition, "pg_catalog.text", "$1", "$2");
  expect(sql).toBe("coalesce(not (($1::text)::pg_catalog.text = ($2::text)::pg_catalog.text), false)");
  const [strange] = parseFilter("a=is.null or true");
  if (strange === undefined) throw new Error("no condition");
  expect(() => conditionSql(strange, "pg_catalog.bool", "$1", "$2")).toThrow("invalid value for is filter");
});
