import type { IntrospectResult, ViewOptionsMetadata } from "@supabase/lite";
import { PostgresConnection } from "@supabase/lite/postgres";

/** Settings that a role carries (`alter role … set …`), by role. */
export type RoleSettings = ReadonlyMap<string, ReadonlyArray<readonly [name: string, value: string]>>;

/** The database could not be asked for its tables, so nothing can be said about a request. */
export class CatalogueUnavailable extends Error {}

interface Snapshot {
  tables: IntrospectResult;
  roleSettings: RoleSettings;
}

/**
 * PostgREST's schema cache: what tables, functions and role settings there are. Read as superuser, since lite looks
 * into information_schema, which hides from `authenticator` what PostgREST sees in pg_catalog. Kept until the database says
 * (NOTIFY pgrst) that something changed.
 */
export class Catalogue {
  readonly #connection: PostgresConnection;
  #snapshot: Promise<Snapshot> | undefined;
  #listening: { unlisten(): Promise<void> } | undefined;

  constructor(adminUrl: string) {
    this.#connection = new PostgresConnection({
      url: adminUrl,
      postgresOptions: { max: 2, backoff: () => 0.1, connect_timeout: 5, onnotice: () => undefined },
    });
  }

  /** Begins to listen for changes; again by itself after a lost connection, which counts as a change. */
  async listen(): Promise<void> {
    const forget = () => {
      this.#snapshot = undefined;
    };
    this.#listening = await this.#connection.driver.listen("pgrst", forget, forget);
  }

  async tables(): Promise<IntrospectResult> {
    return (await this.#read()).tables;
  }

  async roleSettings(): Promise<RoleSettings> {
    return (await this.#read()).roleSettings;
  }

  viewOptions(view: string, schema: string): Promise<ViewOptionsMetadata> {
    return this.#connection.viewOptionsMetadata(view, schema);
  }

  async close(): Promise<void> {
    // A database that is gone no longer sends anything.
    await this.#listening?.unlisten().catch(() => undefined);
    await this.#connection.driver.end({ timeout: 1 });
  }

  #read(): Promise<Snapshot> {
    const snapshot = this.#snapshot ?? this.#take();
    this.#snapshot = snapshot;
    snapshot.catch(() => {
      if (this.#snapshot === snapshot) this.#snapshot = undefined;
    });
    return snapshot;
  }

  async #take(): Promise<Snapshot> {
    try {
      const rows = await this.#connection.driver<{ role: string; settings: string[] }[]>`
        select r.rolname as role, s.setconfig as settings
        from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
        where s.setdatabase = 0`;
      const roleSettings = new Map(rows.map(({ role, settings }) => [role, settings.map(nameAndValue)]));
      const tables = await this.#connection.introspect({ useCache: false });
      // A reading that failed comes back as an empty database, told apart only by what it leaves out.
      if (tables.functions === undefined) throw new Error("the database could not be read");
      return { tables, roleSettings };
    } catch (cause) {
      throw new CatalogueUnavailable("the database could not be read", { cause });
    }
  }
}

function nameAndValue(setting: string): readonly [string, string] {
  const at = setting.indexOf("=");
  return [setting.slice(0, at), setting.slice(at + 1)];
}
