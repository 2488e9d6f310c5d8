import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A system account, by number. */
export interface Account {
  uid: number;
  gid: number;
}

const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/**
 * The account that the server has to run as: undefined = our own. Postgres refuses to run as root, so root hands
 * over to the system's `postgres` user, or to nobody where there is none.
 */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return accountNamed("postgres", readFileSync("/etc/passwd", "utf8")) ?? NOBODY;
}

/** Finds a user in the text of /etc/passwd. */
export function accountNamed(name: string, passwd: string): Account | undefined {
  const fields = passwd
    .split("\n")
    .map((line) => line.split(":"))
    .find(([user]) => user === name);
  if (!fields) return undefined;
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** True if the account can change into the folder, which every ancestor must allow. Asked by trying: ACLs count too. */
export function canEnter(account: Account | undefined, folder: string): boolean {
  return succeeds(account, "/bin/sh", ["-c", 'cd "$0" 2>/dev/null', folder]);
}

/** True if the account can start the program `file --version`. */
export function canRun(account: Account | undefined, file: string): boolean {
  return succeeds(account, file, ["--version"]);
}

function succeeds(account: Account | undefined, file: string, args: string[]): boolean {
  return spawnSync(file, args, { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}
