import { createHash } from "node:crypto";
import type { B2Client } from "../../_shared/b2/client.ts";
import { type StoreErrorCode, storeError } from "../../_shared/b2/errors.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import type { OpenTransfer, PlannedCopy } from "../../_shared/jobs/transfer-calls.ts";
import type { LogFields } from "../../_shared/log.ts";
import type { TransferDeps } from "../../_shared/storage/transfer.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";

type Bytes = Uint8Array<ArrayBuffer>;
interface Stored {
  bytes: Bytes;
  etag: string;
  versionId: string;
  contentType: string;
}

export const md5 = (bytes: Bytes) => createHash("md5").update(bytes).digest("hex");
/** Bytes that differ by seed and place, made quickly: some of these objects are as large as real parts. */
export const bytesOf = (size: number, seed = 1): Bytes => {
  const bytes = new Uint8Array(size).fill(seed);
  const marks = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= size; at += 4_096) marks.setUint32(at, at + seed);
  return bytes;
};

/** A store in memory that keeps versions and uploads; `refuse` decides about each request before it is served. */
export class StoreInMemory {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, { key: string; parts: Map<number, Bytes> }>();
  readonly story: string[] = [];
  refuse: (request: string, key: string) => StoreErrorCode | undefined = () => undefined;
  #count = 0;

  set(key: string, bytes: Bytes, etag = md5(bytes)): void {
    this.#count += 1;
    this.objects.set(key, { bytes, etag, versionId: `v${this.#count}`, contentType: "" });
  }

  #meet(request: string, key: string): void {
    this.story.push(`${request} ${key.slice(key.lastIndexOf("/") + 1)}`.trimEnd());
    const code = this.refuse(request, key);
    if (code !== undefined) throw new RecorderFailure(storeError(code));
  }

  #uploadOf(uploadId: string) {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined) throw new RecorderFailure(storeError("upload_missing"));
    return upload;
  }

  readonly client: TransferDeps["bucket"] & Pick<B2Client, "get" | "listVersions" | "deleteVersions"> = {
    list: (prefix, { startAfter = "" } = {}) => this.#list(prefix, startAfter),
    head: (key) => {
      this.#meet("head", key);
      const found = this.objects.get(key);
      return Promise.resolve(
        found && { ...found, sizeBytes: found.bytes.length, lastModified: new Date(BEGIN_MS) },
      );
    },
    get: (key, { range, ifMatch } = {}) => {
      this.#meet(range === undefined ? "get" : `get ${range.from}`, key);
      const found = this.objects.get(key);
      if (found === undefined) throw new RecorderFailure(storeError("object_missing"));
      if (ifMatch !== undefined && ifMatch !== found.etag) {
        throw new RecorderFailure(storeError("object_changed"));
      }
      const bytes = range === undefined ? found.bytes : found.bytes.slice(range.from, (range.to ?? 0) + 1);
      return Promise.resolve({
        ...found,
        stream: new Blob([bytes]).stream(),
        sizeBytes: bytes.length,
        totalBytes: found.bytes.length,
        lastModified: new Date(BEGIN_MS),
      });
    },
    putStream: async (key, body, sizeBytes, { contentType }) => {
      this.#meet("put", key);
      const bytes = await read(body, sizeBytes);
      this.set(key, bytes);
      const stored = this.objects.get(key);
      if (stored) stored.contentType = contentType;
      return { etag: md5(bytes), versionId: stored?.versionId ?? "" };
    },
    createMultipartUpload: (key) => {
      this.#meet("begin", key);
      this.#count += 1;
      this.uploads.set(`u${this.#count}`, { key, parts: new Map() });
      return Promise.resolve({ uploadId: `u${this.#count}` });
    },
    uploadPart: async (key, uploadId, partNumber, body, sizeBytes) => {
      this.#meet(`part ${partNumber}`, key);
      const bytes = await read(body, sizeBytes);
      this.#uploadOf(uploadId).parts.set(partNumber, bytes);
      return { etag: md5(bytes) };
    },
    listParts: (key, uploadId) => {
      this.#meet("list parts", key);
      return Promise.resolve(
        [...this.#uploadOf(uploadId).parts].map(([partNumber, bytes]) => ({
          partNumber,
          etag: md5(bytes),
          sizeBytes: bytes.length,
          lastModified: new Date(BEGIN_MS),
        })),
      );
    },
    completeMultipartUpload: (key, uploadId, parts) => {
      this.#meet("complete", key);
      const upload = this.#uploadOf(uploadId);
      const chunks = parts.map(({ partNumber, etag }) => {
        const bytes = upload.parts.get(partNumber);
        if (bytes === undefined || md5(bytes) !== etag) {
          throw new RecorderFailure(storeError("upload_parts_refused"));
        }
        return bytes;
      });
      const hash = createHash("md5");
      for (const chunk of chunks) hash.update(md5(chunk), "hex");
      this.uploads.delete(uploadId);
      this.set(key, joined(chunks), `${hash.digest("hex")}-${chunks.length}`);
      const { etag = "", versionId = "" } = this.objects.get(key) ?? {};
      return Promise.resolve({ etag, versionId, wasLost: false });
    },
    abortMultipartUpload: (key, uploadId) => {
      this.#meet("abort", key);
      this.uploads.delete(uploadId);
      return Promise.resolve();
    },
    listVersions: (prefix) => this.#listVersions(prefix),
    deleteVersions: (versions) => {
      for (const { key } of versions) {
        this.#meet("delete", key);
        this.objects.delete(key);
      }
      return Promise.resolve({ deleted: [...versions], failed: [] });
    },
  };

  async *#list(prefix: string, startAfter: string) {
    this.#meet("list", "");
    const objects = [...this.objects]
      .filter(([key]) => key.startsWith(prefix) && key > startAfter)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, { bytes, etag }]) => ({
        key,
        sizeBytes: bytes.length,
        etag,
        lastModified: new Date(BEGIN_MS),
      }));
    yield { objects, prefixes: [] };
  }

  async *#listVersions(prefix: string) {
    this.#meet("list versions", "");
    const versions = [...this.objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { bytes, versionId }]) => ({
        key,
        versionId,
        isLatest: true,
        isDeleteMarker: false,
        sizeBytes: bytes.length,
        lastModified: new Date(BEGIN_MS),
      }));
    yield { versions };
  }
}

async function read(body: Parameters<B2Client["putStream"]>[1], sizeBytes: number): Promise<Bytes> {
  const opened = typeof body === "function" ? await body() : body;
  const bytes =
    opened instanceof Uint8Array ? opened : new Uint8Array(await new Response(opened).arrayBuffer());
  if (bytes.length !== sizeBytes) throw new RecorderFailure(storeError("upload_source_failed"));
  return bytes;
}

function joined(chunks: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

type Row = OpenTransfer & { outcome?: string; error?: string; etagAgrees?: boolean; isSourceGone?: boolean };

/** The calls about transfers as the database answers them, without its refusals (pgTAP proves those). */
export class TransfersInMemory {
  rows: Row[] = [];
  story: string[] = [];

  plan(objects: PlannedCopy[]): void {
    for (const { source_modified_at: _, ...object } of objects) {
      this.rows.push({
        ...object,
        id: crypto.randomUUID(),
        source_store: "staging",
        state: "created",
        upload_id: null,
        parts: [],
      });
    }
  }

  row(name: string): Row {
    const found = this.rows.findLast((row) => row.destination_key.endsWith(name));
    if (found === undefined) throw new Error(`no transfer of ${name}`);
    return found;
  }

  #find(id: string): Row {
    const found = this.rows.find((row) => row.id === id);
    if (found === undefined) throw new Error("no such transfer");
    return found;
  }

  readonly calls: TransferDeps["database"] = {
    nextTransfers: (_recordingId, limit) =>
      Promise.resolve(
        structuredClone(
          this.rows
            .filter(({ outcome }) => outcome === undefined)
            .sort((a, b) => a.copy_order - b.copy_order || (a.source_key < b.source_key ? -1 : 1))
            .slice(0, limit),
        ),
      ),
    beginUpload: (id, uploadId) => {
      const row = this.#find(id);
      row.upload_id ??= uploadId;
      row.state = "uploading";
      return Promise.resolve(row.upload_id);
    },
    recordParts: (id, uploadId, parts) => {
      const row = this.#find(id);
      if (row.upload_id !== uploadId || row.outcome !== undefined) return Promise.resolve(false);
      const numbers = new Set(parts.map((part) => part.part_number));
      row.parts = [...row.parts.filter((part) => !numbers.has(part.part_number)), ...parts];
      this.story.push(`parts ${parts.map((part) => part.part_number).join()}`);
      return Promise.resolve(true);
    },
    completeTransfers: (_recordingId, completed) => {
      for (const { id } of completed) this.#find(id).state = "verifying";
      return Promise.resolve(completed.length);
    },
    verifyTransfers: (_recordingId, verified) => {
      for (const { id, etag_agrees } of verified) {
        Object.assign(this.#find(id), { outcome: "done", etagAgrees: etag_agrees });
      }
      return Promise.resolve(verified.length);
    },
    restartTransfer: (id, reason, source) => {
      const row = this.#find(id);
      row.outcome = reason;
      if (source !== null) {
        const { source_modified_at: _, ...facts } = source;
        const fresh = { id: crypto.randomUUID(), state: "created", upload_id: null, parts: [] } as const;
        const { outcome: _outcome, ...kept } = row;
        this.rows.push({ ...kept, ...facts, ...fresh, parts: [] });
      }
      return Promise.resolve(true);
    },
    failTransfer: (id, error) => {
      Object.assign(this.#find(id), { outcome: "failed", error: error.code });
      return Promise.resolve(true);
    },
    sourcesToDelete: () =>
      Promise.resolve(this.rows.filter((row) => row.outcome === "done" && row.isSourceGone !== true)),
    noteSourcesDeleted: (ids) => {
      for (const id of ids) this.#find(id).isSourceGone = true;
      return Promise.resolve(ids.length);
    },
  };
}

/** Two stores, the database's transfers and a clock that stands still. */
export function transferWorld() {
  const staging = new StoreInMemory();
  const ours = new StoreInMemory();
  const transfers = new TransfersInMemory();
  const logged: (LogFields & { step: string })[] = [];
  /** What a new invocation is given. */
  const depsForOne = (): TransferDeps => ({
    database: transfers.calls,
    bucket: ours.client,
    source: { name: "staging", store: staging.client },
    invocation: { budget: undefined, turn: Promise.resolve() },
    now: () => BEGIN_MS,
    log: (step, fields = {}) => logged.push({ step, ...fields }),
  });
  return { staging, ours, transfers, logged, depsForOne };
}
