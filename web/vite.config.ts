import { join } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** What supabase-js brings whether it is used or not, and what stands in its place: by the end of the import and who imports. */
const unused: [what: RegExp, importer: RegExp, instead: string][] = [
  [/^@supabase\/storage-js$/, /@supabase\/supabase-js/, "no-storage.ts"],
  [/\/lib\/webauthn$/, /@supabase\/auth-js/, "no-passkeys.ts"],
  [/\/GoTrueAdminApi$/, /@supabase\/auth-js/, "no-user-administration.ts"],
];

const withoutUnused: Plugin = {
  name: "without-unused",
  enforce: "pre",
  resolveId(source, importer = "") {
    const [, , instead] = unused.find(([what, by]) => what.test(source) && by.test(importer)) ?? [];
    return instead === undefined ? undefined : join(import.meta.dirname, "src/backend", instead);
  },
};

/** `npm run build`: static files for any host, in web/dist. What a host has to send with them: docs/operations.md, "The portal". */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [withoutUnused, react(), tailwindcss()],
  // Names as in the old portal; their values are baked in, unless the host answers /config.json.
  envPrefix: ["NEXT_PUBLIC_"],
  envDir: "..",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // The budget test reads it.
    manifest: true,
    // Inlined files are data: addresses, which the policy allows for pictures only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The player's and the call's own code are that large; what is needed before them has a budget of its own.
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What every page needs comes in two files, not in twenty: a thirtieth smaller, as gzip learns from one part for the next, and
          // libraries stay in the browser's cache when only our own code has changed.
          groups: [
            { name: "libraries", tags: ["$initial"], test: /[\\/]node_modules[\\/]/ },
            // The entry keeps its name: the page's html and the budget look for it.
            { name: "portal", tags: ["$initial"], test: (id) => !/main\.tsx$|index\.html$/.test(id) },
          ],
        },
      },
    },
  },
  server: { host: "127.0.0.1" },
});
