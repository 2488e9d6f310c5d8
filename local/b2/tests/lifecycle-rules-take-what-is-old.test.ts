import { afterAll, beforeEach, expect, test } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import { BUCKET, startStore, texts } from "./running-store.ts";

const controlToken = "control-token-of-this-test";
const stores: StoreUnderTest[] = [];
let store: StoreUnderTest;
beforeEach(async () => {
  store = await startStore({ controlToken });
  stores.push(store);
});
afterAll(() => Promise.all(stores.map((one) => one.remove())));

const put = (key: string) => store.send(store.url(key), { method: "PUT", body: key });
const hide = (key: string) => store.send(store.url(key), { method: "DELETE" });
const versions = async () => (await store.send(`/${BUCKET}?versions`)).text();
const begin = (key: string) => store.send(`${store.url(key)}?uploads`, { method: "POST" });
const uploads = async () => texts(await (await store.send(`/${BUCKET}?uploads`)).text(), "Key");

async function rules(...inside: string[]): Promise<void> {
  const body = `<LifecycleConfiguration>${inside.join("")}</LifecycleConfiguration>`;
  expect((await store.send(`/${BUCKET}?lifecycle`, { method: "PUT", body })).status).toBe(200);
}
const rule = (action: string, prefix = "", status = "Enabled") =>
  `<Rule><Filter><Prefix>${prefix}</Prefix></Filter><Status>${status}</Status>${action}</Rule>`;
const NONCURRENT =
  "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
const ABORT =
  "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>";

async function daysLater(days: number): Promise<unknown> {
  const answer = await fetch(`${store.address}/__control/lifecycle`, {
    method: "POST",
    headers: { authorization: `Bearer ${controlToken}` },
    body: JSON.stringify({ daysLater: days }),
  });
  expect(answer.status).toBe(200);
  return await answer.json();
}

test("without rules nothing ever goes, as B2's default has it", async () => {
  await put("a");
  await put("a");
  await hide("a");
  await begin("half");
  expect(await daysLater(10_000)).toEqual({ hidden: 0, deleted: 0, cancelled: 0 });
  expect(texts(await versions(), "VersionId")).toHaveLength(3);
});

test("old versions go a day after they were hidden, and a marker that nothing is behind with them", async () => {
  await rules(rule(NONCURRENT));
  await put("kept");
  await put("over");
  await put("over");
  await put("gone");
  await hide("gone");
  expect(await daysLater(0.9)).toMatchObject({ deleted: 0 });
  expect(await daysLater(1.1)).toEqual({ hidden: 0, deleted: 3, cancelled: 0 });
  expect(texts(await versions(), "Key")).toEqual(["kept", "over"]);
});

test("unfinished uploads are cancelled after their days, below the rule's prefix only", async () => {
  await rules(rule(ABORT, "r/"));
  await begin("r/half");
  await begin("other");
  expect(await daysLater(1.9)).toMatchObject({ cancelled: 0 });
  expect(await daysLater(2.1)).toMatchObject({ cancelled: 1 });
  expect(await uploads()).toEqual(["other"]);
});

test("an expired file is hidden, not deleted", async () => {
  await rules(rule("<Expiration><Days>3</Days></Expiration>"));
  await put("a");
  expect(await daysLater(3.1)).toMatchObject({ hidden: 1, deleted: 0 });
  expect((await store.send(store.url("a"))).status).toBe(404);
  expect(texts(await versions(), "VersionId")).toHaveLength(2);
});

test("a rule that is switched off does nothing", async () => {
  await rules(rule(NONCURRENT, "", "Disabled"));
  await put("a");
  await hide("a");
  expect(await daysLater(100)).toMatchObject({ deleted: 0 });
});
