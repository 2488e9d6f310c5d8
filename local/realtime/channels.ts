import type { Sql } from "postgres";
import { type Log, reasonOf } from "../stack/part.ts";
import type { BroadcastReceiver, Topics } from "./broadcasts.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { ChangeSubscriber } from "./change-subscriber.ts";
import type { ChangeData, ChangeListener } from "./changes.ts";
import { ChannelPresence } from "./channel-presence.ts";
import { ChannelToken, type TokenHolder } from "./channel-tokens.ts";
import type { BroadcastPush, Vsn } from "./frames.ts";
import { type Join, JoinRefused, numberBindings } from "./joins.ts";
import type { PresenceRate } from "./presence-limits.ts";
import type { PresenceReceiver, Presences } from "./presences.ts";
import type { Replication } from "./replication.ts";
import { TopicRights } from "./rights.ts";
import type { RealtimeSettings } from "./settings.ts";
import { SubscriptionRefused } from "./subscriptions.ts";
import type { Claims, TokenReader } from "./tokens.ts";

/** What all channels of the server share. */
export interface RealtimeContext {
  settings: RealtimeSettings;
  sql: Sql;
  tokens: TokenReader;
  topics: Topics;
  presences: Presences;
  presenceRate: PresenceRate;
  feed: ChangeFeed;
  replication: Replication;
  log: Log;
}

/** The socket that a channel lives on. */
export interface ChannelSocket {
  vsn: Vsn;
  /** The key that opened the connection; joins without a user's token go by it. */
  key: string;
  headers: Record<string, string>;
  push(topic: string, joinRef: string | null, event: string, payload: object): void;
  sendFrame(frame: string | Buffer): void;
  /** The channel has ended by itself; the socket tells the client. */
  ended(channel: Channel): void;
}

/** What a push is answered with; undefined is no answer. */
export type Reply = { status: "ok" | "error"; response: object } | undefined;

/** The server's cap on postgres_changes_options.timeout. */
const longestWaitMs = 20_000;

/** One joined topic of one socket. */
export class Channel implements BroadcastReceiver, PresenceReceiver, ChangeListener, TokenHolder {
  readonly topic: string;
  readonly joinRef: string | null;
  readonly vsn: Vsn;
  readonly #context: RealtimeContext;
  readonly #socket: ChannelSocket;
  readonly #join: Join;
  readonly #name: string;
  readonly #changes: ChangeSubscriber;
  readonly #rights: TopicRights;
  readonly #token: ChannelToken;
  readonly #presence: ChannelPresence;
  #isOpen = false;

  /** `topic` is the topic on the wire, `realtime:NAME`. The channel does nothing before open(). */
  constructor(
    context: RealtimeContext,
    socket: ChannelSocket,
    topic: string,
    joinRef: string | null,
    join: Join,
  ) {
    this.#context = context;
    this.#socket = socket;
    this.topic = topic;
    this.joinRef = joinRef;
    this.vsn = socket.vsn;
    this.#join = join;
    this.#name = topic.slice("realtime:".length);
    const { settings, tokens: reader, log } = context;
    const rules = { reader, key: socket.key, throttleMs: settings.accessTokenThrottleMs, log };
    this.#token = new ChannelToken(rules, join.user_token ?? join.access_token, this);
    this.#rights = new TopicRights(context.sql, context.log, this.#name, socket.headers, join);
    this.#presence = new ChannelPresence(context, this.#name, join, this.#rights, this);
    const bindings = numberBindings(join);
    this.#changes = new ChangeSubscriber(context.sql, context.feed, context.replication, bindings, this);
  }

  /** Checks the join and opens the channel; gives the response of the reply. Throws JoinRefused with the reason. */
  async open(): Promise<object> {
    const { config } = this.#join;
    if (this.#name === "") throw new JoinRefused("TopicNameRequired: You must provide a topic name");
    try {
      const { refusal } = await this.#token.read();
      if (refusal !== undefined) throw new JoinRefused(`${refusal.code}: ${refusal.message}`);
      await this.#rights.ask(this.#token.claims);
      if (config.broadcast.replay !== undefined) {
        throw new JoinRefused(
          config.private
            ? "UnableToReplayMessages: Realtime was unable to replay messages"
            : "UnableToReplayMessages: Replay is not allowed for public channels",
        );
      }
      this.#isOpen = true;
      this.#token.watch();
      this.#context.topics.join(this.#name, config.private, this);
      this.#context.presences.join(this.#name, config.private, this);
      if (config.postgres_changes_options.wait && !this.#changes.isEmpty) await this.#subscribeBeforeReply();
      if (!this.#isOpen) throw new JoinRefused("InvalidJWTToken: Token has expired 0 seconds ago");
    } catch (error) {
      this.close();
      throw error;
    }
    return {
      postgres_changes: numberBindings(this.#join).map(({ id, parameters }) => ({ ...parameters, id })),
    };
  }

  /** To be called once the join's reply is on its way. */
  opened(): void {
    const { config } = this.#join;
    if (this.hearsPresence()) this.#pushPresence();
    if (config.broadcast.replication_ready) {
      void this.#context.replication
        .live()
        .then(() => this.#system("system", "ok", "Replication connection established"));
    }
    if (this.#changes.isEmpty) return;
    if (config.postgres_changes_options.wait)
      this.#system("postgres_changes", "ok", "Subscribed to PostgreSQL");
    else void this.#subscribeToChanges();
  }

  /** The replication stream was lost and is live again: the client is told, so that it can fetch what it missed. */
  replicationIsBack(): void {
    if (this.#isOpen && !this.#changes.isEmpty) void this.#subscribeToChanges();
  }

  /** Leaves the topic and forgets the subscriptions. Tells nobody. */
  close(): void {
    this.#isOpen = false;
    this.#token.stop();
    this.#context.topics.leave(this.#name, this.#join.config.private, this);
    this.#context.presences.leave(this.#name, this.#join.config.private, this);
    this.#changes.stop();
  }

  isDeaf(): boolean {
    return !this.#rights.reads.broadcast;
  }

  hearsPresence(): boolean {
    return this.#presence.isEnabled && this.#rights.reads.presence;
  }

  sendFrame(frame: string | Buffer): void {
    this.#socket.sendFrame(frame);
  }

  changed(ids: number[], data: ChangeData): void {
    if (this.#isOpen) this.#push("postgres_changes", { ids, data });
  }

  /** Handles a text push of the client; gives the reply, if there is to be one. */
  async handle(event: string, payload: unknown): Promise<Reply> {
    const body = typeof payload === "object" && payload !== null ? payload : {};
    if (event === "broadcast") {
      const bytes = Buffer.byteLength(JSON.stringify(body));
      return this.#broadcast(bytes, () =>
        this.#context.topics.broadcast(
          this.#name,
          this.#join.config.private,
          { kind: "message", payload: body },
          this.#sender,
        ),
      );
    }
    if (event === "access_token") {
      const token = "access_token" in body ? body.access_token : undefined;
      if (typeof token === "string") await this.#token.refresh(token);
      return undefined;
    }
    if (event === "presence") {
      const { reply, end, isNewcomer } = await this.#presence.handle(body, this.#token.claims);
      if (end !== undefined) this.endWith(end);
      // Who was not told at the join who is there is told now; from here on it hears what changes.
      else if (isNewcomer && this.hearsPresence()) this.#pushPresence();
      return reply;
    }
    this.#context.log("unexpected message from a client", { event, topic: this.topic });
    return undefined;
  }

  /** Handles a broadcast that came as a binary frame. */
  async handleBinary(content: BroadcastPush): Promise<Reply> {
    if (content.metadata.persist !== undefined) {
      return {
        status: "error",
        response: { error: "Storing a broadcast is not served by this local Realtime" },
      };
    }
    return this.#broadcast(content.bytes.length, () =>
      this.#context.topics.broadcast(
        this.#name,
        this.#join.config.private,
        { kind: "bytes", content },
        this.#sender,
      ),
    );
  }

  #pushPresence(): void {
    if (!this.#context.presenceRate.take(performance.now())) {
      this.endWith("Too many presence messages per second");
      return;
    }
    this.#push("presence_state", this.#context.presences.stateOf(this.#name, this.#join.config.private));
  }

  get #sender(): BroadcastReceiver | undefined {
    return this.#join.config.broadcast.self ? undefined : this;
  }

  async #broadcast(bytes: number, send: () => void): Promise<Reply> {
    const { config } = this.#join;
    // A refused write is silent: not even a push that asks for an acknowledgement gets one.
    if (!(await this.#rights.mayWrite(this.#token.claims, "broadcast"))) return undefined;
    if (bytes > this.#context.settings.maxBroadcastBytes) {
      return config.broadcast.ack
        ? { status: "error", response: { reason: "payload_size_exceeded" } }
        : undefined;
    }
    send();
    return config.broadcast.ack ? { status: "ok", response: {} } : undefined;
  }

  async #subscribeBeforeReply(): Promise<void> {
    const timeoutMs = Math.min(this.#join.config.postgres_changes_options.timeout, longestWaitMs);
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const text = `Timed out after ${timeoutMs}ms waiting for the postgres_changes subscription`;
        reject(new JoinRefused(`PostgresChangesSubscribeTimeout: ${text}`));
      }, timeoutMs);
    });
    try {
      await Promise.race([this.#changes.subscribe(this.#token.claims, this.#logRetry), timedOut]);
    } catch (error) {
      if (!(error instanceof SubscriptionRefused)) throw error;
      throw new JoinRefused(`RealtimeDisabledForConfiguration: ${error.message}`);
    } finally {
      clearTimeout(timer);
    }
  }

  async #subscribeToChanges(): Promise<void> {
    try {
      const exists = await this.#changes.subscribe(this.#token.claims, this.#logRetry);
      if (exists) this.#system("postgres_changes", "ok", "Subscribed to PostgreSQL");
    } catch (error) {
      // Parameters that cannot work do not close the channel, and are not tried again.
      this.#system("postgres_changes", "error", reasonOf(error));
    }
  }

  readonly #logRetry = (reason: string): void => {
    this.#context.log("subscription to changes has to wait for the database", { topic: this.topic, reason });
  };

  async renewed(claims: Claims): Promise<void> {
    const before = this.#rights.reads;
    try {
      await this.#rights.ask(claims);
    } catch (error) {
      if (!(error instanceof JoinRefused)) throw error;
      // The same sentence as at a join, without its code.
      return this.endWith(error.message.replace(/^\w+: /, ""));
    }
    const { reads } = this.#rights;
    if ((before.broadcast && !reads.broadcast) || (before.presence && !reads.presence)) {
      return this.endWith(`You no longer have permission to read from this Channel topic: ${this.#name}`);
    }
    if (this.#isOpen && !this.#changes.isEmpty) void this.#subscribeToChanges();
  }

  endWith(message: string): void {
    if (!this.#isOpen) return;
    this.#system("system", "error", message);
    this.close();
    this.#socket.ended(this);
  }

  #system(extension: string, status: "ok" | "error", message: string): void {
    if (this.#isOpen) this.#push("system", { extension, status, message, channel: this.#name });
  }

  #push(event: string, payload: object): void {
    this.#socket.push(this.topic, this.joinRef, event, payload);
  }
}
