import { account, clientOf, type Reply, startEngine, startRequestFor } from "../stage.ts";
import { acquired, cname, freshUid, nowhere, type Probe, type ProbeStage } from "./probe.ts";

const path = (stage: ProbeStage, appId: string = account.appId) =>
  `${stage.engine.address}/v1/apps/${appId}/cloud_recording/acquire`;
const body = () => ({ cname, uid: freshUid(), clientRequest: {} });

async function raw(url: string, init: RequestInit): Promise<Reply> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.json() };
}

const withCredentials =
  (authorization: string): Probe["ask"] =>
  (stage) =>
    stage.client.send("POST", "/acquire", body(), { authorization });
const withRoute = (method: string, route: string): Probe => ({
  name: `${method} ${route}`,
  ask: ({ client }) => client.send(method, route, method === "POST" ? {} : undefined),
});

/** So many calls at once, of which the one with the highest status is told. */
async function crowd(stage: ProbeStage, calls: number): Promise<Reply> {
  const replies = await Promise.all(
    Array.from({ length: calls }, () => stage.client.acquire(cname, freshUid())),
  );
  return replies.reduce((worst, reply) => (reply.status > worst.status ? reply : worst));
}

export const gatewayProbes = {
  "gateway.route": [
    withRoute("GET", "/acquire"),
    withRoute("POST", "/Acquire"),
    withRoute("POST", "/resourceid/r/mode/composite/start"),
    withRoute("GET", "/resourceid/r/sid/s/mode/mix/stop"),
    withRoute("POST", "/resourceid/r/sid/s/mode/web/updateLayout"),
  ],
  "gateway.authorization": {
    ask: (stage) =>
      raw(path(stage), {
        method: "POST",
        body: JSON.stringify(body()),
        headers: { "content-type": "application/json" },
      }),
    otherwise: "gateway.credentials",
  },
  "gateway.credentials": [
    { name: "a wrong secret", ask: withCredentials(`Basic ${btoa("customer:wrong")}`) },
    {
      name: "App ID and App Certificate",
      ask: withCredentials(`Basic ${btoa(`${account.appId}:${account.appCertificate}`)}`),
    },
    { name: "a bearer token", ask: withCredentials("Bearer customer-secret") },
  ],
  "gateway.app_id": {
    ask: (stage) => stage.client.send("POST", path(stage, "my-app"), body()),
    otherwise: "gateway.app_of_another_account",
  },
  "gateway.app_of_another_account": {
    ask: (stage) => stage.client.send("POST", path(stage, "a".repeat(32)), body()),
  },
  "gateway.rate": { settings: { requestsPerSecond: 10 }, ask: (stage) => crowd(stage, 11) },
  "gateway.rate_beside_ceiling": {
    settings: { unconfirmed: { rateBesideCeiling: true }, maxConcurrentTasks: 50 },
    ask: (stage) => crowd(stage, 6),
  },
  "gateway.body_too_large": {
    ask: (stage) => stage.client.send("POST", "/acquire", { ...body(), more: "x".repeat(1_048_576) }),
    otherwise: "gateway.json",
  },
  "gateway.content_type": {
    ask: (stage) => stage.client.send("POST", "/acquire", body(), { "content-type": "text/plain" }),
  },
  "gateway.json": {
    ask: (stage) => stage.client.send("POST", "/acquire", '{"cname":'),
    otherwise: "acquire.body",
  },
} satisfies Record<string, Probe | Probe[]>;

const acquiring =
  (more: Record<string, unknown>): Probe["ask"] =>
  ({ client }) =>
    client.send("POST", "/acquire", { ...body(), ...more });
const uids = ["0", "", "01", "-1", "1.5", "4294967296", "abc", 5, null];
const channels = ["", "a".repeat(64), "raum/1", "über", "a'b"];

export const acquireProbes = {
  "acquire.body": { ask: acquiring({ clientRequest: undefined }) },
  "acquire.uid": uids.map((uid) => ({ name: JSON.stringify(uid), ask: acquiring({ uid }) })),
  "acquire.scene": { ask: acquiring({ clientRequest: { scene: 3 } }) },
  "acquire.region": { ask: acquiring({ clientRequest: { region: "EUROPE" } }) },
  "acquire.region_affinity": { ask: acquiring({ clientRequest: { regionAffinity: 5 } }) },
  "acquire.exclude_resource_ids": { ask: acquiring({ clientRequest: { excludeResourceIds: "all" } }) },
  "acquire.start_parameter": { ask: acquiring({ clientRequest: { startParameter: "same" } }) },
  "acquire.channel_name": channels.map((name) => ({
    name: JSON.stringify(name),
    ask: acquiring({ cname: name }),
  })),
  "acquire.expired_hour": [0, 721, 1.5, "24"].map((hours) => ({
    name: JSON.stringify(hours),
    ask: acquiring({ clientRequest: { resourceExpiredHour: hours } }),
  })),
  "acquire.ceiling": {
    settings: { maxConcurrentTasks: 1 },
    ask: async (stage) => {
      const uid = freshUid();
      const spare = await acquired(stage, uid);
      await stage.client.start(spare, cname, uid, startRequestFor(cname, uid, nowhere));
      return stage.client.acquire(cname, freshUid());
    },
  },
} satisfies Record<string, Probe | Probe[]>;

/** A resourceId that a service of another App ID, but with the same keys, has given out. */
export async function resourceOfAnotherApp(uid: string): Promise<string> {
  const appId = "b".repeat(32);
  const other = await startEngine({ appId });
  try {
    const url = `${other.address}/v1/apps/${appId}/cloud_recording/acquire`;
    const reply = await clientOf(other.address).send("POST", url, { cname, uid, clientRequest: {} });
    return reply.body.resourceId;
  } finally {
    await other.stop();
  }
}
