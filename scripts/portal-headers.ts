// `npm run portal:headers -- --supabase URL --media URL [--media URL] [--transport agora|local] [--transport-url URL]`: the headers that a
// host has to send with every answer of the portal, one a line.
import { parseArgs } from "node:util";
import { z } from "zod";
import { portalHeaders } from "../web/headers.ts";

const help = `Prints the headers that a host has to send with every answer of the portal, one a line.

  npm run portal:headers -- --supabase URL --media URL [--media URL] [--transport agora|local] [--transport-url URL]`;

const options = z.object({
  supabase: z.url(),
  media: z.array(z.url()).min(1),
  transport: z.enum(["agora", "local"]).default("agora"),
  "transport-url": z.url().optional(),
});

const { values } = parseArgs({
  options: {
    supabase: { type: "string" },
    media: { type: "string", multiple: true },
    transport: { type: "string" },
    "transport-url": { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
const read = options.safeParse(values);
if (!read.success) {
  const wrong = read.error.issues.map((issue) => `--${issue.path.join(".")}: ${issue.message}`).join("; ");
  console.error(
    `${wrong}. Wanted: --supabase https://<project>.supabase.co --media https://<the store's endpoint or CDN>`,
  );
  process.exit(1);
}
const { supabase, media, transport, "transport-url": callTransportUrl } = read.data;
const headers = portalHeaders({
  supabaseUrl: supabase,
  mediaUrls: media,
  callTransport: transport,
  callTransportUrl,
});
for (const [name, value] of Object.entries(headers)) console.log(`${name}: ${value}`);
