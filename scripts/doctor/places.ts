import { placeOf as placeOfFunctionSetting } from "../../supabase/functions/_shared/config.ts";

/** Where the settings are found that only this machine needs, or that functions get from the platform. */
const places: Record<string, string> = {
  SUPABASE_URL: "Supabase dashboard, Project Settings, Data API, Project URL",
  SUPABASE_PUBLISHABLE_KEY: "Supabase dashboard, Project Settings, API Keys, Publishable key",
  SUPABASE_SECRET_KEY: "Supabase dashboard, Project Settings, API Keys, Secret keys",
  SUPABASE_DB_URL: "Supabase dashboard, Connect, Session pooler, with the database's password in it",
  PORTAL_URL: "the address under which people open the portal, without a path",
  WAKE_UP_SECRET:
    "yours, whsec_ and 32 random bytes in base64; npm run doctor -- --fix makes one where its line is missing",
  PLAYBACK_TOKEN_SECRET:
    "yours, at least 32 random characters; npm run doctor -- --fix makes one where its line is missing",
  PLAYBACK_BASE_URL:
    "SUPABASE_URL and /functions/v1/play-recording; npm run doctor -- --fix sets it where its line is missing",
  CALL_TRANSPORT:
    "agora, or local for a media server of your own; npm run doctor -- --fix sets agora where its line is missing",
  BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID:
    "Backblaze, Application Keys: a key with readBuckets and writeBuckets, for this machine only",
  BACKBLAZE_B2_ADMIN_SECRET_ACCESS_KEY:
    "Backblaze, Application Keys: a key with readBuckets and writeBuckets, for this machine only",
};

/** Where the value of a variable is found, or what it is. Nothing secret. */
export const placeOf = (name: string): string => places[name] ?? placeOfFunctionSetting(name);

/** A sentence on how to set a variable. */
export const setting = (name: string): string => `Set ${name} in .env (${placeOf(name)}).`;
