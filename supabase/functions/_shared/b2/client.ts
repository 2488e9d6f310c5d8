import { type ListingOperations, listingOperations } from "./listings.ts";
import { type MultipartOperations, multipartOperations } from "./multipart.ts";
import { type ObjectOperations, objectOperations } from "./objects.ts";
import { B2_RETRY_POLICY, type RetryPolicy } from "./retry-policy.ts";
import { parseStoreSettings, type StoreSettings } from "./settings.ts";
import { type B2Deps, createStoreTransport } from "./transport.ts";
import { type VersionOperations, versionOperations } from "./versions.ts";

/**
 * One bucket of B2, over its S3 API. All calls throw RecorderFailure with a code of STORE_ERRORS. Writing and deleting
 * are free, get and head cost little; each page of a list is a thousand rows and ten times the price of a get, so state
 * belongs into the database.
 */
export type B2Client = ObjectOperations & ListingOperations & VersionOperations & MultipartOperations;

/**
 * A client for one bucket and key. Give `sendStream` (createStreamSender) where streams are sent, or they are taken
 * into memory. Throws RecorderFailure `store_settings_invalid`, naming the members but no value.
 */
export function createB2Client(
  settings: StoreSettings,
  deps: B2Deps,
  policy: RetryPolicy = B2_RETRY_POLICY,
): B2Client {
  const checked = parseStoreSettings(settings);
  const store = createStoreTransport(checked, deps, policy);
  const objects = objectOperations(store, checked.bucket);
  return {
    ...objects,
    ...listingOperations(store),
    ...versionOperations(store, deps.now),
    ...multipartOperations(store, objects.head),
  };
}
