import postgres from "postgres";
import { Parser } from "tap-parser";
import { errorLine } from "./migrate.ts";
import { withSession } from "./session.ts";
import { type Statement, splitStatements } from "./statements.ts";

/** The outcome of one pgTAP file. */
export interface TapReport {
  /** How many assertions the file announced; 0 when it announced none. */
  planned: number;
  passed: number;
  /** One text per thing that is wrong, with pgTAP's diagnostics; empty = the file passes. */
  failures: string[];
}

/**
 * Runs a pgTAP file, statement by statement, within its own `begin … rollback`, as `pg_prove` does through psql.
 *
 * @param url the database, as the role the file is meant for.
 */
export async function runPgTap(url: string, text: string): Promise<TapReport> {
  const lines: string[] = [];
  const broken = await withSession(url, async (sql) => {
    for (const statement of splitStatements(text)) {
      try {
        const rows = await sql.unsafe<Record<string, unknown>[]>(statement.text).simple();
        lines.push(...[...rows].map(psqlLine));
      } catch (error) {
        return explain(error, statement);
      }
    }
    return undefined;
  });
  const report = readTap(lines.join("\n"));
  if (broken !== undefined) report.failures.push(broken);
  return report;
}

/** A row as psql prints it unaligned, without headings. */
function psqlLine(row: Record<string, unknown>): string {
  return Object.values(row)
    .map((value) => (typeof value === "string" ? value : value === null ? "" : JSON.stringify(value)))
    .join("|");
}

function explain(error: unknown, statement: Statement): string {
  if (!(error instanceof postgres.PostgresError)) throw error;
  const more = [error.detail, error.hint, error.where].filter(Boolean).map((part) => `\n  ${part}`);
  return `ended early at line ${errorLine(statement, error.position)}: ${error.message} (SQLSTATE ${error.code})${more.join("")}`;
}

/** Judges TAP text as pgTAP writes it. A plan is demanded: a file that asserts nothing does not pass. */
export function readTap(tap: string): TapReport {
  const failures: string[] = [];
  let passed = 0;
  let failing = false;
  const parser = new Parser();
  parser.on("assert", (assertion) => {
    failing = !assertion.ok && !assertion.todo;
    if (failing) failures.push(`not ok ${assertion.id} - ${assertion.name}`);
    else passed += 1;
  });
  // pgTAP says what was expected in comments after the assertion.
  parser.on("comment", (comment) => {
    const last = failures.pop();
    if (last !== undefined) failures.push(failing ? `${last}\n  ${comment.trim()}` : last);
  });
  parser.on("bailout", (reason) => failures.push(`bailed out: ${reason}`));
  parser.end(`${tap}\n`);

  const { results } = parser;
  const planned = results?.plan.end ?? 0;
  if (planned === 0) failures.push("planned no assertions: call plan(n), or no_plan() and finish()");
  for (const failure of results?.failures ?? []) {
    if (planned > 0 && failure.tapError)
      failures.push(`${failure.tapError}: planned ${planned}, ran ${results?.count ?? 0}`);
  }
  return { planned, passed, failures };
}
