/**
 * The peer of the transfer, run by Deno: one ranged GET streamed into one PUT with a length, over and over; nothing is
 * planned, saved, resumed or verified. Settings come as JSON in the first argument, a line of JSON per copy goes out.
 */
import http from "node:http";
import process from "node:process";
import { AwsClient } from "aws4fetch";

interface Store {
  endpoint: string;
  region: string;
  bucket: string;
  keyId: string;
  applicationKey: string;
}

const order = JSON.parse(process.argv[2] ?? "{}") as {
  source: Store;
  destination: Store;
  key: string;
  bytes: number;
  rounds: number;
};

const clientOf = ({ keyId, applicationKey, region }: Store) =>
  new AwsClient({ accessKeyId: keyId, secretAccessKey: applicationKey, region, service: "s3", retries: 0 });
const source = clientOf(order.source);
const destination = clientOf(order.destination);

for (let round = 0; round < order.rounds; round++) {
  const from = round * order.bytes;
  const since = performance.now();
  const answer = await source.fetch(`${order.source.endpoint}/${order.source.bucket}/${order.key}`, {
    headers: { range: `bytes=${from}-${from + order.bytes - 1}` },
  });
  if (answer.status !== 206 || answer.body === null) throw new Error(`GET: HTTP ${answer.status}`);
  const url = `${order.destination.endpoint}/${order.destination.bucket}/plain/${round}`;
  const signed = await destination.sign(url, { method: "PUT" });
  await put(url, Object.fromEntries(signed.headers), answer.body);
  console.log(JSON.stringify({ ms: performance.now() - since }));
}

async function put(
  url: string,
  headers: Record<string, string>,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const request = http.request(url, {
    method: "PUT",
    headers: { ...headers, "content-length": order.bytes },
  });
  const answered = new Promise<void>((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (response) => {
      response.resume();
      response.once("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`PUT: HTTP ${response.statusCode}`)),
      );
    });
  });
  for await (const chunk of body) {
    if (!request.write(chunk)) await new Promise<void>((resolve) => request.once("drain", () => resolve()));
  }
  request.end();
  await answered;
}
