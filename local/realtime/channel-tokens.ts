import { type Log, reasonOf } from "../stack/part.ts";
import type { Claims, TokenReader, TokenRefusal, TokenVerdict } from "./tokens.ts";

/** Timers cannot be longer than some 24 days; a token is looked at again at least this often. */
const longestTimerMs = 60 * 60 * 1000;

/** What the channel does with its token's fate. */
export interface TokenHolder {
  /** A new token is good; what hung on the old claims is to be asked anew. */
  renewed(claims: Claims): Promise<void>;
  /** The channel must end, with this message to the client. */
  endWith(message: string): void;
}

export interface TokenRules {
  reader: TokenReader;
  /** The key that opened the connection: it stands in where a join brings no user's token. */
  key: string;
  throttleMs: number;
  log: Log;
}

/** The access token of one channel: its first reading, its refreshes (throttled), its end. */
export class ChannelToken {
  readonly #rules: TokenRules;
  readonly #holder: TokenHolder;
  #token: string;
  #claims: Claims | undefined;
  #pending: string | undefined;
  #refreshedAt: number | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #pendingTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(rules: TokenRules, given: string | null | undefined, holder: TokenHolder) {
    this.#rules = rules;
    this.#holder = holder;
    // A client without a session sends its key as the access token.
    this.#token = given == null || given.startsWith("sb_") ? rules.key : given;
  }

  /** The claims that count now; only after read() found the token good. */
  get claims(): Claims {
    if (this.#claims === undefined) throw new Error("the channel's token was not read yet");
    return this.#claims;
  }

  /** Reads the token. Nothing watches it before watch(). */
  async read(): Promise<TokenVerdict> {
    const { reader, key } = this.#rules;
    const verdict = this.#token === key ? await reader.readKey(key) : await reader.readToken(this.#token);
    if (verdict.claims !== undefined) this.#claims = verdict.claims;
    return verdict;
  }

  /** Tells the holder when the token has expired; at once when it has already. */
  watch(): void {
    clearTimeout(this.#expiryTimer);
    if (this.#isStopped) return;
    const leftMs = Math.max(0, this.claims.exp * 1000 - Date.now());
    this.#expiryTimer = setTimeout(() => this.#confirm(), Math.min(leftMs, longestTimerMs));
  }

  /** Takes the token of an access_token event: at once, or within the throttle time when that is over. */
  async refresh(token: string): Promise<void> {
    if (token.startsWith("sb_") || token === this.#token || token === this.#pending) return;
    const sinceMs =
      this.#refreshedAt === undefined ? Number.POSITIVE_INFINITY : Date.now() - this.#refreshedAt;
    if (sinceMs >= this.#rules.throttleMs) return this.#apply(token);
    if (this.#pending === undefined) {
      this.#pendingTimer = setTimeout(() => this.#applyPending(), this.#rules.throttleMs - sinceMs);
    }
    this.#pending = token;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#expiryTimer);
    clearTimeout(this.#pendingTimer);
  }

  async #apply(token: string): Promise<void> {
    clearTimeout(this.#pendingTimer);
    this.#pending = undefined;
    this.#refreshedAt = Date.now();
    this.#token = token;
    const verdict = await this.read();
    if (this.#isStopped) return;
    if (verdict.refusal === undefined) {
      this.watch();
      await this.#holder.renewed(verdict.claims);
    } else this.#holder.endWith(saidOnRefresh(verdict.refusal));
  }

  #applyPending(): void {
    if (this.#pending === undefined) return;
    this.#apply(this.#pending).catch((error: unknown) => {
      this.#rules.log("a held back token could not be used", { reason: reasonOf(error) });
      this.#holder.endWith("Unknown Error on Channel");
    });
  }

  #confirm(): void {
    // A token that was held back is looked at now instead of letting the old one expire.
    if (this.#pending !== undefined) this.#applyPending();
    else if (this.claims.exp * 1000 > Date.now()) this.watch();
    else {
      const seconds = Math.floor(Date.now() / 1000) - this.claims.exp;
      this.#holder.endWith(`Token has expired ${seconds} seconds ago`);
    }
  }
}

/** On a refresh the real server words a few refusals differently: it prints its internal name of the error. */
function saidOnRefresh({ code, message }: TokenRefusal): string {
  if (code === "JwtSignatureError") return ":signature_error";
  if (code === "JwtSignerError") return ":error_generating_signer";
  return message;
}
