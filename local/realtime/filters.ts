/** The operators that a `filter` of a postgres_changes binding may use. */
const operators = [
  "eq",
  "neq",
  "lt",
  "lte",
  "gt",
  "gte",
  "in",
  "like",
  "ilike",
  "is",
  "match",
  "imatch",
  "isdistinct",
] as const;
export type Operator = (typeof operators)[number];

/** One `column=operator.value`; the value of `in` is a Postgres array literal. */
export interface Condition {
  column: string;
  operator: Operator;
  value: string;
  negated: boolean;
}

/**
 * A condition whose value was read by the database as the column's type. `canonical` holds it the way Postgres prints
 * it (for `in`: each element), so that values of types with one text form only can be compared without asking again.
 */
export interface TypedCondition extends Condition {
  /** Name of the type (pg_type.typname) that the value was read as; undefined when it must be asked each time. */
  typeName?: string;
  canonical?: string[];
}

/** The filter is not of the form that the server reads; the message says which part. */
export class FilterError extends Error {}

/** Reads a filter: conditions joined by commas, all of which must hold. Blank text is no condition. */
export function parseFilter(filter: string): Condition[] {
  if (filter.trim() === "") return [];
  return splitConditions(filter.trim()).map(parseCondition);
}

/** Splits at the commas that stand outside quotes and parentheses. */
function splitConditions(filter: string): string[] {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < filter.length; i++) {
    const char = filter[i] ?? "";
    if (quoted && char === "\\") {
      part += char + (filter[++i] ?? "");
      continue;
    }
    // A quote opens only where a value can begin: it may stand inside an unquoted value as itself.
    if (char === '"') quoted = quoted ? false : [".", "(", ","].includes(filter[i - 1] ?? "");
    else if (!quoted && char === "(") depth++;
    else if (!quoted && char === ")") depth = Math.max(0, depth - 1);
    else if (!quoted && char === "," && depth === 0) {
      parts.push(part);
      part = "";
      continue;
    }
    part += char;
  }
  return [...parts, part];
}

function parseCondition(text: string): Condition {
  const condition = text.trim();
  if (condition === "")
    throw new FilterError("filter must not contain empty segments (check for extra commas)");
  const equals = condition.indexOf("=");
  if (equals < 0) throw new FilterError(JSON.stringify([condition]));
  const column = condition.slice(0, equals);
  const rest = condition.slice(equals + 1);
  const negated = rest.startsWith("not.");
  const comparison = negated ? rest.slice("not.".length) : rest;
  const dot = comparison.indexOf(".");
  if (dot < 0) throw new FilterError(JSON.stringify([comparison]));
  const name = comparison.slice(0, dot);
  const value = comparison.slice(dot + 1);
  const operator = operators.find((known) => known === name);
  if (operator === undefined) throw new FilterError(`["${name}", "${value}"]`);
  if (operator !== "in") return { column, operator, value: unquote(value), negated };
  if (!value.startsWith("(") || !value.endsWith(")")) {
    throw new FilterError("`in` filter value must be wrapped by parentheses");
  }
  return { column, operator, value: `{${value.slice(1, -1)}}`, negated };
}

function unquote(value: string): string {
  const quoted = /^"((?:[^"\\]|\\[\s\S])*)"$/.exec(value);
  return quoted?.[1] === undefined ? value : quoted[1].replaceAll(/\\([\s\S])/g, "$1");
}

const exactTypes = new Set(["int2", "int4", "int8", "oid", "bool", "text", "varchar", "uuid", "date"]);
const integerTypes = new Set(["int2", "int4", "int8"]);

/**
 * Whether a column's value (Postgres' text form, or null) meets a condition, or "ask" when only the database can tell,
 * for example because 1.0 and 1.00 are equal numerics. A comparison with null is not met, negated or not, as in SQL.
 */
export function meets(condition: TypedCondition, typeName: string, value: string | null): boolean | "ask" {
  const { operator, negated } = condition;
  if (operator === "is" && condition.value === "null") return (value === null) !== negated;
  if (operator === "isdistinct" && value === null) return !negated;
  if (operator === "is") return "ask";
  if (value === null) return false;
  if (condition.canonical === undefined || condition.typeName !== typeName) return "ask";
  const met = compare(operator, typeName, value, condition.canonical);
  return met === "ask" ? met : met !== negated;
}

function compare(operator: Operator, typeName: string, value: string, canonical: string[]): boolean | "ask" {
  const [operand = ""] = canonical;
  if (exactTypes.has(typeName)) {
    if (operator === "eq") return value === operand;
    if (operator === "neq" || operator === "isdistinct") return value !== operand;
    if (operator === "in") return canonical.includes(value);
  }
  if (integerTypes.has(typeName)) {
    const [a, b] = [BigInt(value), BigInt(operand)];
    if (operator === "lt") return a < b;
    if (operator === "lte") return a <= b;
    if (operator === "gt") return a > b;
    if (operator === "gte") return a >= b;
  }
  return "ask";
}

const sqlOperators = {
  eq: "=",
  neq: "<>",
  lt: "<",
  lte: "<=",
  gt: ">",
  gte: ">=",
  like: "~~",
  ilike: "~~*",
  match: "~",
  imatch: "~*",
  isdistinct: "is distinct from",
} as const;

const isKeywords = ["null", "true", "false", "unknown"];

/**
 * The same question as SQL. `cast` is the column's type as SQL writes it; `value` and `operand` are placeholders of
 * text parameters, the operand being the condition's value.
 */
export function conditionSql(condition: Condition, cast: string, value: string, operand: string): string {
  const { operator, negated } = condition;
  const left = `(${value}::text)::${cast}`;
  let test: string;
  if (operator === "in") test = `${left} = any((${operand}::text)::${cast}[])`;
  else if (operator === "is") {
    if (!isKeywords.includes(condition.value)) {
      throw new FilterError("invalid value for is filter: must be null, true, false, or unknown");
    }
    // The operand is compared with itself so that every placeholder of the statement is used.
    test = `(${left} is ${condition.value} and ${operand}::text is not null)`;
  } else test = `${left} ${sqlOperators[operator]} (${operand}::text)::${cast}`;
  return `coalesce(${negated ? `not (${test})` : test}, false)`;
}
