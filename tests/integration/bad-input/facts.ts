import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Person, wish } from "../people.ts";
import { takeSnapshot } from "../snapshot.ts";
import { type Stage, withoutTrace } from "./stage.ts";

/** Facts that somebody writes by hand. */
export function describeFacts(stage: Stage): void {
  describe("Facts", () => {
    const facts: Record<string, unknown> = {
      recording_url: "https://elsewhere.example.com/x.mp4",
      recording_key: "recordings/x.mp4",
      recording_size: 1,
      recording_duration_seconds: 1,
      recording_metadata: { made: "up" },
      recording_id: randomUUID(),
      recording_phase: "queued",
      recording_error: { code: "x" },
      recording_version: 9_999_999,
      channel: "0".repeat(32),
    };
    const write = (client: Person["client"], callId: string, row: Record<string, unknown>) =>
      withoutTrace(stage, async () => {
        const { status, error } = await client.from("video_calls").update(row).eq("id", callId);
        return [status, error?.code];
      });

    test.each(Object.keys(facts))("a client writing %s has no right to: 403", async (column) => {
      for (const beside of [{}, { recording_status: "starting" }, { recording_status: "recorded" }]) {
        const answer = await write(stage.fresh.pair.mentor.client, stage.fresh.call.id, {
          [column]: facts[column],
          ...beside,
        });
        expect(answer).toEqual([403, "42501"]);
      }
    });

    test.each(Object.keys(facts))(
      "the service key writing %s without an old word is answered 403 fact_column_read_only",
      async (column) => {
        for (const beside of [{}, { recording_status: "starting" }, { recording_status: "stopping" }]) {
          const answer = await write(stage.under.people.service, stage.fresh.call.id, {
            [column]: facts[column],
            ...beside,
          });
          expect(answer).toEqual([403, "fact_column_read_only"]);
        }
      },
    );

    test("an administrator writing a fact is refused from SQL with its own SQLSTATE", async () => {
      const refusal = await withoutTrace(stage, async () => {
        try {
          await stage.under
            .sql`update public.video_calls set recording_url = 'x' where id = ${stage.fresh.call.id}`;
          return "accepted";
        } catch (error) {
          return z.object({ code: z.string() }).parse(error).code;
        }
      });
      expect(refusal).toBe("RC003");
    });

    test("beside an old word the service key's made-up facts are accepted, put back and noted", async () => {
      const { people, sql } = stage.under;
      const facts = {
        recording_url: "https://elsewhere.example.com/x.mp4",
        recording_key: "x",
        recording_size: 1,
      };
      const readCall = async () => {
        const [row] =
          await sql`select to_jsonb(c) - 'updated_at' as call from public.video_calls c where id = ${stage.recorded.call.id}`;
        return row?.call;
      };
      const call = await readCall();
      const before = await takeSnapshot(sql);
      const answer = await wish(people.service, stage.recorded.call.id, "failed", facts);
      const after = await takeSnapshot(sql);

      expect(answer).toEqual({ status: 200, code: undefined, became: ["recorded"] });
      expect(await readCall()).toEqual(call);
      // Nothing else moved: the row's own time, the note, and the push that follows every update of a call.
      const moved = Object.keys(after).filter((table) => after[table] !== before[table]);
      expect(moved).toEqual(["public.recording_events", "public.video_calls", "realtime.messages"]);
      const [note] = await sql`
      select event, actor, detail from public.recording_events where recording_id = ${stage.recorded.recordingId} order by id desc limit 1`;
      expect(note).toEqual({
        event: "recording.claim_ignored",
        actor: "service",
        detail: { word: "failed" },
      });
    });

    test("tables of facts take no writes from anybody's key", async () => {
      for (const client of [stage.recorded.pair.mentor.client, stage.under.people.service]) {
        for (const table of ["recordings", "recording_files", "recording_events"]) {
          const key = table === "recordings" ? "id" : "recording_id";
          const { recordingId } = stage.recorded;
          const row: Record<string, unknown> = { [key]: recordingId };
          const changes = [
            () => client.from(table).delete().eq(key, recordingId),
            () => client.from(table).update(row).eq(key, recordingId),
            () => client.from(table).insert(row),
          ];
          for (const change of changes) {
            const { status, error } = await withoutTrace(stage, async () => change());
            expect([status, error?.code]).toEqual([403, "42501"]);
          }
        }
      }
    });

    test("a participant can neither make, end by hand, move nor delete a call: 403", async () => {
      const calls = () => stage.fresh.pair.mentor.client.from("video_calls");
      const changes = [
        () => calls().insert({ mentorship_id: stage.fresh.pair.mentorshipId }),
        () => calls().update({ status: "ended" }).eq("id", stage.fresh.call.id),
        () =>
          calls().update({ mentorship_id: stage.recorded.pair.mentorshipId }).eq("id", stage.fresh.call.id),
        () => calls().delete().eq("id", stage.fresh.call.id),
      ];
      for (const change of changes) {
        const { status, error } = await withoutTrace(stage, async () => change());
        expect([status, error?.code]).toEqual([403, "42501"]);
      }
    });
  });
}
