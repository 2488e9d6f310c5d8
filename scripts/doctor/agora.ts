import { inflateSync } from "node:zlib";
import { createAgoraClient } from "../../supabase/functions/_shared/agora/client.ts";
import { buildRtcToken } from "../../supabase/functions/_shared/agora/token.ts";
import { engineSettings } from "../../supabase/functions/_shared/config.ts";
import { type Check, type DoctorDeps, type Finding, fine, settingOf, unknown, wrong } from "./check.ts";
import { compareClock } from "./clocks.ts";
import { setting } from "./places.ts";

const TIMEOUT_MS = 10_000;

const reachable: Check = {
  id: "agora.reachable",
  title: "Agora's REST API can be reached",
  needs: ["environment.agora"],
  async run(deps) {
    const { apiUrls } = engineSettings(deps.environment);
    const lost: string[] = [];
    for (const url of apiUrls) {
      try {
        const response = await deps.fetch(url, {
          redirect: "manual",
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        await response.body?.cancel();
        return fine(lost.length === 0 ? undefined : `by ${new URL(url).host}; not by ${lost.join(", ")}`);
      } catch {
        lost.push(new URL(url).host);
      }
    }
    return wrong(
      `No answer from ${lost.join(", ")}.`,
      "No recorder can be asked for.",
      settingOf(deps, "AGORA_API_URLS") === undefined
        ? "Look whether this machine's network lets https out (a proxy, a firewall), and at status.agora.io."
        : "Take AGORA_API_URLS out of .env: it names other addresses than Agora's own.",
    );
  },
};

/** Whether Agora's gateway takes these credentials, whatever App ID they belong to: this call names none. */
async function isAccepted(deps: DoctorDeps, id: string, secret: string): Promise<boolean | undefined> {
  const { apiUrls } = engineSettings(deps.environment);
  const [base = ""] = apiUrls;
  const response = await deps.fetch(`${base}/v2/ncs/ip`, {
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (response.status === 401) return false;
  return response.ok ? true : undefined;
}

const credentials: Check = {
  id: "agora.credentials",
  title: "Agora accepts Customer ID and Customer Secret, and Cloud Recording is enabled for the App ID",
  needs: ["environment.agora", "agora.reachable"],
  async run(deps) {
    const settings = engineSettings(deps.environment);
    const client = createAgoraClient({ ...settings, timeoutMs: TIMEOUT_MS, pausesMs: [200] }, deps);
    // A resource id that is not started costs nothing and ends by itself after five minutes.
    const asked = await client.acquire({
      cname: `doctor-${deps.newId().replaceAll("-", "").slice(0, 16)}`,
      uid: String(1 + Math.floor(deps.random() * 4_000_000_000)),
      resourceExpiredHour: 1,
    });
    if (asked.outcome === "acquired") return fine();
    switch (asked.error.code) {
      case "engine_unauthorized":
        return await whyUnauthorized(deps, settings);
      case "engine_app_not_enabled":
        return wrong(
          "Agora accepts the Customer ID and Secret, but does not know this App ID for Cloud Recording.",
          "No recording can begin. Neither another secret nor a new certificate changes that.",
          `Enable it: Agora console, Projects, the project of this App ID, Products, Cloud Recording, Enable. If it is enabled there, this is the App ID of another project: ${setting("AGORA_APP_ID")}`,
        );
      case "engine_account_inactive":
        return wrong(
          "The Agora account is suspended or unpaid.",
          "No recording can begin.",
          "Agora console, Billing & Finance: pay what is open, or write to Agora's support.",
        );
      case "engine_ceiling_reached":
        return fine("every recorder that the account may have is in use at the moment");
      case "engine_rate_limited":
        return unknown("Agora asked for fewer requests: run the doctor again in a moment.");
      default:
        return unknown(`Agora answered otherwise: ${asked.error.message} ${asked.error.detail ?? ""}`.trim());
    }
  },
};

/** The three ways to a 401: halves swapped, a wrong pair, and a right pair for another account's App ID. */
async function whyUnauthorized(
  deps: DoctorDeps,
  { customerId, customerSecret }: { customerId: string; customerSecret: string },
): Promise<Finding> {
  const why =
    'Agora answers 401 "Invalid authentication credentials" to every call: nothing is ever recorded.';
  if ((await isAccepted(deps, customerSecret, customerId)) === true) {
    return wrong(
      "AGORA_CUSTOMER_ID and AGORA_CUSTOMER_SECRET are swapped.",
      why,
      `${setting("AGORA_CUSTOMER_ID")} ${setting("AGORA_CUSTOMER_SECRET")}`,
    );
  }
  if ((await isAccepted(deps, customerId, customerSecret)) === true) {
    return wrong(
      "Customer ID and Customer Secret are right, but the App ID belongs to another Agora account.",
      why,
      `Take all of them from one account. ${setting("AGORA_APP_ID")} ${setting("AGORA_APP_CERTIFICATE")}`,
    );
  }
  return wrong(
    "Agora does not know this pair of Customer ID and Customer Secret: one of them is wrong, or the pair was deleted.",
    `${why} App ID, certificate and the switches of the project have nothing to do with it.`,
    `Make a new pair there and set both, the secret is shown once. ${setting("AGORA_CUSTOMER_ID")} ${setting("AGORA_CUSTOMER_SECRET")}`,
  );
}

const token: Check = {
  id: "agora.token",
  title: "App ID and App Certificate build a token that reads back as it was meant",
  needs: ["environment.agora"],
  async run(deps) {
    const { appId, appCertificate } = engineSettings(deps.environment);
    const issuedAtSeconds = Math.floor(deps.now() / 1000);
    const built = await buildRtcToken({
      appId,
      appCertificate,
      channel: "doctor",
      uid: "1",
      role: "subscriber",
      expiresInSeconds: 600,
      issuedAtSeconds,
      salt: 1,
    });
    const content = inflateSync(Buffer.from(built.slice(3), "base64"));
    const signatureBytes = content.readUInt16LE(0);
    const facts = content.subarray(2 + signatureBytes);
    const idBytes = facts.readUInt16LE(0);
    const readsBack =
      built.startsWith("007") &&
      signatureBytes === 32 &&
      facts.subarray(2, 2 + idBytes).toString() === appId &&
      facts.readUInt32LE(2 + idBytes) === issuedAtSeconds &&
      facts.readUInt32LE(6 + idBytes) === 600;
    return readsBack
      ? fine("whether the certificate is this App ID's own, Agora tells at the first call only")
      : wrong(
          "The token does not read back as it was built.",
          "Nobody could join a call.",
          "This is a fault of ours, not of your settings: run npm test -- --only functions and report what it says.",
        );
  },
};

const clock: Check = {
  id: "agora.clock",
  title: "This machine's clock agrees with Agora's",
  needs: ["agora.reachable"],
  async run(deps) {
    const [url = ""] = engineSettings(deps.environment).apiUrls;
    return await compareClock("Agora", url, deps);
  },
};

export const agoraChecks: readonly Check[] = [reachable, credentials, token, clock];
