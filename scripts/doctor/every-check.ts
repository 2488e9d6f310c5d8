import { agoraChecks } from "./agora.ts";
import type { Check } from "./check.ts";
import { databaseChecks } from "./database.ts";
import { environmentChecks } from "./environment.ts";
import { storageChecks } from "./storage.ts";
import { supabaseChecks } from "./supabase.ts";

/** All checks, in the order in which they are told: what others need comes first. */
export const everyCheck: readonly Check[] = [
  ...environmentChecks,
  ...agoraChecks,
  ...storageChecks,
  ...supabaseChecks,
  ...databaseChecks,
];
