import { join } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `npm run build`: static files for any host, in web/dist. What a host has to send with them: docs/operations.md, "The portal". */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss()],
  // Names as in the old portal; their values are baked in, unless the host answers /config.json.
  envPrefix: ["NEXT_PUBLIC_"],
  envDir: "..",
  resolve: { alias: { "@supabase/storage-js": join(import.meta.dirname, "src/backend/no-storage.ts") } },
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
  },
  server: { host: "127.0.0.1" },
});
