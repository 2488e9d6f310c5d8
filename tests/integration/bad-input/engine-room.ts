import { describe, expect, test } from "vitest";
import { type Stage, withoutTrace } from "./stage.ts";

/** What only the Edge Functions may reach. */
export function describeEngineRoom(stage: Stage): void {
  describe("The engine room", () => {
    test("its schema is not exposed, to nobody: 406 PGRST106", async () => {
      for (const client of [stage.under.people.service, stage.recorded.pair.mentor.client]) {
        for (const schema of ["recorder", "access", "vault", "auth"]) {
          const { status, error } = await withoutTrace(stage, async () =>
            client.schema(schema).from("jobs").select(),
          );
          expect([status, error?.code]).toEqual([406, "PGRST106"]);
        }
      }
    });

    test("every function for the Edge Functions is refused to a user (403) and to nobody (401)", async () => {
      const functions = await stage.under.sql<{ name: string; arguments: string[] }[]>`
      select p.proname as name, coalesce(p.proargnames[1:p.pronargs], '{}') as arguments
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'recorder_api'`;
      expect(functions.length).toBeGreaterThan(8);
      for (const { name, arguments: names } of functions) {
        const nothing = Object.fromEntries(names.map((argument) => [argument, null]));
        for (const [client, expected] of [
          [stage.recorded.pair.mentor.client, 403],
          [stage.under.people.anonymous(), 401],
        ] as const) {
          const { status, error } = await withoutTrace(stage, () =>
            client.schema("recorder_api").rpc(name, nothing),
          );
          expect([name, status, error?.code]).toEqual([name, expected, "42501"]);
        }
      }
    });
  });
}
