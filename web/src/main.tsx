import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { reloadForNewVersion } from "./app/new-version.ts";
import { Portal } from "./app/portal.tsx";
import "./app/portal.css";
import { watchForReturns } from "./backend/awake.ts";
import { startBackend } from "./backend/client.ts";
import { followSession } from "./backend/session.ts";
import { loadSettings } from "./backend/settings.ts";

const place = document.getElementById("portal");
if (place === null) throw new Error("the page has no place for the portal");

try {
  startBackend(await loadSettings());
  followSession();
  watchForReturns();
  reloadForNewVersion();
  createRoot(place).render(
    <StrictMode>
      <Portal />
    </StrictMode>,
  );
} catch (error) {
  // For the operator who sets it up: there is nothing that a person could do here.
  place.textContent = error instanceof Error ? error.message : String(error);
}
