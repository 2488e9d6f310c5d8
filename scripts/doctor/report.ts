import type { Examined } from "./check.ts";

/** Names of variables whose values nobody may see. */
const SECRET_NAME =
  /(SECRET|CERTIFICATE|PASSWORD|TOKEN|DB_URL|ACCESS_KEY_ID|CUSTOMER_ID|SERVICE_ROLE|ANON_KEY|ALERT_WEBHOOK_URL|_KEYS?$)/;

/** Values that must not be printed: the secrets themselves and the password inside an address. */
export function secretValues(variables: Readonly<Record<string, string | undefined>>): string[] {
  const values = Object.entries(variables).flatMap(([name, value]) => {
    if (value === undefined || !SECRET_NAME.test(name)) return [];
    const password = URL.parse(value)?.password;
    const parts = value.split(",").map((part) => part.trim());
    return [value, ...parts, ...(password ? [password, decodeURIComponent(password)] : [])];
  });
  // Short ones are words: blotting them out would hide nothing and break sentences.
  return [...new Set(values)].filter((value) => value.length >= 6).sort((a, b) => b.length - a.length);
}

/** The same text without any secret. What services answer is not ours to trust. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), text);
}

/** For people: one line for what is fine, a paragraph for what is not, a sum at the end. */
export function reportText(examined: readonly Examined[], tookMs: number): string {
  const lines: string[] = [];
  let subject = "";
  for (const { check, finding, fixed } of examined) {
    const [of = ""] = check.id.split(".");
    if (of !== subject) {
      lines.push(`${lines.length === 0 ? "" : "\n"}${of}`);
      subject = of;
    }
    lines.push(`  ${signs[finding.is]} ${check.title}${finding.is === "fine" ? noteOf(finding.note) : ""}`);
    if (fixed !== undefined) lines.push(`          set: ${fixed}`);
    if (finding.is === "wrong") {
      lines.push(
        `          ${finding.what}`,
        `          why it matters: ${finding.why}`,
        `          do: ${finding.todo}`,
        `          (${check.id})`,
      );
    }
    if (finding.is === "unknown") lines.push(`          ${finding.reason}`);
  }
  const count = (is: string) => examined.filter(({ finding }) => finding.is === is).length;
  const canFix = examined.some(({ check, finding }) => finding.is === "wrong" && check.fix !== undefined);
  lines.push(
    "",
    `${count("fine")} fine, ${count("wrong")} wrong, ${count("unknown")} unknown (${(tookMs / 1000).toFixed(1)} s).${
      canFix ? " npm run doctor -- --fix sets what can be set from here." : ""
    }`,
  );
  return lines.join("\n");
}

const signs = { fine: "fine    ", wrong: "WRONG   ", unknown: "unknown " } as const;
const noteOf = (note: string | undefined): string => (note === undefined ? "" : `: ${note}`);

/** For machines: one object. */
export function reportJson(examined: readonly Examined[], tookMs: number): string {
  const checks = examined.map(({ check, finding, fixed }) => ({
    id: check.id,
    title: check.title,
    ...finding,
    can_fix: check.fix !== undefined,
    ...(fixed === undefined ? {} : { fixed }),
  }));
  const is_fine = checks.every((check) => check.is === "fine");
  return JSON.stringify({ is_fine, took_ms: Math.round(tookMs), checks });
}

/** 0 all fine, 1 something is wrong, 2 nothing is wrong but something could not be asked. */
export function exitCodeOf(examined: readonly Examined[]): 0 | 1 | 2 {
  if (examined.some(({ finding }) => finding.is === "wrong")) return 1;
  return examined.some(({ finding }) => finding.is === "unknown") ? 2 : 0;
}
