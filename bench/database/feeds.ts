/** "The newest 20", seen by people through row level security, among 1,000,000 recordings of 10,000 mentorships. */
import type postgres from "postgres";
import type { BenchServer } from "./server.ts";

const MENTORSHIPS = 10_000;
const RECORDINGS = 1_000_000;
const QUERIES = 400;

export interface FeedFigures {
  rows: number;
  buildSeconds: number;
  /** `first`: somebody's first look, ms. `again`: the same look at once afterwards, when every page is warm. */
  feeds: { name: string; first: number[]; again: number[]; rowsSeen: number; plan: string[] }[];
}

const COLUMNS = "id, call_id, status, created_at, duration_ms, size_bytes";

/** @throws Error when a plan reads a table from one end to the other. */
export async function benchFeeds(server: BenchServer): Promise<FeedFigures> {
  const admin = server.connect(server.adminUrl);
  const startedAt = performance.now();
  await build(admin);
  const buildSeconds = (performance.now() - startedAt) / 1000;

  const sql = server.connect(server.postgresUrl);
  const mentor = (n: number) => uuid("mentor user", 1 + (n % (MENTORSHIPS / 10)));
  const mentee = (n: number) => uuid("mentee user", 1 + (n % MENTORSHIPS));
  const feeds: FeedFigures["feeds"] = [];
  const ofOne = (n: number) =>
    `select ${COLUMNS} from public.recordings where mentorship_id = '${uuid("mentorship", 1 + (n % MENTORSHIPS))}' order by created_at desc limit 20`;
  const mine = () => `select ${COLUMNS} from public.recordings order by created_at desc limit 20`;
  const listed = () => `select ${COLUMNS} from public.list_my_recordings(20)`;
  for (const [name, person, query] of [
    ["newest 20 of one mentorship, as its mentee", mentee, ofOne],
    ["newest 20 that I may see, mentor of 10 mentorships", mentor, mine],
    ["newest 20 that I may see, mentee of 1 mentorship", mentee, mine],
    ["newest 20 that I may see, somebody with none", (n: number) => uuid("stranger", n), mine],
    ["newest 20 that I may see by list_my_recordings, mentor of 10 mentorships", mentor, listed],
    ["newest 20 that I may see by list_my_recordings, mentee of 1 mentorship", mentee, listed],
  ] as const) {
    const first: number[] = [];
    const again: number[] = [];
    let rowsSeen = 0;
    for (let n = 0; n < QUERIES; n++) {
      // Spread over everybody: the first look finds few of the pages in the server's own memory.
      const at = n * 7_919;
      await become(sql, person(at));
      for (const ms of [first, again]) {
        const queriedAt = performance.now();
        rowsSeen = (await sql.unsafe(query(at), [], { prepare: true })).length;
        ms.push(performance.now() - queriedAt);
      }
    }
    const [plan] = await sql.unsafe(`explain (format json) ${query((QUERIES - 1) * 7_919)}`);
    const nodes = nodesOf((plan?.["QUERY PLAN"] as PlanNode[] | undefined)?.[0]?.Plan);
    if (nodes.length === 0) throw new Error(`${name}: Postgres gave no plan`);
    const scans = nodes.filter((node) => node.startsWith("Seq Scan"));
    if (scans.length > 0) throw new Error(`${name}: ${scans.join(", ")}`);
    feeds.push({ name, first, again, rowsSeen, plan: nodes });
  }
  return { rows: RECORDINGS, buildSeconds, feeds };
}

const uuid = (kind: string, n: number) =>
  `${PREFIXES[kind]}-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
const PREFIXES: Record<string, string> = {
  "mentor user": "a0000000",
  "mentee user": "b0000000",
  stranger: "c0000000",
  mentorship: "d0000000",
};

/** From here on this connection is that person, as the REST server would have it. */
async function become(sql: postgres.Sql, userId: string): Promise<void> {
  const claims = JSON.stringify({ sub: userId, role: "authenticated", aud: "authenticated" });
  await sql`select set_config('request.jwt.claims', ${claims}, false), set_config('role', 'authenticated', false)`;
}

async function build(admin: postgres.Sql): Promise<void> {
  const id = (prefix: string, n: string) =>
    `('${prefix}-0000-4000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
  await admin.begin(async (sql) => {
    // No trigger fires and no foreign key is looked up: the rows are what the functions would have made.
    await sql`set local session_replication_role = replica`;
    await sql.unsafe(`
      insert into public.instructors (id, user_id, name)
      select ${id("1a000000", "n")}, ${id("a0000000", "n")}, 'Mentor ' || n from generate_series(1, ${MENTORSHIPS / 10}) n`);
    await sql.unsafe(`
      insert into public.mentees (id, user_id, display_name)
      select ${id("1b000000", "n")}, ${id("b0000000", "n")}, 'Mentee ' || n from generate_series(1, ${MENTORSHIPS}) n`);
    await sql.unsafe(`
      insert into public.mentorships (id, instructor_id, mentee_id)
      select ${id("d0000000", "n")}, ${id("1a000000", `1 + n % ${MENTORSHIPS / 10}`)}, ${id("1b000000", "n")}
      from generate_series(1, ${MENTORSHIPS}) n`);
    await sql.unsafe(`
      insert into public.recordings (
        mentorship_id, instructor_id, mentee_id, channel, status, quality, layout, attempt, requested_at, started_at,
        stopped_at, finished_at, created_at, duration_ms, size_bytes, stored_bytes)
      select ${id("d0000000", `1 + n % ${MENTORSHIPS}`)}, ${id("1a000000", `1 + (1 + n % ${MENTORSHIPS}) % ${MENTORSHIPS / 10}`)},
        ${id("1b000000", `1 + n % ${MENTORSHIPS}`)}, md5(n::text), 'recorded', '720p', 'best_fit', 1, t.at, t.at,
        t.at + interval '1 hour', t.at + interval '61 minutes', t.at, 3600000, 400000000, 400010000
      from generate_series(1, ${RECORDINGS}) n cross join lateral (select timestamptz '2026-01-01' + n * interval '1 minute' as at) t`);
  });
  await admin`vacuum analyze public.recordings`;
  await admin`analyze public.mentorships`;
  await admin`analyze public.instructors`;
  await admin`analyze public.mentees`;
}

interface PlanNode {
  Plan?: PlanNode;
  "Node Type"?: string;
  "Relation Name"?: string;
  "Index Name"?: string;
  Plans?: PlanNode[];
}

function nodesOf(node: PlanNode | undefined): string[] {
  if (node === undefined) return [];
  const on = node["Index Name"] ?? node["Relation Name"];
  return [
    `${node["Node Type"]}${on === undefined ? "" : ` on ${on}`}`,
    ...(node.Plans ?? []).flatMap(nodesOf),
  ];
}
