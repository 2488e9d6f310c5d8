import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Account } from "./account.ts";
import { ownCluster } from "./place.ts";

/** The name of the bootstrap superuser, as hosted. Nothing of the project ever runs as this role. */
export const SUPERUSER = "supabase_admin";

const HOST_BASED_ACCESS = `# Only over TCP on this machine, and only with a password.
host all         all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
`;

/** Nothing of our own environment may reach the server: locale and time zone would leak into the data. */
export const SERVER_ENVIRONMENT = { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" };

/**
 * Makes the cluster unless it is there: UTF-8, sorted by code point, superuser `supabase_admin`. It is made beside
 * its place and renamed, so that an interrupted start leaves no half cluster.
 *
 * @throws Error with initdb's own words when it fails.
 */
export async function ensureCluster(options: {
  native: string;
  cluster: string;
  account: Account | undefined;
  superuserPassword: string;
  durable: boolean;
}): Promise<void> {
  const { native, cluster, account, superuserPassword, durable } = options;
  if (existsSync(cluster)) return ownCluster(cluster, account);
  const draft = `${cluster}.new`;
  const passwordFile = join(draft, "superuser-password");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  const own = async (file: string) => account && chown(file, account.uid, account.gid);
  await own(draft);
  try {
    const data = join(draft, "data");
    await writeFile(passwordFile, `${superuserPassword}\n`, { mode: 0o600 });
    await own(passwordFile);
    await runInitdb(native, account, [
      `--pgdata=${data}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-instructions",
      ...(durable ? [] : ["--no-sync"]),
    ]);
    await writeFile(join(data, "pg_hba.conf"), HOST_BASED_ACCESS);
    // Vault's root key stands in a file beside the tables, as on a hosted project: a dump does not hold it.
    const key = join(data, "vault_root.key");
    await writeFile(key, randomBytes(32).toString("hex"), { mode: 0o600 });
    await own(key);
    await rename(data, cluster);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function runInitdb(native: string, account: Account | undefined, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(native, "bin/initdb"), args, {
      ...account,
      cwd: "/",
      env: SERVER_ENVIRONMENT,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let complaints = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(new Error(`the database could not be made (initdb ended with ${code}): ${complaints.trim()}`));
    });
  });
}
