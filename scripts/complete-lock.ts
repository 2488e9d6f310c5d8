/**
 * Puts back what npm leaves out of package-lock.json when the registry in use does not offer every platform's binaries:
 * without an entry for each optional dependency `npm ci` refuses to install anywhere. Run by `npm run lock`.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockEntry> };

for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
    if (places.some((place) => place in lock.packages)) continue;
    const os = /android|darwin|freebsd|linux|netbsd|openbsd|win(?:32|dows)/.exec(name)?.[0];
    const cpu = /arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64/.exec(name)?.[0];
    if (cpu === undefined || (os === undefined && cpu !== "wasm32"))
      throw new Error(`the platform of ${name} cannot be told from its name`);
    const libc = /musl/.test(name) ? "musl" : /glibc|gnu/.test(name) ? "glibc" : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(libc === undefined ? {} : { libc: [libc] }),
      cpu: [cpu],
      dev: true,
      optional: true,
      ...(os === undefined ? {} : { os: [os === "windows" ? "win32" : os] }),
    };
    console.log(`added ${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
