/**
 * How libcurl says what went wrong: pg_net writes these texts into `net._http_response.error_msg`, and people grep
 * for them. Source: curl_easy_strerror and pg_net's own sentence for timeouts.
 */
export const CURL = {
  badUrl: "URL using bad/illegal format or missing URL",
  badArgument: "A libcurl function was given a bad argument",
  unsupportedProtocol: "Unsupported protocol",
  unresolved: "Couldn't resolve host name",
  unconnected: "Couldn't connect to server",
  weirdReply: "Weird server reply",
  partialFile: "Transferred a partial file",
  tlsConnect: "SSL connect error",
  tlsPeer: "SSL peer certificate or SSH remote key was not OK",
  tooManyRedirects: "Number of redirects hit maximum amount",
  gotNothing: "Server returned nothing (no headers, no data)",
  sendFailed: "Failed sending data to the peer",
  receiveFailed: "Failure when receiving data from the peer",
} as const;

const BY_CODE: Record<string, string> = {
  ENOTFOUND: CURL.unresolved,
  EAI_AGAIN: CURL.unresolved,
  ECONNREFUSED: CURL.unconnected,
  EHOSTUNREACH: CURL.unconnected,
  ENETUNREACH: CURL.unconnected,
  EADDRNOTAVAIL: CURL.unconnected,
  ETIMEDOUT: CURL.unconnected,
  EPIPE: CURL.sendFailed,
  ECONNRESET: CURL.receiveFailed,
  EPROTO: CURL.tlsConnect,
  ERR_INVALID_URL: CURL.badUrl,
  ERR_INVALID_CHAR: CURL.badArgument,
  ERR_INVALID_HTTP_TOKEN: CURL.badArgument,
  ERR_UNESCAPED_CHARACTERS: CURL.badUrl,
  // What is no HTTP/1 status line is HTTP/0.9 to curl, which it does not take.
  HPE_INVALID_CONSTANT: CURL.unsupportedProtocol,
};

/** Node's error of an exchange in curl's words; the error's own text where curl has none for it. */
export function curlWordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (error.message === "socket hang up") return CURL.gotNothing;
  if (error.message === "aborted") return CURL.partialFile;
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith("HPE_")) return CURL.weirdReply;
  if (code.startsWith("ERR_TLS_") || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) return CURL.tlsPeer;
  if (code.startsWith("ERR_SSL_")) return CURL.tlsConnect;
  return error.message;
}

/** When each step of an exchange was over, in ms since its start; undefined = never reached. */
export interface ExchangeTimes {
  resolved?: number | undefined;
  connected?: number | undefined;
  secured?: number | undefined;
  /** The HTTP part began. */
  sending?: number | undefined;
}

/**
 * pg_net's sentence for a request that ran into its limit: the time is put down to the step in which it ran out.
 *
 * @param limitMs the request's own limit
 * @param totalMs how long it really took
 */
export function timeoutMessage(limitMs: number, totalMs: number, times: ExchangeTimes): string {
  const { resolved, connected, secured, sending } = times;
  let dns = totalMs;
  let handshake = 0;
  let http = 0;
  if (sending !== undefined) {
    dns = resolved ?? 0;
    handshake = (secured ?? connected ?? dns) - dns;
    http = totalMs - sending;
  } else if (resolved !== undefined) {
    dns = resolved;
    handshake = totalMs - dns;
  }
  const ms = (value: number) => `${value.toFixed(6)} ms`;
  const steps = `DNS time: ${ms(dns)}, TCP/SSL handshake time: ${ms(handshake)}, HTTP Request/Response time: ${ms(http)}`;
  return `Timeout of ${limitMs} ms reached. Total time: ${ms(totalMs)} (${steps})`;
}
