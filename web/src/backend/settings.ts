import * as z from "zod/mini";

/** Where the backend is. Nothing in here is secret: the publishable key is everybody's. */
export interface PortalSettings {
  /** Base address of the Supabase project. */
  supabaseUrl: string;
  /** The publishable key (`sb_publishable_…`, or a legacy anon key). */
  supabaseKey: string;
  /** What the operator says carries calls; the answer of call-token decides. */
  callTransport?: "agora" | "local" | undefined;
}

const settings = z.object({
  supabaseUrl: z.url(),
  supabaseKey: z.string().check(z.minLength(1)),
  callTransport: z.optional(z.enum(["agora", "local"])),
});

/**
 * Reads `/config.json` of the host, so that one build serves many; where the host has none, the names baked in at build
 * (NEXT_PUBLIC_SUPABASE_URL, NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY). Throws a sentence for an operator where neither is there.
 */
export async function loadSettings(get: typeof fetch = fetch): Promise<PortalSettings> {
  const baked = settings.safeParse({
    supabaseUrl: import.meta.env.NEXT_PUBLIC_SUPABASE_URL,
    supabaseKey:
      import.meta.env.NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY ?? import.meta.env.NEXT_PUBLIC_SUPABASE_ANON_KEY,
    callTransport: import.meta.env.NEXT_PUBLIC_CALL_TRANSPORT,
  });
  const answered = settings.safeParse(await configOfHost(get));
  if (answered.success) return answered.data;
  if (baked.success) return baked.data;
  throw new Error(
    "The portal does not know its backend: serve /config.json with supabaseUrl and supabaseKey, or build it with NEXT_PUBLIC_SUPABASE_URL and NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY.",
  );
}

/** A host without it may answer the page itself: then this is no JSON. */
async function configOfHost(get: typeof fetch): Promise<unknown> {
  try {
    const response = await get("/config.json", { cache: "no-cache" });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}
