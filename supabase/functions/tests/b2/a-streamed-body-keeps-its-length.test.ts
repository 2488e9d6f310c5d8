import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { OpenUpload } from "../../_shared/b2/bodies.ts";
import { type B2Client, createB2Client } from "../../_shared/b2/client.ts";
import { B2_RETRY_POLICY } from "../../_shared/b2/retry-policy.ts";
import { createStreamSender } from "../../_shared/b2/stream-sender.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { errorXml, SETTINGS } from "./scripted-store.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, attempt: number) => unknown;

/** Runs a client that streams against a server on loopback that answers as told. */
async function withStore(
  answer: Answer,
  use: (client: B2Client, endpoint: string) => Promise<void>,
  attempts = B2_RETRY_POLICY.attempts,
) {
  let received = 0;
  const server = createServer((request, response) => {
    received += 1;
    void answer(request, response, received);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createB2Client(
    { ...SETTINGS, endpoint, region: "us-west-004" },
    {
      fetch,
      now: Date.now,
      sleep: () => Promise.resolve(),
      random: () => 0,
      sendStream: createStreamSender(),
    },
    { ...B2_RETRY_POLICY, putTimeoutMs: 30_000, attempts },
  );
  try {
    await use(client, endpoint);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Takes the body in and answers with its SHA-256 as etag. */
async function takeIn(request: IncomingMessage, response: ServerResponse) {
  const hash = createHash("sha256");
  for await (const chunk of request) hash.update(chunk);
  response.setHeader("etag", `"${hash.digest("hex")}"`).end();
}

function refuse(response: ServerResponse, http: number, code: string) {
  response.writeHead(http, { connection: "close" }).end(errorXml(code, "no"));
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Bytes no two of which repeat in step with a buffer. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let seed = 7;
  for (let at = 0; at < length; at++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = seed >>> 24;
  }
  return bytes;
}

/** A stream in chunks of odd sizes; counts how often it was cancelled. */
function counted(bytes: Uint8Array<ArrayBuffer>) {
  let cancelled = 0;
  const open: OpenUpload = () => {
    let at = 0;
    return new ReadableStream({
      pull(stream) {
        if (at >= bytes.length) stream.close();
        else stream.enqueue(bytes.slice(at, at + 70_001));
        at += 70_001;
      },
      cancel() {
        cancelled += 1;
      },
    });
  };
  return { open, cancelled: () => cancelled };
}

const failsWith = (code: string, detail?: RegExp) => (thrown: unknown) =>
  thrown instanceof RecorderFailure &&
  thrown.error.code === code &&
  (detail?.test(thrown.error.detail ?? "") ?? true);

const BYTES = bytesOf(3_000_001);
const PUT = { contentType: "video/mp4" };

Deno.test("a stream goes out with its length, not in HTTP chunks, and byte for byte", async () => {
  const seen: IncomingMessage["headers"][] = [];
  await withStore(
    (request, response) => {
      seen.push(request.headers);
      return takeIn(request, response);
    },
    async (client) => {
      const { etag } = await client.putStream("a", counted(BYTES).open, BYTES.length, PUT);
      assert.equal(etag, sha256(BYTES));
      const part = await client.uploadPart("a", "u", 1, counted(BYTES).open, BYTES.length);
      assert.equal(part.etag, sha256(BYTES));
    },
  );
  for (const headers of seen) {
    assert.equal(headers["content-length"], "3000001");
    assert.equal(headers["transfer-encoding"], undefined);
    assert.equal(headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
  }
});

Deno.test("a fetched body, read into buffers that are used in turn, arrives byte for byte", async () => {
  const large = bytesOf(9_000_001);
  await withStore(
    async (request, response) => {
      if (request.method === "GET") response.writeHead(200, { "content-length": large.length }).end(large);
      else {
        // A reader slower than the sender: a buffer that is filled again too early would show.
        const hash = createHash("sha256");
        for await (const chunk of request) {
          hash.update(chunk);
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.setHeader("etag", `"${hash.digest("hex")}"`).end();
      }
    },
    async (client, endpoint) => {
      const open = async () => {
        const { body } = await fetch(endpoint);
        assert.ok(body !== null);
        return body;
      };
      const { etag } = await client.uploadPart("a", "u", 1, open, large.length);
      assert.equal(etag, sha256(large));
    },
  );
});

Deno.test("an empty stream is an empty object", async () => {
  await withStore(takeIn, async (client) => {
    const { etag } = await client.putStream("a", counted(bytesOf(0)).open, 0, PUT);
    assert.equal(etag, sha256(new Uint8Array()));
  });
});

Deno.test("a body that can be opened again is sent again, over a new connection", async () => {
  const ports: (number | undefined)[] = [];
  await withStore(
    async (request, response, attempt) => {
      ports.push(request.socket.remotePort);
      if (attempt === 1) request.socket.destroy();
      else if (attempt === 2) {
        await takeIn(request, { setHeader: () => ({ end: () => undefined }) } as unknown as ServerResponse);
        refuse(response, 503, "ServiceUnavailable");
      } else await takeIn(request, response);
    },
    async (client) => {
      const { etag } = await client.uploadPart("a", "u", 1, counted(BYTES).open, BYTES.length);
      assert.equal(etag, sha256(BYTES));
    },
  );
  assert.equal(new Set(ports).size, 3);
});

Deno.test("a stream that cannot be opened again is not sent again", async () => {
  let attempts = 0;
  await withStore(
    (request) => {
      attempts += 1;
      request.socket.destroy();
    },
    async (client) => {
      const stream = await counted(BYTES).open();
      await assert.rejects(
        client.uploadPart("a", "u", 1, stream, BYTES.length),
        failsWith("store_unreachable"),
      );
    },
  );
  assert.equal(attempts, 1);
});

Deno.test("a refusal that comes before the body is out ends the sending and cancels the source", async () => {
  const source = counted(bytesOf(30_000_000));
  await withStore(
    (_, response) => refuse(response, 403, "AccessDenied"),
    async (client) => {
      await assert.rejects(
        client.uploadPart("a", "u", 1, source.open, 30_000_000),
        (thrown) => failsWith("store_access_denied")(thrown) || failsWith("store_unreachable")(thrown),
      );
    },
  );
  assert.ok(source.cancelled() >= 1);
});

const WRONG_LENGTHS: [string, number, RegExp][] = [
  ["fewer bytes than promised", BYTES.length + 1, /3000001 bytes instead of 3000002/],
  ["more bytes than promised", BYTES.length - 1, /more than 3000000 bytes/],
];

for (const [what, promised, detail] of WRONG_LENGTHS) {
  Deno.test(`a source with ${what} makes no object`, async () => {
    let whole = 0;
    await withStore(
      (request, response) => {
        takeIn(request, response).then(
          () => {
            whole += 1;
          },
          () => undefined,
        );
      },
      async (client) => {
        const upload = client.uploadPart("a", "u", 1, counted(BYTES).open, promised);
        await assert.rejects(upload, failsWith("upload_source_failed", detail));
      },
    );
    assert.equal(whole, 0);
  });
}

Deno.test("a source that breaks off is told as such, and opened anew while there are attempts left", async () => {
  let opened = 0;
  const open: OpenUpload = () => {
    opened += 1;
    if (opened === 3) return counted(BYTES).open();
    return new ReadableStream({
      pull(stream) {
        stream.error(new TypeError("error reading a body from connection"));
      },
    });
  };
  await withStore(
    (request, response) => void takeIn(request, response).catch(() => undefined),
    async (client) => {
      const { etag } = await client.uploadPart("a", "u", 1, open, BYTES.length);
      assert.equal(etag, sha256(BYTES));
      opened = 10;
      const broken = await open();
      await assert.rejects(
        client.uploadPart("a", "u", 1, broken, BYTES.length),
        failsWith("upload_source_failed", /error reading a body/),
      );
    },
  );
});

Deno.test("what the source itself refuses with goes through as it is, at once", async () => {
  const reason = new RecorderFailure({
    code: "object_changed",
    blame: "storage",
    retry: "now",
    message: "x",
  });
  let opened = 0;
  await withStore(takeIn, async (client) => {
    const open = () => {
      opened += 1;
      return Promise.reject(reason);
    };
    await assert.rejects(client.uploadPart("a", "u", 1, open, 5), reason);
  });
  assert.equal(opened, 1);
});

Deno.test("a caller that gives up gets its own reason, and the source is cancelled even while it stalls", async () => {
  let cancelled = 0;
  const stalled = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled += 1;
    },
  });
  const caller = new AbortController();
  const reason = new Error("slice is over");
  await withStore(
    (request) => void request.once("error", () => undefined).resume(),
    async (client) => {
      const upload = client.uploadPart("a", "u", 1, stalled, 5, { signal: caller.signal });
      setTimeout(() => caller.abort(reason), 50);
      await assert.rejects(upload, reason);
    },
  );
  assert.equal(cancelled, 1);
});

Deno.test("without a sender for streams the body is taken into memory, and keeps its length", async () => {
  await withStore(takeIn, async (_, endpoint) => {
    const client = createB2Client(
      { ...SETTINGS, endpoint, region: "us-west-004" },
      { fetch, now: Date.now, sleep: () => Promise.resolve(), random: () => 0 },
    );
    const { etag } = await client.uploadPart("a", "u", 1, counted(BYTES).open, BYTES.length);
    assert.equal(etag, sha256(BYTES));
  });
});

for (const [what, body] of [
  ["bytes", BYTES],
  ["text", "text"],
] as const) {
  Deno.test(`${what} on a kept connection that breaks are not sent again behind our back`, async () => {
    let received = 0;
    await withStore(
      async (request, response, attempt) => {
        received = attempt;
        if (attempt !== 2) return await takeIn(request, response);
        for await (const _ of request);
        request.socket.destroy();
      },
      async (client) => {
        await client.put("a", body, PUT);
        await assert.rejects(client.put("a", body, PUT), failsWith("store_unreachable"));
      },
      1,
    );
    assert.equal(received, 2);
  });
}
