import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { expect, test } from "vitest";
import { startB2 } from "../../b2/server.ts";
import { b2Settings } from "../../b2/settings.ts";
import { quietLog } from "../../stack/part.ts";
import { clientOf, openReceiver, startEngine, startRequestFor, until, webhookSecret } from "./stage.ts";

const bucket = "call-recordings";
const keyId = "0050000000000000000000007";
const applicationKey = "K005writerwriterwriterwriterwri";

test("a write-only key on a B2-like store is enough, and a wrong secret ends the task by event 1 code 32", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "recording-engine-b2-"));
  const reader = { keyId: "0050000000000000000000008", applicationKey: "K005readerreaderreaderreaderrea" };
  const store = await startB2(
    b2Settings.parse({
      port: 0,
      dataDir,
      region: "us-west-004",
      buckets: [{ name: bucket }],
      keys: [
        { keyId, applicationKey, bucket, prefix: "recordings/", capabilities: ["writeFiles"] },
        { ...reader, bucket, capabilities: ["readFiles"] },
      ],
    }),
    quietLog,
  );
  const receiver = await openReceiver();
  const engine = await startEngine({ webhook: { url: receiver.url, secret: webhookSecret } });
  const client = clientOf(engine.address);
  const storageConfig = (secretKey: string) => ({
    vendor: 11,
    region: 0,
    bucket,
    accessKey: keyId,
    secretKey,
    fileNamePrefix: ["recordings", "abc123", "a1"],
    extensionParams: { endpoint: store.address.replace("http://", "") },
  });
  try {
    const good = { storageConfig: storageConfig(applicationKey) };
    const bad = { storageConfig: storageConfig(`${applicationKey}x`) };
    const task = await client.begin("room_1", "41", startRequestFor("room_1", "41", "", good));
    const doomed = await client.begin("room_2", "42", startRequestFor("room_2", "42", "", bad));
    await client.reaches(task, 5);
    const { body } = await client.stop(task);
    const names = body.serverResponse.fileList.map(({ fileName }: { fileName: string }) => fileName);
    expect(names).toEqual([`${task.sid}_room-1_0.mp4`, `${task.sid}_room-1.m3u8`]);
    const s3 = new AwsClient({
      accessKeyId: reader.keyId,
      secretAccessKey: reader.applicationKey,
      service: "s3",
      region: "us-west-004",
      retries: 0,
    });
    for (const name of names) {
      const object = await s3.fetch(`${store.address}/${bucket}/recordings/abc123/a1/${name}`);
      expect(object.status, name).toBe(200);
      expect((await object.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
    const failed = await until("event 1", () => receiver.of(1).find(({ sid }) => sid === doomed.sid));
    expect(failed.payload.details).toMatchObject({ module: 1, errorCode: 32 });
    await client.isGone(doomed);
  } finally {
    await engine.stop();
    await receiver.close();
    await store.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
