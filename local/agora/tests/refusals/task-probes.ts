import { type Call, onDemandRefusals } from "../../refusals/on-demand.ts";
import type { RefusalRule } from "../../refusals/refusal.ts";
import { type openSink, type Reply, startRequestFor, until } from "../stage.ts";
import { acquired, begin, cname, freshUid, nowhere, type Probe, type ProbeStage } from "./probe.ts";

interface TaskOfProbe {
  resourceId: string;
  sid: string;
  cname: string;
  uid: string;
}
type TaskCall = "query" | "update" | "updateLayout" | "stop";
const taskCalls = ["query", "update", "updateLayout", "stop"] as const;

function call(
  { client }: ProbeStage,
  name: TaskCall,
  task: TaskOfProbe,
  clientRequest: unknown = {},
  mode = "mix",
) {
  const path = `/resourceid/${task.resourceId}/sid/${task.sid}/mode/${mode}/${name}`;
  if (name === "query") return client.send("GET", path);
  return client.send("POST", path, { cname: task.cname, uid: task.uid, clientRequest });
}

/** Every call about a task, each on one of its own. */
function eachCall(
  ask: (stage: ProbeStage, name: TaskCall) => Promise<Reply>,
  names: readonly TaskCall[] = taskCalls,
) {
  return names.map((name): Probe => ({ name, ask: (stage) => ask(stage, name), ...otherwiseOf(name) }));
}
// Nobody publishes on this stage, so a stop that nothing else refuses has recorded nothing.
const otherwiseOf = (name: string): Pick<Probe, "otherwise"> =>
  name === "stop" ? { otherwise: "stop.nothing_recorded" } : {};

const withLayout = (clientRequest: Record<string, unknown>): Probe => ({
  ask: async (stage) => call(stage, "updateLayout", await begin(stage), clientRequest),
});
const place = { x_axis: 0, y_axis: 0, width: 1, height: 1 };
const posts = ["update", "updateLayout", "stop"] as const;

/** A recording of somebody, with its first file in the bucket. */
async function recording(
  stage: ProbeStage,
  sink: Awaited<ReturnType<typeof openSink>>,
): Promise<TaskOfProbe> {
  const uid = freshUid();
  const task = await stage.client.begin(cname, uid, startRequestFor(cname, uid, sink.host));
  await stage.client.reaches(task, 5);
  return task;
}

const publishing = { publishers: "synthetic", sliceSeconds: 0.5, joinMs: 30 } as const;

/** Probes of running tasks; some record something, into `sink`. */
export const taskProbes = (sink: () => Awaited<ReturnType<typeof openSink>>) =>
  ({
    "task.body": posts.map((name) => ({
      name,
      ask: async (stage: ProbeStage) => {
        const task = await begin(stage);
        const path = `/resourceid/${task.resourceId}/sid/${task.sid}/mode/mix/${name}`;
        return stage.client.send("POST", path, { cname, uid: task.uid });
      },
      ...otherwiseOf(name),
    })),
    "task.uid": {
      ask: async (stage) => {
        const task = await begin(stage);
        return stage.client.stop({ ...task, uid: "0" });
      },
      otherwise: "task.resource_mismatch",
    },
    "task.resource_unreadable": eachCall(async (stage, name) => {
      const task = await begin(stage);
      return call(stage, name, { ...task, resourceId: "x" });
    }).map((probe) => ({ ...probe, otherwise: "task.sid_mismatch" as const })),
    "task.gone": [
      ...eachCall(async (stage, name) => {
        const uid = freshUid();
        return call(stage, name, { resourceId: await acquired(stage, uid), sid: "0".repeat(32), cname, uid });
      }).map((probe) => ({
        ...probe,
        name: `${probe.name} of what never ran`,
        otherwise: "task.sid_mismatch" as const,
      })),
      {
        name: "query in another mode",
        ask: async (stage) => call(stage, "query", await begin(stage), {}, "individual"),
      },
    ],
    "task.failover": eachCall(async (stage, name) => {
      const task = await begin(stage);
      stage.engine.control.faults.add({ kind: "gone", sid: task.sid, ms: 5_000 });
      return call(stage, name, task);
    }),
    "task.control_expired": eachCall(async (stage, name) => {
      const task = await begin(stage);
      stage.engine.control.switchOn({ kind: "end_control", sid: task.sid });
      return call(stage, name, task);
    }),
    "task.sid_mismatch": eachCall(async (stage, name) => {
      const task = await begin(stage);
      return call(stage, name, { ...task, resourceId: await acquired(stage, task.uid) });
    }),
    "task.resource_mismatch": eachCall(
      async (stage, name) => call(stage, name, { ...(await begin(stage)), cname: "room_2" }),
      posts,
    ),
    "query.exiting": {
      settings: { unconfirmed: { queryWhileExiting: "501" }, joinMs: 20, exitMs: 10_000 },
      ask: async (stage) => {
        const task = await begin(stage);
        await stage.client.stop(task);
        await until("it is leaving", () =>
          stage.engine.control.tasks().some(({ sid, status }) => sid === task.sid && status >= 6),
        );
        return call(stage, "query", task);
      },
    },
    "layout.layout": withLayout({ mixedVideoLayout: 9 }),
    "layout.background_color": withLayout({ backgroundColor: "black" }),
    "layout.config": withLayout({ mixedVideoLayout: 3, layoutConfig: [{ x_axis: 0 }] }),
    "layout.config_alone": withLayout({ mixedVideoLayout: 1, layoutConfig: [place] }),
    "layout.background_config": withLayout({ backgroundConfig: [{ uid: "1" }] }),
    "stop.async_stop": {
      ask: async (stage) => call(stage, "stop", await begin(stage), { async_stop: "yes" }),
      otherwise: "stop.nothing_recorded",
    },
    "stop.exiting": {
      settings: { joinMs: 20, exitMs: 10_000 },
      ask: async (stage) => {
        const task = await begin(stage);
        await stage.client.stop(task);
        return call(stage, "stop", task);
      },
      otherwise: "stop.nothing_recorded",
    },
    "stop.nothing_recorded": {
      settings: { joinMs: 20 },
      ask: async (stage) => call(stage, "stop", await begin(stage)),
    },
    "stop.slow": {
      settings: { ...publishing, slowStopMs: 30 },
      ask: async (stage) => {
        const task = await recording(stage, sink());
        stage.engine.control.faults.add({ kind: "slow_upload", ms: 60 });
        return call(stage, "stop", task);
      },
    },
  }) satisfies Record<string, Probe | Probe[]>;

const ids = Object.keys(onDemandRefusals) as (keyof typeof onDemandRefusals)[];
const codeIn = ({ answer }: RefusalRule): number | undefined =>
  typeof answer === "function" || "event" in answer || typeof answer.body !== "object" || answer.body === null
    ? undefined
    : Object.getOwnPropertyDescriptor(answer.body, "code")?.value;

/** What only a fault brings about, on every call it is documented for. */
export const onDemandProbes = Object.fromEntries(
  ids.map((id) => {
    const rule: RefusalRule & { calls: readonly Call[]; askedAs?: number } = onDemandRefusals[id];
    const { calls, answer, askedAs } = rule;
    const status = askedAs ?? (typeof answer === "function" || "event" in answer ? 0 : answer.status);
    const probes = calls.map((name): Probe => {
      const ask = async (stage: ProbeStage) => {
        // What the call is about is there before the fault, so that it strikes nothing else.
        const uid = freshUid();
        const resourceId = name === "start" ? await acquired(stage, uid) : "";
        const task = name === "acquire" || name === "start" ? null : await begin(stage);
        const code = codeIn(rule);
        const more = code === undefined ? {} : { code };
        stage.engine.control.switchOn({ kind: "answer", call: name, status, ...more, times: 1 });
        if (name === "start") {
          return stage.client.start(resourceId, cname, uid, startRequestFor(cname, uid, nowhere));
        }
        if (name === "acquire" || task === null) return stage.client.acquire(cname, uid);
        return call(stage, name, task);
      };
      return { name, ask, ...otherwiseOf(name) };
    });
    return [id, probes];
  }),
) as Record<keyof typeof onDemandRefusals, Probe[]>;
