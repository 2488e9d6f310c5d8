import type { Case } from "./case.ts";
import { ACCESS_CASES } from "./cases/access.ts";
import { BUCKET_CASES } from "./cases/bucket-settings.ts";
import { OBJECT_CASES } from "./cases/objects.ts";
import { UPLOAD_CASES } from "./cases/uploads.ts";
import { VERSION_CASES } from "./cases/versions.ts";

/** What we rely on in a store, in sentences that can be tried. */
export const CASES: readonly Case[] = [
  ...OBJECT_CASES,
  ...UPLOAD_CASES,
  ...VERSION_CASES,
  ...ACCESS_CASES,
  ...BUCKET_CASES,
];
