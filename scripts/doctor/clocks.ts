import { type DoctorDeps, type Finding, fine, unknown, wrong } from "./check.ts";

/** Above this, signatures (15 min at a store, 5 min of a webhook) come near to being refused, ms. */
const LARGEST_SKEW_MS = 60_000;
/** The header Date has whole seconds, and the answer was on its way. */
const RESOLUTION_MS = 1_500;

/** Compares this machine's clock with that of the service at an address, which tells its own in every answer. */
export async function compareClock(service: string, address: string, deps: DoctorDeps): Promise<Finding> {
  const sentAt = deps.now();
  const response = await deps.fetch(address, {
    method: "GET",
    redirect: "manual",
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel();
  const told = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(told)) return unknown(`${service} does not tell its time.`);
  return verdictOnSkew(service, told - (sentAt + deps.now()) / 2);
}

/** `skewMs`: how far the other clock is ahead of ours. */
export function verdictOnSkew(service: string, skewMs: number): Finding {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= RESOLUTION_MS) return fine();
  if (Math.abs(skewMs) <= LARGEST_SKEW_MS) return fine(`${seconds} s apart`);
  return wrong(
    `This machine's clock is ${seconds} s ${skewMs > 0 ? "behind" : "ahead of"} that of ${service}.`,
    "Signatures hold a time: they are refused when the clocks are minutes apart, and the store answers SignatureDoesNotMatch or RequestTimeTooSkewed.",
    "Let this machine's clock be set from the network (timedatectl set-ntp true, or the date settings of the system), then run the doctor again.",
  );
}
