import { create as contentDispositionOf } from "content-disposition";
import type { Presigner } from "../b2/presign.ts";
import type { MediaAddresses } from "./media-addresses.ts";

/**
 * Presigned URLs of the store. Signed for a rounded time, so that a browser finds what it has kept: the store itself says
 * nothing about caching, so the address does. A browser keeps a file no longer than its address lives.
 */
export function storeAddresses(presigner: Presigner): MediaAddresses {
  return {
    prepare: ({ signedAt, expiresInSeconds }, { method, contentType, downloadName }) =>
      presigner.presigning(method, {
        signedAt,
        expiresInSeconds,
        responseContentType: contentType,
        responseCacheControl: `private, max-age=${expiresInSeconds}, immutable`,
        ...(downloadName === undefined
          ? {}
          : { responseContentDisposition: contentDispositionOf(downloadName) }),
      }),
  };
}
