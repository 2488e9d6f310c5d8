/**
 * Stands in the build for supabase-js' client of Supabase Storage, which this portal has no use for: recordings come from signed
 * addresses. It would be the 9th part of what is loaded first. Named as supabase-js names it.
 */
export class StorageClient {
  from(): never {
    throw new Error("the portal is built without Supabase Storage");
  }
}

export class StorageApiError extends Error {}
