import type { Sql } from "postgres";
import { type Log, reasonOf } from "../stack/part.ts";
import { conditionSql, meets, type TypedCondition } from "./filters.ts";
import { become } from "./policies.ts";
import type { Change, Row } from "./replication.ts";
import type { Wanted } from "./subscriptions.ts";
import { type Column, quoted, readTables, type Table } from "./tables.ts";
import type { Claims } from "./tokens.ts";
import { askForJson, type JsonValue, toJson } from "./values.ts";
import { untilVisible } from "./visible-transactions.ts";

/** A live binding of a channel. */
export interface Subscription {
  /** The number that the join reply gave the binding. */
  id: number;
  wanted: Wanted;
  claims: Claims;
  listener: ChangeListener;
}

export interface ChangeListener {
  /** Takes one change together with the ids of all its bindings that the change hit. */
  changed(ids: number[], data: ChangeData): void;
}

/** The `data` of a postgres_changes event. */
export interface ChangeData {
  schema: string;
  table: string;
  type: Change["type"];
  commit_timestamp: string;
  columns: { name: string; type: string }[];
  record?: Record<string, JsonValue>;
  old_record?: Record<string, JsonValue>;
  errors: string[] | null;
}

/** A change with its transaction, and the time of its commit. */
export interface CommittedChange extends Change {
  xid: number;
  committedAt: Date;
}

const largestChangeBytes = 1024 * 1024;
/** Of a change that is too large only values up to this size are told. */
const largestValueBytes = 64;

/**
 * Delivers changes to the subscriptions that may see them, by the steps of Supabase's apply_rls: grants on the key,
 * filters, row level security now (not at commit), selectable columns. Policies are asked once per role and claims for
 * all changes of the batch, in one transaction. A policy that fails hides the change from its subscribers.
 * Throws the connection's error when the database cannot be asked; then nothing of the batch was delivered.
 */
export async function deliverChanges(
  sql: Sql,
  batch: CommittedChange[],
  subscriptionsOf: (change: Change) => Subscription[],
  log: Log,
): Promise<void> {
  const wanted = batch
    .map((change) => ({ change, subscriptions: subscriptionsOf(change) }))
    .filter(({ subscriptions }) => subscriptions.length > 0);
  if (wanted.length === 0) return;
  const xids = new Set(wanted.map(({ change }) => change.xid));
  if (!(await untilVisible(sql, [...xids])))
    log("a commit cannot be seen yet", { xids: [...xids].join(" ") });
  const roles = [
    ...new Set(wanted.flatMap(({ subscriptions }) => subscriptions.map(({ claims }) => claims.role))),
  ];
  const tables = await readTables(sql, [...new Set(wanted.map(({ change }) => change.oid))], roles);

  const candidates: Candidate[] = [];
  for (const { change, subscriptions } of wanted) {
    const table = tables.get(change.oid);
    // Dropped since; who could see its rows can no longer be told.
    if (table === undefined) continue;
    for (const subscription of subscriptions) {
      candidates.push({
        change,
        table,
        subscription,
        error: refusal(change, table, subscription.claims.role),
      });
    }
  }
  const hit = await keepFiltered(sql, candidates, log);
  const visible = await keepVisible(sql, hit, log);
  await tell(sql, visible);
}

interface Candidate {
  change: CommittedChange;
  table: Table;
  subscription: Subscription;
  /** Set when the event goes out without its record, whatever the filter says. */
  error: string | undefined;
}

function refusal(change: Change, table: Table, role: string): string | undefined {
  if (change.type === "DELETE") return undefined;
  const key = table.columns.filter((column) => column.isKey);
  if (key.length === 0) return "Error 400: Bad Request, no primary key";
  if (!key.every((column) => column.readers.includes(role))) return "Error 401: Unauthorized";
  return undefined;
}

async function keepFiltered(sql: Sql, candidates: Candidate[], log: Log): Promise<Candidate[]> {
  const questions: { candidate: Candidate; sql: string }[] = [];
  const parameters: (string | null)[] = [];
  const kept = new Set(candidates);
  for (const candidate of candidates) {
    if (candidate.error !== undefined) continue;
    const { change, table, subscription } = candidate;
    const row = change.type === "DELETE" ? change.identity : change.row;
    for (const condition of subscription.wanted.conditions) {
      const answer = answerTo(condition, table, row);
      if (answer === false) kept.delete(candidate);
      if (typeof answer !== "object") continue;
      const place = parameters.push(row[condition.column] ?? null, condition.value);
      questions.push({
        candidate,
        sql: conditionSql(condition, answer.column.cast, `$${place - 1}`, `$${place}`),
      });
    }
  }
  const open = questions.filter(({ candidate }) => kept.has(candidate));
  if (open.length === 0) return candidates.filter((candidate) => kept.has(candidate));
  try {
    // All questions, also the settled ones: their parameters are numbered already.
    const [row] = await sql.unsafe(
      `select array[${questions.map((question) => question.sql).join(", ")}] as met`,
      parameters,
    );
    const met = row?.met as boolean[];
    questions.forEach(({ candidate }, index) => {
      if (met[index] !== true) kept.delete(candidate);
    });
  } catch (error) {
    log("filters could not be compared, their changes are dropped", { reason: reasonOf(error) });
    for (const { candidate } of questions) kept.delete(candidate);
  }
  return candidates.filter((candidate) => kept.has(candidate));
}

function answerTo(condition: TypedCondition, table: Table, row: Row): boolean | { column: Column } {
  const column = table.columns.find(({ name }) => name === condition.column);
  const value = row[condition.column];
  // A column that is not in the log (a DELETE's outside the identity, an unchanged large one) never matches.
  if (column === undefined || value === undefined) return false;
  const answer = meets(condition, column.typeName, value);
  return answer === "ask" ? { column } : answer;
}

async function keepVisible(sql: Sql, candidates: Candidate[], log: Log): Promise<Candidate[]> {
  const asks = (candidate: Candidate) =>
    candidate.table.hasRls && candidate.change.type !== "DELETE" && candidate.error === undefined;
  const groups = Map.groupBy(candidates.filter(asks), ({ subscription }) =>
    JSON.stringify(subscription.claims),
  );
  const visible = new Set(candidates.filter((candidate) => !asks(candidate)));
  await Promise.all(
    [...groups.values()].map(async (group) => {
      for (const candidate of await seenBy(sql, group, log)) visible.add(candidate);
    }),
  );
  return candidates.filter((candidate) => visible.has(candidate));
}

/** Those of the group's changes whose row its role and claims can see now. */
async function seenBy(sql: Sql, group: Candidate[], log: Log): Promise<Candidate[]> {
  const [first] = group;
  if (first === undefined) return [];
  const { claims } = first.subscription;
  const changes = [...Map.groupBy(group, ({ change }) => change).values()];
  const parameters: string[] = [];
  const questions = changes.map(([candidate]) => {
    if (candidate === undefined) return "false";
    const { table, change } = candidate;
    const key = table.columns.filter((column) => column.isKey);
    const match = key.map((column) => {
      const place = parameters.push(change.row[column.name] ?? "");
      return `${quoted(column.name)} = ($${place}::text)::${column.cast}`;
    });
    return `exists(select from ${quoted(table.schema, table.name)} where ${match.join(" and ")})`;
  });
  try {
    const [row] = await sql.begin(async (tx) => {
      await become(tx, { topic: "", claims, headers: {} });
      return tx.unsafe(`select array[${questions.join(", ")}] as seen`, parameters, { prepare: true });
    });
    const seen = row?.seen as boolean[];
    return changes.flatMap((candidates, index) => (seen[index] === true ? candidates : []));
  } catch (error) {
    log("a policy failed, its subscribers get nothing", { role: claims.role, reason: reasonOf(error) });
    return [];
  }
}

async function tell(sql: Sql, candidates: Candidate[]): Promise<void> {
  const asked: { column: Column; text: string; place: [Record<string, JsonValue>, string] }[] = [];
  const messages: { listener: ChangeListener; ids: number[]; data: ChangeData }[] = [];
  for (const ofChange of Map.groupBy(candidates, ({ change }) => change).values()) {
    const views = Map.groupBy(ofChange, ({ subscription: { claims, wanted } }) =>
      JSON.stringify([claims.role, wanted.select]),
    );
    for (const view of views.values()) {
      const [candidate] = view;
      if (candidate === undefined) continue;
      const data = dataOf(candidate, (column, text, record) =>
        asked.push({ column, text, place: [record, column.name] }),
      );
      for (const [listener, hits] of Map.groupBy(view, ({ subscription }) => subscription.listener)) {
        const ids = [...new Set(hits.map(({ subscription }) => subscription.id))];
        messages.push({ listener, ids, data });
      }
    }
  }
  const values = await askForJson(sql, asked);
  asked.forEach(({ place: [record, name] }, index) => {
    record[name] = values[index] ?? null;
  });
  for (const { listener, ids, data } of messages) listener.changed(ids, data);
}

type Ask = (column: Column, text: string, record: Record<string, JsonValue>) => void;

function dataOf({ change, table, subscription, error }: Candidate, ask: Ask): ChangeData {
  const { select } = subscription.wanted;
  const { role } = subscription.claims;
  const head = {
    schema: change.schema,
    table: change.table,
    type: change.type,
    commit_timestamp: change.committedAt.toISOString(),
  };
  if (error !== undefined) return { ...head, columns: [], errors: [error] };
  const told = table.columns.filter(
    ({ name, isKey, readers }) =>
      readers.includes(role) && (select === null || isKey || select.includes(name)),
  );
  const isTooLarge = sizeOf(change) > largestChangeBytes;
  const recordOf = (row: Row, columns: Column[]) => {
    const record: Record<string, JsonValue> = {};
    for (const column of columns) {
      const text = row[column.name];
      if (text === undefined || (isTooLarge && Buffer.byteLength(text ?? "") > largestValueBytes)) continue;
      const value = toJson(column, text);
      if (value !== undefined) record[column.name] = value;
      else if (text !== null) ask(column, text, record);
    }
    return record;
  };
  // Of a deleted row nobody can say who was allowed to see it: with RLS only its key is told.
  const old = change.type === "DELETE" && table.hasRls ? told.filter(({ isKey }) => isKey) : told;
  return {
    ...head,
    columns: told.map(({ name, typeName }) => ({ name, type: typeName })),
    ...(change.type === "DELETE" ? {} : { record: recordOf(change.row, told) }),
    ...(change.type === "INSERT" ? {} : { old_record: recordOf(change.identity, old) }),
    errors: isTooLarge ? ["Error 413: Payload Too Large"] : null,
  };
}

function sizeOf(change: Change): number {
  const sizes = [change.row, change.identity].flatMap((row) =>
    Object.entries(row).map(([name, value]) => name.length + Buffer.byteLength(value ?? "null")),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
