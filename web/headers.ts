/** Where the portal's pages may speak to, and how they may be shown. */
interface PortalPlaces {
  /** Base address of the Supabase project. */
  supabaseUrl: string;
  /** Where recordings are played from: the store's endpoint, or the CDN before it. */
  mediaUrls: readonly string[];
  callTransport?: "agora" | "local" | undefined;
  /** The media server of local calls. */
  callTransportUrl?: string | undefined;
}

/** Agora's firewall page, November 2026: these domains, and other ports than 443 too. */
const agoraDomains = [
  "agora.io",
  "edge.agora.io",
  "sd-rtn.com",
  "edge.sd-rtn.com",
  "ap.sd-rtn.com",
  "rtnsvc.com",
  "edge.rtnsvc.com",
  "rtesvc.com",
  "edge.rtesvc.com",
];

const originOf = (url: string): string => new URL(url).origin;
const socketOf = (url: string): string => originOf(url).replace(/^http/, "ws");

/**
 * The headers that a host has to send with every answer of the portal. The policy is strict: no script, style or worker but our own
 * files; with Agora its SDK's workers, which are made of blobs.
 */
export function portalHeaders(places: PortalPlaces): Record<string, string> {
  const media = places.mediaUrls.map(originOf);
  const withAgora = places.callTransport === "agora";
  const connect = [
    "'self'",
    originOf(places.supabaseUrl),
    socketOf(places.supabaseUrl),
    ...media,
    ...(places.callTransportUrl === undefined
      ? []
      : [new URL(places.callTransportUrl).origin, socketOf(places.callTransportUrl)]),
    ...(withAgora ? agoraDomains.flatMap((domain) => [`https://*.${domain}:*`, `wss://*.${domain}:*`]) : []),
  ];
  const policy: Record<string, readonly string[]> = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:", "blob:", ...media],
    // Where a browser plays HLS by itself (iPhones), the playlist is media too, and comes from the functions.
    "media-src": ["'self'", "blob:", originOf(places.supabaseUrl), ...media],
    "worker-src": ["'self'", ...(withAgora ? ["blob:"] : [])],
    "connect-src": [...new Set(connect)],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
  };
  return {
    "Content-Security-Policy": Object.entries(policy)
      .map(([name, sources]) => [name, ...sources].join(" "))
      .join("; "),
    // Without it the browser answers getUserMedia as if the person had said no.
    "Permissions-Policy": [
      "camera",
      "microphone",
      "display-capture",
      "autoplay",
      "fullscreen",
      "picture-in-picture",
      "speaker-selection",
      "screen-wake-lock",
    ]
      .map((feature) => `${feature}=(self)`)
      .join(", "),
    // An address of a playlist carries a token.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
  };
}

/** How long a browser may keep a file: what carries its hash in its name for ever, everything else asks each time. */
export const cacheControlOf = (path: string): string =>
  path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
