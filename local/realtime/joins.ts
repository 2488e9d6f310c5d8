import { createHash } from "node:crypto";
import { z } from "zod";

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const flag = z.boolean().catch(false);

/** The payload of phx_join. Like the real server it does not refuse what it does not understand, but takes the default. */
export const joinSchema = z.preprocess(
  (payload) => (isObject(payload) ? payload : {}),
  z.object({
    access_token: z.string().nullish().catch(null),
    user_token: z.string().nullish().catch(null),
    config: z
      .object({
        broadcast: z
          .object({ ack: flag, self: flag, replay: z.unknown().optional(), replication_ready: flag })
          .catch({ ack: false, self: false, replication_ready: false }),
        presence: z.object({ enabled: flag, key: z.string().catch("") }).catch({ enabled: false, key: "" }),
        private: flag,
        postgres_changes: z.array(z.record(z.string(), z.unknown()).nullable()).catch([]),
        postgres_changes_options: z
          .object({ wait: flag, timeout: z.number().int().positive().catch(15_000) })
          .catch({ wait: false, timeout: 15_000 }),
      })
      .catch({
        broadcast: { ack: false, self: false, replication_ready: false },
        presence: { enabled: false, key: "" },
        private: false,
        postgres_changes: [],
        postgres_changes_options: { wait: false, timeout: 15_000 },
      }),
  }),
);
export type Join = z.output<typeof joinSchema>;

/** A binding of the join with the number that its events carry. */
export interface Binding {
  id: number;
  parameters: Record<string, unknown>;
}

/** Numbers the bindings by their content, as the real server does: equal bindings share a number, which is never 0. */
export function numberBindings(join: Join): Binding[] {
  return join.config.postgres_changes
    .filter((parameters) => parameters !== null)
    .map((parameters) => {
      const canonical = JSON.stringify(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)));
      // 27 bits, like Erlang's phash2. The client takes 0 for "no id".
      const id = (createHash("sha256").update(canonical).digest().readUInt32BE(0) >>> 5) + 1;
      return { id, parameters };
    });
}

/** Why a join is refused: `reason` of the error reply. */
export class JoinRefused extends Error {}
