/** What an alert means, and what to do, as docs/operations.md has it at greater length. */
export interface Runbook {
  meaning: string;
  action: string;
  /** To be filled in where it says …: SQL, or a command. Each stands in the runbook too. */
  commands: readonly string[];
}

/** Every text of the page of alerts. */
export const alertTexts = {
  title: "Alerts",
  firing: "Firing now",
  recovered: "Recovered",
  count: (firing: number) =>
    firing === 0
      ? "No alert is firing."
      : firing === 1
        ? "1 alert is firing."
        : `${firing} alerts are firing.`,
  noneTitle: "Nothing is wrong",
  severity: { critical: "Critical", warning: "Warning" },
  since: "Began",
  wasFiring: (from: string, until: string) => `${from} until ${until}`,
  meaning: "What it means",
  action: "What to do",
  more: (page: string) => `More in ${page}`,
  noneText: "The rules are asked every ten seconds. What fires appears here by itself.",
  old: (since: string) =>
    `This is of ${since}: what is so now could not be asked for. It is tried again by itself.`,
};

/** By the heading of docs/operations.md that the rule names. */
export const runbooks: Readonly<Record<string, Runbook>> = {
  "#alert-stuck_recording": {
    meaning: "Its job is missing, or its deadline has passed and nobody acted.",
    action: "Look at sweep and cron in recorder.health first, then at the reason that this gives.",
    commands: ["select * from recorder.stuck"],
  },
  "#alert-old_open_recording": {
    meaning:
      "Mostly files that do not come. It ends by itself 72 hours after its recorder, and what is there is kept.",
    action: "Look at the last error of its collect job, then at the engine's console and the bucket.",
    commands: ["select * from recorder.story('…')"],
  },
  "#alert-dead_job": {
    meaning: "It was tried as often as it may be. Nothing goes on there by itself.",
    action: "Mend what the code says (docs/errors.md), then run what stands in how_to_retry.",
    commands: ["select job_id, kind, code, detail, how_to_retry from recorder.dead_jobs"],
  },
  "#alert-orphan_task": {
    meaning:
      "Whatever it recorded is over, and it was not stopped for five minutes. It ends with its token at the latest.",
    action: "Stop its recording if that is not over, else look at its stop and repair jobs.",
    commands: ["select recorder.stop_recording('…')"],
  },
  "#alert-webhooks_never_came": {
    meaning: "Recordings work without events of the engine, only later.",
    action:
      "In Agora's console look at Notifications, Cloud Recording: is it enabled, is the address right, does its health check pass?",
    commands: [],
  },
  "#alert-webhooks_silent": {
    meaning: "Recordings work without events of the engine, only later.",
    action:
      "Look at Notifications in Agora's console, at the log of agora-events, and at Agora's status page.",
    commands: [],
  },
  "#alert-webhooks_unverified": {
    meaning: "Without the secret nobody knows who sent them.",
    action: "Copy the secret from the console's page of notifications and set AGORA_WEBHOOK_SECRET.",
    commands: ["supabase secrets set AGORA_WEBHOOK_SECRET=…"],
  },
  "#alert-success_rate_low": {
    meaning: "Fewer than nine of ten recordings of the last day are there.",
    action: "Look which error is the most frequent, and for its code in docs/errors.md.",
    commands: [
      "select error_code, count(*) from recorder.outcomes where decided_at > now() - interval '1 day' and outcome = 'failed' group by 1 order by 2 desc",
      "select recorder.retry_recording('…')",
    ],
  },
  "#alert-storage_cap_reached": {
    meaning: "What the engine writes is refused as well and comes later, from its backup cloud.",
    action: "Raise the cap at Backblaze, Caps & Alerts. A daily cap is over at midnight UTC by itself.",
    commands: [],
  },
  "#alert-secret_expiring": {
    meaning: "What uses it stops to work on that day.",
    action: "Make a new one, set both, drop the old one, and tell the new date.",
    commands: ["select recorder.set_secret_expiry('…', '…')"],
  },
  "#alert-scheduler_dead": {
    meaning: "Workers sweep in its place while something wakes them: nothing is lost, but later.",
    action: "See why the last runs failed. Hosted, a fast reboot revives a dead scheduler.",
    commands: ["select * from cron.job_run_details order by runid desc limit 5"],
  },
  "#alert-pg_net_dead": {
    meaning: "Work begins only when somebody from outside asks.",
    action: "Restart its worker, as postgres. Hosted, a fast reboot does it too.",
    commands: ["select net.worker_restart()"],
  },
  "#alert-vault_broken": {
    meaning: "Work begins only when somebody from outside asks.",
    action: "Set functions_url and wake_up_secret in Vault again.",
    commands: [],
  },
  "#alert-lane_stands": {
    meaning: "Its function refuses the wake-up, or leaves work that is due.",
    action:
      "Go by its answer: 401, the secrets differ; 404, it is not deployed; 500, its log names what is missing.",
    commands: [],
  },
  "#alert-deletion_late": {
    meaning: "Their time is over for a day, or somebody asked for their deletion.",
    action: "Look at the error of the expire job: mostly the key may not delete, or the bucket is locked.",
    commands: ["select code, detail, how_to_retry from recorder.dead_jobs where kind = 'expire'"],
  },
  "#alert-audit": {
    meaning: "The nightly comparison did not run, or has found something.",
    action: "Look at the audit job among the dead ones, ask for a comparison, and read its findings.",
    commands: [
      "select code, detail, how_to_retry from recorder.dead_jobs where kind = 'audit'",
      "select recorder.request_audit()",
      "select * from recorder.audit_findings",
    ],
  },
};
