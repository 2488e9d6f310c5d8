import { expect, test } from "vitest";
import { agoraSettings } from "../../agora/settings.ts";
import { b2Settings } from "../../b2/settings.ts";
import { cronSettings } from "../../cron/settings.ts";
import { functionsSettings } from "../../functions/settings.ts";
import { gatewaySettings } from "../../gateway/settings.ts";
import { netSettings } from "../../net/settings.ts";
import { postgresSettings } from "../../postgres/settings.ts";
import { realtimeSettings } from "../../realtime/settings.ts";
import { planStack, type StackPlan } from "../plan.ts";
import { parseUserEnvironment } from "../user-environment.ts";
import { planInput } from "./test-input.ts";

const settingsOf = (plan: StackPlan, name: string) => plan.parts.find((part) => part.name === name)?.settings;

test("every part accepts the settings it is given", () => {
  const plan = planStack(planInput());
  postgresSettings.parse(settingsOf(plan, "postgres"));
  agoraSettings.parse(settingsOf(plan, "agora"));
  b2Settings.parse(settingsOf(plan, "b2"));
  cronSettings.parse(settingsOf(plan, "cron"));
  gatewaySettings.parse(settingsOf(plan, "gateway"));
  netSettings.parse(settingsOf(plan, "net"));
  functionsSettings.parse(settingsOf(plan, "functions"));
  realtimeSettings.parse(settingsOf(plan, "realtime"));
});

test("the plan is a function of its input alone", () => {
  const input = planInput();
  expect(planStack(input)).toEqual(planStack(structuredClone(input)));
});

test("the functions, the stand-ins and the database share the same secrets", () => {
  const input = planInput();
  const { env, database, parts } = planStack(input);
  expect(env.WAKE_UP_SECRET).toBe(input.keys.wakeUpSecret);
  expect(database.vaultSecrets).toEqual({
    functions_url: "http://127.0.0.1:54321/functions/v1",
    wake_up_secret: input.keys.wakeUpSecret,
  });
  const agora = parts.find((part) => part.name === "agora")?.settings;
  expect(agora).toMatchObject({
    appId: env.AGORA_APP_ID,
    customerSecret: env.AGORA_CUSTOMER_SECRET,
    webhook: { url: "http://127.0.0.1:54321/functions/v1/agora-events", secret: env.AGORA_WEBHOOK_SECRET },
  });
});

test("the key that the engine gets can only write, the one for playback only read", () => {
  const input = planInput();
  const plan = planStack(input);
  const keys = b2Settings.parse(settingsOf(plan, "b2")).keys;
  const rights = Object.fromEntries(keys.map((key) => [key.keyId, key.capabilities]));
  expect(rights).toEqual({
    [plan.env.BACKBLAZE_B2_INGEST_ACCESS_KEY_ID ?? ""]: ["writeFiles"],
    [plan.env.BACKBLAZE_B2_PLAYBACK_ACCESS_KEY_ID ?? ""]: ["readFiles"],
    [plan.env.BACKBLAZE_B2_ACCESS_KEY_ID ?? ""]: ["listFiles", "readFiles", "writeFiles", "deleteFiles"],
    [plan.adminEnv.BACKBLAZE_B2_ADMIN_ACCESS_KEY_ID ?? ""]: ["listBuckets", "readBuckets", "writeBuckets"],
  });
  // Whoever may change the bucket is not a function.
  expect(Object.keys(plan.env).filter((name) => name.includes("ADMIN"))).toEqual([]);
  expect(keys.every((key) => key.bucket === "recordings")).toBe(true);
});

test("Postgres ends last, and nothing that needs the database starts before it is prepared", () => {
  const { parts } = planStack(planInput());
  expect(parts.filter((part) => part.endsAt === 0).map((part) => part.name)).toEqual(["postgres"]);
  expect(parts.filter((part) => part.needsDatabase).map((part) => part.name)).toEqual([
    "realtime",
    "net",
    "cron",
    "gateway",
  ]);
});

const realStore = `BACKBLAZE_B2_ENDPOINT=https://s3.us-west-004.backblazeb2.com
BACKBLAZE_B2_ACCESS_KEY_ID=004abc
BACKBLAZE_B2_SECRET_ACCESS_KEY=K004def
BACKBLAZE_B2_BUCKET_NAME=portal`;
const realAgora = `NEXT_PUBLIC_AGORA_APP_ID=0123456789abcdef0123456789abcdef
AGORA_APP_CERTIFICATE=fedcba9876543210fedcba9876543210
AGORA_CUSTOMER_ID=customer
AGORA_CUSTOMER_SECRET=hush`;

test("the user's own store switches the store stand-in off, and none of its keys reach the functions", () => {
  const plan = planStack(planInput({ user: parseUserEnvironment(".env", realStore) }));
  expect(plan.parts.map((part) => part.name)).not.toContain("b2");
  expect(plan.listening).not.toContain("b2");
  expect(plan.env).toMatchObject({
    BACKBLAZE_B2_ENDPOINT: "https://s3.us-west-004.backblazeb2.com",
    BACKBLAZE_B2_BUCKET_NAME: "portal",
  });
  expect(plan.env).not.toHaveProperty("BACKBLAZE_B2_INGEST_ACCESS_KEY_ID");
  expect(plan.addresses.b2).toBe("https://s3.us-west-004.backblazeb2.com (the real one)");
  expect(plan.parts.map((part) => part.name)).toContain("agora");
});

test("the user's own Agora switches the engine stand-in off and calls go over Agora", () => {
  const plan = planStack(planInput({ user: parseUserEnvironment(".env", `${realStore}\n${realAgora}`) }));
  expect(plan.parts.map((part) => part.name)).not.toContain("agora");
  expect(plan.env).toMatchObject({
    AGORA_APP_ID: "0123456789abcdef0123456789abcdef",
    AGORA_CUSTOMER_SECRET: "hush",
    CALL_TRANSPORT: "agora",
  });
  expect(plan.env).not.toHaveProperty("AGORA_API_URLS");
  expect(plan.env).not.toHaveProperty("CALL_TRANSPORT_URL");
});

test("the user's own wake-up secret reaches the functions and Vault alike", () => {
  const user = parseUserEnvironment(".env", "WAKE_UP_SECRET=whsec_AAAA\nDISCORD_TOKEN=private");
  const plan = planStack(planInput({ user }));
  expect(plan.env.WAKE_UP_SECRET).toBe("whsec_AAAA");
  expect(plan.database.vaultSecrets.wake_up_secret).toBe("whsec_AAAA");
  expect(plan.env).not.toHaveProperty("DISCORD_TOKEN");
});

test("a service that is named only in part is refused, with what is missing", () => {
  const parse = (text: string) => () => parseUserEnvironment("/project/.env", text);
  expect(parse("AGORA_APP_ID=x\nAGORA_CUSTOMER_ID=y")).toThrow(
    "/project/.env names Agora only in part: AGORA_APP_CERTIFICATE, AGORA_CUSTOMER_SECRET are missing; complete it, remove the rest, or start with --stand-ins.",
  );
  expect(parse("BACKBLAZE_B2_BUCKET_NAME=portal")).toThrow("names Backblaze B2 only in part");
  expect(parse(realAgora)).toThrow("Agora's servers cannot write into a store on this machine");
  expect(parse(realStore.replace("https://", ""))).toThrow(
    "BACKBLAZE_B2_ENDPOINT in /project/.env is not an address",
  );
});

test("names without a value, as in a fresh copy of .env.example, choose nothing", () => {
  expect(parseUserEnvironment(".env", "AGORA_APP_ID=\nBACKBLAZE_B2_BUCKET_NAME= ")).toEqual({
    variables: {},
    agora: "stand-in",
    store: "stand-in",
  });
});

test("in staged mode the engine's key reaches the staging bucket only, and the usual bucket's keys do not", () => {
  const plan = planStack({ ...planInput(), staging: true });
  const { buckets, keys } = b2Settings.parse(settingsOf(plan, "b2"));
  expect(buckets.map(({ name }) => name)).toEqual(["recordings", plan.env.STAGING_S3_BUCKET_NAME]);
  const rights = new Map(keys.map((key) => [key.keyId, [key.bucket, ...key.capabilities]]));
  expect(rights.get(plan.env.STAGING_S3_INGEST_ACCESS_KEY_ID ?? "")).toEqual([
    plan.env.STAGING_S3_BUCKET_NAME,
    "writeFiles",
  ]);
  expect(rights.get(plan.env.BACKBLAZE_B2_ACCESS_KEY_ID ?? "")?.[0]).toBe("recordings");
  expect(Object.keys(planStack(planInput()).env).filter((name) => name.startsWith("STAGING_"))).toEqual([]);
});
