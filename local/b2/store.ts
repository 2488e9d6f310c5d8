import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../stack/part.ts";
import { reasonOf } from "../stack/part.ts";
import type { Blobs } from "./blobs.ts";
import { openBlobs } from "./blobs.ts";
import type { Journal } from "./journal.ts";
import { readJournal, replaceJournal } from "./journal.ts";
import type { LifecycleRule } from "./lifecycle-rule.ts";
import type { Upload } from "./multipart.ts";
import { ObjectIndex } from "./object-index.ts";
import type { Piece, StoreRecord, Version } from "./records.ts";
import type { CorsRule } from "./settings.ts";

/**
 * Everything the service remembers: facts in a journal, their meaning in memory, bytes in blobs. A fact is written
 * first and believed after; bytes nobody refers to any more are deleted last. So the process may die at any moment.
 */
export class Store {
  readonly blobs: Blobs;
  readonly #log: Log;
  readonly #indexes = new Map<string, ObjectIndex>();
  readonly #uploads = new Map<string, Upload>();
  readonly #cors = new Map<string, CorsRule[]>();
  readonly #lifecycle = new Map<string, LifecycleRule[]>();
  #journal: Journal | undefined;

  private constructor(blobs: Blobs, log: Log) {
    this.blobs = blobs;
    this.#log = log;
  }

  /** Opens the store below an absolute folder, which is created when missing. */
  static async open(dataDir: string, log: Log): Promise<Store> {
    await mkdir(dataDir, { recursive: true });
    const path = join(dataDir, "journal.ndjson");
    const store = new Store(await openBlobs(dataDir), log);
    for await (const record of readJournal(path)) store.#apply(record);
    const swept = await store.blobs.sweep(store.#referencedBlobs());
    if (swept > 0) log("removed bytes of unfinished requests", { blobs: swept });
    store.#journal = replaceJournal(path, store.#facts());
    return store;
  }

  close(): void {
    this.#journal?.close();
    this.#journal = undefined;
  }

  /** Makes a fact true and deletes the bytes it leaves without a use. */
  record(fact: StoreRecord): void {
    if (this.#journal === undefined) throw new Error("the store is closed");
    this.#journal.append(fact);
    this.discard(this.#apply(fact));
  }

  /** Deletes bytes in the background; what cannot be deleted now is swept at the next start. */
  discard(pieces: readonly Piece[]): void {
    this.blobs.remove(pieces).catch((error: unknown) => {
      this.#log("bytes could not be deleted", { reason: reasonOf(error) });
    });
  }

  index(bucket: string): ObjectIndex {
    const existing = this.#indexes.get(bucket);
    if (existing !== undefined) return existing;
    const created = new ObjectIndex();
    this.#indexes.set(bucket, created);
    return created;
  }

  upload(bucket: string, key: string, uploadId: string): Upload | undefined {
    const upload = this.#uploads.get(uploadId);
    return upload?.bucket === bucket && upload.key === key ? upload : undefined;
  }

  uploadsOf(bucket: string): Upload[] {
    return [...this.#uploads.values()].filter((upload) => upload.bucket === bucket);
  }

  /** Rules set by PutBucketCors; undefined when that was never called. */
  cors(bucket: string): readonly CorsRule[] | undefined {
    return this.#cors.get(bucket);
  }

  /** Whether somebody has ever set or deleted its lifecycle rules. */
  knowsLifecycle(bucket: string): boolean {
    return this.#lifecycle.has(bucket);
  }

  lifecycle(bucket: string): readonly LifecycleRule[] {
    return this.#lifecycle.get(bucket) ?? [];
  }

  /** Takes a fact into memory and returns the pieces that lost their last use. */
  #apply(fact: StoreRecord): Piece[] {
    switch (fact.type) {
      case "version-added": {
        this.index(fact.bucket).add(fact.version);
        const upload = this.#uploads.get(fact.completes ?? "");
        if (upload === undefined || fact.version.marker) return [];
        this.#uploads.delete(upload.uploadId);
        const used = new Set(fact.version.pieces.map(({ blob }) => blob));
        return [...upload.parts.values()].filter(({ blob }) => !used.has(blob));
      }
      case "version-removed": {
        const removed = this.index(fact.bucket).remove(fact.key, fact.versionId);
        return removed === undefined || removed.marker ? [] : removed.pieces;
      }
      case "upload-started":
        this.#uploads.set(fact.uploadId, { ...fact, parts: new Map() });
        return [];
      case "part-stored": {
        const parts = this.#uploads.get(fact.uploadId)?.parts;
        const replaced = parts?.get(fact.part.number);
        parts?.set(fact.part.number, fact.part);
        return replaced === undefined ? [] : [replaced];
      }
      case "upload-aborted": {
        const upload = this.#uploads.get(fact.uploadId);
        this.#uploads.delete(fact.uploadId);
        return [...(upload?.parts.values() ?? [])];
      }
      case "cors-set":
        this.#cors.set(fact.bucket, fact.rules);
        return [];
      case "lifecycle-set":
        this.#lifecycle.set(fact.bucket, fact.rules);
        return [];
    }
  }

  /** The fewest facts that mean what the store means now. */
  *#facts(): Generator<StoreRecord> {
    for (const [bucket, index] of this.#indexes) {
      for (const version of index.all()) yield { type: "version-added", bucket, version };
    }
    for (const { parts, ...upload } of this.#uploads.values()) {
      const { bucket, key, uploadId, startedMs, headers } = upload;
      yield { type: "upload-started", bucket, key, uploadId, startedMs, headers };
      for (const part of parts.values()) yield { type: "part-stored", uploadId, part };
    }
    for (const [bucket, rules] of this.#cors) yield { type: "cors-set", bucket, rules };
    for (const [bucket, rules] of this.#lifecycle) yield { type: "lifecycle-set", bucket, rules };
  }

  #referencedBlobs(): Set<string> {
    const blobs = new Set<string>();
    for (const fact of this.#facts()) {
      if (fact.type === "part-stored") blobs.add(fact.part.blob);
      if (fact.type === "version-added") for (const { blob } of piecesOf(fact.version)) blobs.add(blob);
    }
    return blobs;
  }
}

function piecesOf(version: Version): readonly Piece[] {
  return version.marker ? [] : version.pieces;
}
