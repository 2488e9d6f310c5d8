import type {
  AnyAST,
  ConnectionContextOptions,
  IntrospectResult,
  VarsContext,
  ViewOptionsMetadata,
} from "@supabase/lite";
import { PostgresConnection } from "@supabase/lite/postgres";
import { z } from "zod";
import { answeredTypes } from "./answered-types.ts";
import type { Catalogue } from "./catalogue.ts";
import { type RequestScope, requestScope } from "./request-scope.ts";

type Database = Parameters<Parameters<PostgresConnection["withContext"]>[1]>[0];

const callerSchema = z.object({
  auth: z
    .object({ role: z.string().optional(), jwt: z.record(z.string(), z.unknown()).nullish() })
    .optional(),
});

/** Settings that PostgREST leaves alone because only a session or a superuser may set them. */
const notPerRequest = new Set(["search_path", "role", "session_authorization"]);

/**
 * lite's connection, made to treat the database as PostgREST does on a hosted project:
 *
 * - it signs in as `authenticator`, which owns nothing and may only switch to the API's roles;
 * - it never grants anything. lite, on finding a table with RLS, grants everything on all tables of that schema to the
 *   API's roles, which would void every column grant and every missing grant (`ensureRlsContext`);
 * - each transaction gets what PostgREST sets: role, claims as one JSON text, method, path, headers, search_path,
 *   the role's own settings such as statement_timeout, and READ ONLY for GET and HEAD;
 * - timestamps come in ISO form.
 */
export class RestConnection extends PostgresConnection {
  readonly #catalogue: Catalogue;

  constructor(authenticatorUrl: string, catalogue: Catalogue) {
    super({
      url: authenticatorUrl,
      postgresOptions: {
        max: 10,
        backoff: () => 0.1,
        connect_timeout: 5,
        onnotice: () => undefined,
        types: answeredTypes,
      },
    });
    this.#catalogue = catalogue;
    this.#replacePrivate("ensureRlsContext", async () => true);
    this.#replacePrivate("applyJwtSessionContext", (transaction: Database, vars: VarsContext) =>
      this.#applyContext(transaction, vars),
    );
    // It would set for an rpc what the context above holds already, one statement each.
    this.#replacePrivate("applyRpcRequestGucs", async () => undefined);
  }

  override introspect(): Promise<IntrospectResult> {
    return noting(() => this.#catalogue.tables());
  }

  override onPostgrestAST(request: AnyAST): Promise<AnyAST> {
    return noting(() => super.onPostgrestAST(request));
  }

  override viewOptionsMetadata(view: string, schema: string): Promise<ViewOptionsMetadata> {
    return this.#catalogue.viewOptions(view, schema);
  }

  override withContext<T>(
    vars: VarsContext | undefined,
    work: (database: Database) => Promise<T>,
    options?: ConnectionContextOptions,
  ): Promise<T> {
    return noting(() => super.withContext(vars, work, options));
  }

  async #applyContext(transaction: Database, vars: VarsContext): Promise<void> {
    const scope = requestScope.getStore();
    const { auth } = callerSchema.parse(vars);
    const role = auth?.role || "anon";
    if (scope) scope.role = role;
    const settings: [string, string][] = [
      ["search_path", `"${(scope?.schema ?? "public").replaceAll('"', '""')}", public, extensions`],
      ["request.jwt.claims", JSON.stringify({ ...auth?.jwt, role })],
      ["request.method", scope?.method ?? ""],
      ["request.path", scope?.path ?? ""],
      ["request.headers", JSON.stringify(scope?.headers ?? {})],
      ["request.cookies", "{}"],
      ["response.status", ""],
      ["response.headers", ""],
    ];
    for (const [name, value] of (await this.#catalogue.roleSettings()).get(role) ?? []) {
      if (!notPerRequest.has(name)) settings.push([name, value]);
    }
    if (scope && (await this.#onlyReads(scope))) settings.push(["transaction_read_only", "on"]);
    // Last, since the other settings are authenticator's to make.
    settings.push(["role", role]);
    await transaction
      .selectNoFrom(({ fn, val }) =>
        settings.map(([name, value], at) =>
          fn("set_config", [val(name), val(value), val(true)]).as(`set${at}`),
        ),
      )
      .execute();
  }

  /** GET and HEAD, and calls of a function that says of itself that it changes nothing. */
  async #onlyReads({ method, path, schema }: RequestScope): Promise<boolean> {
    if (method === "GET" || method === "HEAD") return true;
    const name = /^\/rpc\/([^/]+)$/.exec(path)?.[1];
    if (name === undefined) return false;
    const { functions = [] } = await this.#catalogue.tables();
    const called = functions.filter(
      (known) => known.schema === schema && known.name === decodeURIComponent(name),
    );
    return called.length > 0 && called.every(({ volatility }) => volatility !== "v");
  }

  /** Fails loudly where a new version of lite no longer has the method, since its grants might come another way then. */
  #replacePrivate(name: string, replacement: (...args: never[]) => Promise<unknown>): void {
    if (!(name in this)) throw new Error(`@supabase/lite has changed: its connection has no ${name}`);
    Object.defineProperty(this, name, { value: replacement });
  }
}

/** Keeps what the database answered for the gateway, since lite's own answer does not tell all of it. */
async function noting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const scope = requestScope.getStore();
    if (scope) scope.error = error;
    throw error;
  }
}
