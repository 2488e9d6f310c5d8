/** The steps of a deploy, as data: what is run, with which variables, and what each step depends on. */

/** Settings that functions read. Everything else in a file of settings stays on this machine. */
const OF_FUNCTIONS =
  /^(?:AGORA_(?:APP_ID|APP_CERTIFICATE|CUSTOMER_ID|CUSTOMER_SECRET|WEBHOOK_SECRET|API_URLS)|NEXT_PUBLIC_AGORA_APP_ID|BACKBLAZE_B2_(?!ADMIN_)[A-Z_]+|STAGING_S3_[A-Z_]+|WAKE_UP_SECRET|PLAYBACK_(?:BASE_URL|TOKEN_SECRET)|CALL_TRANSPORT(?:_URL)?|NOTIFY_WEBHOOK_[A-Z]+|ALERT_WEBHOOK_URL|HEALTH_[A-Z_]+)$/;

/** What is given to the functions of a hosted project. */
export function functionSecrets(
  settings: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      value !== undefined && OF_FUNCTIONS.test(name) ? [[name, value]] : [],
    ),
  );
}

export type StepName =
  | "settings"
  | "link"
  | "config"
  | "database"
  | "vault"
  | "secrets"
  | "functions"
  | "checks";

export interface Command {
  /** Arguments of the Supabase CLI. Nothing secret: a command line can be read by everybody on the machine. */
  args: string[];
  /** Names of the variables that the CLI is given beside its own. */
  variables: string[];
}

/** `commit`: done once for a commit; `settings`: also again when a setting has changed; `always`: every time. */
export interface Step {
  name: StepName;
  title: string;
  again: "commit" | "settings" | "always";
  does: { kind: "cli"; commands: Command[] } | { kind: "doctor"; what: "settings" | "vault" | "everything" };
}

/** Stands in a command line for the file that the functions' settings are written to. */
export const SECRETS_FILE = "@secrets";

/** What config.toml reads by env(…): all commands that read the file need them. */
const OF_CONFIG = ["PORTAL_URL", "PORTAL_SIGN_IN_URL", "FUNCTIONS_URL", "WAKE_UP_SECRET"];
const SIGN_IN = ["SUPABASE_ACCESS_TOKEN"];

/**
 * The whole order for one project. The project is linked and then meant by a bare `--remote`: only for the linked one
 * does the CLI take the database's password from the environment. The functions come after the database, which they
 * ask, and after their settings, which a new version may need.
 */
export function planDeploy(projectRef: string, functions: readonly string[]): Step[] {
  const cli = (...commands: Command[]): Step["does"] => ({ kind: "cli", commands });
  return [
    {
      name: "settings",
      title: "Look at the settings before anything is touched",
      again: "always",
      does: { kind: "doctor", what: "settings" },
    },
    {
      name: "link",
      title: "Link this folder with the project",
      again: "commit",
      does: cli({
        args: ["link", "--project-ref", projectRef, "--yes"],
        variables: [...SIGN_IN, ...OF_CONFIG, "SUPABASE_DB_PASSWORD"],
      }),
    },
    {
      name: "config",
      title: "Push config.toml: exposed schemas, sign-in, the portal's address",
      again: "settings",
      does: cli({ args: ["config", "push", "--remote", "--yes"], variables: [...SIGN_IN, ...OF_CONFIG] }),
    },
    {
      name: "database",
      title: "Give Vault its secrets and apply the migrations",
      again: "commit",
      does: cli({
        args: ["db", "push", "--remote", "--yes"],
        variables: [...SIGN_IN, ...OF_CONFIG, "SUPABASE_DB_PASSWORD"],
      }),
    },
    {
      name: "vault",
      title: "Compare Vault with the settings: a push without new migrations leaves it as it was",
      again: "settings",
      does: { kind: "doctor", what: "vault" },
    },
    {
      name: "secrets",
      title: "Give the functions their settings",
      again: "settings",
      does: cli({
        args: ["secrets", "set", "--env-file", SECRETS_FILE, "--remote", "--yes"],
        variables: [...SIGN_IN, ...OF_CONFIG],
      }),
    },
    {
      name: "functions",
      title: "Upload the functions, with verify_jwt as in config.toml",
      again: "commit",
      does: cli({
        args: ["functions", "deploy", ...functions, "--use-api", "--remote", "--yes"],
        variables: [...SIGN_IN, ...OF_CONFIG],
      }),
    },
    {
      name: "checks",
      title: "Let the doctor look at everything",
      again: "always",
      does: { kind: "doctor", what: "everything" },
    },
  ];
}

/** The reference of a hosted project in its address; undefined for any other address. */
export function projectRefOf(supabaseUrl: string): string | undefined {
  return /^([a-z]{20})\.supabase\.(?:co|red)$/.exec(URL.parse(supabaseUrl)?.hostname ?? "")?.[1];
}

/** The password inside the database's address, as the CLI wants it. */
export function databasePasswordOf(databaseUrl: string | undefined): string | undefined {
  const password = URL.parse(databaseUrl ?? "")?.password;
  return password ? decodeURIComponent(password) : undefined;
}
