import { unreadable } from "./object-headers.ts";
import { readText, type StoreTransport } from "./transport.ts";
import { type ListedObject, parseObjectsXml } from "./xml.ts";

export interface ListOptions {
  /** Groups keys up to this text after the prefix, usually "/". */
  delimiter?: string;
  startAfter?: string;
  /** A page's `next`, to go on where an earlier invocation ended. */
  continuationToken?: string;
  /** At most 1000. */
  maxKeys?: number;
  signal?: AbortSignal;
}

export interface ObjectsPage {
  objects: ListedObject[];
  prefixes: string[];
  /** Absent on the last page. */
  next?: string;
}

export interface ListingOperations {
  /** The newest versions under a prefix, page by page. */
  list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectsPage, void, undefined>;
}

/** A page of a thousand long keys stays well below this. */
const LONGEST_LIST_BYTES = 8 * 1024 * 1024;

/** Lists objects; each page is a thousand rows and costs ten times what a get does. */
export function listingOperations(store: StoreTransport): ListingOperations {
  return {
    async *list(prefix, { delimiter, startAfter, continuationToken, maxKeys, signal } = {}) {
      let next = continuationToken;
      do {
        const query = {
          "list-type": "2",
          prefix,
          delimiter,
          "start-after": startAfter,
          "continuation-token": next,
          "max-keys": maxKeys?.toString(),
        };
        const page = await store.send({ method: "GET", query, expect: [200], signal }, (response) =>
          documentOf(response, parseObjectsXml),
        );
        next = page.next;
        yield {
          objects: page.objects,
          prefixes: page.prefixes,
          ...(page.next === undefined ? {} : { next: page.next }),
        };
      } while (next !== undefined);
    },
  };
}

/** An answer that has to be one kind of document. Throws RecorderFailure `store_answer_unreadable`. */
export async function documentOf<T>(response: Response, parse: (text: string) => T | undefined): Promise<T> {
  const { text, isWhole } = await readText(response, LONGEST_LIST_BYTES);
  const document = isWhole ? parse(text) : undefined;
  if (document === undefined) throw unreadable("another document than the one asked for");
  return document;
}
