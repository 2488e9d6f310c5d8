import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { type Bench, openBench, openTarget, type Target } from "./bench.ts";

let server: TestServer;
let bench: Bench;
let target: Target;

beforeAll(async () => {
  server = await startTestServer();
  bench = await openBench(server);
  target = await openTarget();
  await bench.startWorker({ restMs: 5 });
});
afterAll(async () => {
  await bench?.close();
  await target?.close();
  await server?.stop();
});

/** The arrival that a request leads to; each test uses a path of its own. */
async function arrival(request: PromiseLike<unknown>, path: string) {
  await request;
  await expect.poll(() => target.arrivals.find((one) => one.path.startsWith(path))).toBeDefined();
  const found = target.arrivals.find((one) => one.path.startsWith(path));
  if (!found) throw new Error("it did not arrive");
  return found;
}

describe("what arrives", () => {
  test("a GET carries the caller's headers, pg_net's User-Agent, no body and no wish for compression", async () => {
    const { method, headers, body } = await arrival(
      bench.sql`select net.http_get(${`${target.url}/get`}, headers => '{"x-one": "1", "x-null": null, "x-empty": ""}')`,
      "/get",
    );
    expect(method).toBe("GET");
    expect(headers).toMatchObject({ "x-one": "1", "user-agent": "pg_net/0.20.4", accept: "*/*" });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(["x-null"]));
    expect(headers["x-empty"]).toBeUndefined();
    expect(headers["accept-encoding"]).toBeUndefined();
    expect(body).toBe("");
  });

  test("a POST carries its body as Postgres writes jsonb, with its length, as application/json", async () => {
    const { method, headers, body } = await arrival(
      bench.sql`select net.http_post(${`${target.url}/post`}, body => '{"b":1,"a":"é"}')`,
      "/post",
    );
    expect(method).toBe("POST");
    expect(body).toBe('{"a": "é", "b": 1}');
    expect(headers["content-length"]).toBe(String(Buffer.byteLength(body)));
    expect(headers["content-type"]).toBe("application/json");
  });

  test("a DELETE goes without a body, or with one", async () => {
    const without = await arrival(
      bench.sql`select net.http_delete(${`${target.url}/delete-1`})`,
      "/delete-1",
    );
    expect(without).toMatchObject({ method: "DELETE", body: "" });
    const withBody = await arrival(
      bench.sql`select net.http_delete(${`${target.url}/delete-2`}, body => '[1]')`,
      "/delete-2",
    );
    expect(withBody).toMatchObject({ method: "DELETE", body: "[1]" });
  });

  test("params are encoded byte by byte and join the query that is there", async () => {
    const { path } = await arrival(
      bench.sql`select net.http_get(${`${target.url}/params?a=1#end`}, params => '{"q": "ä b&c~-._", "z": 2}')`,
      "/params",
    );
    expect(path).toBe("/params?a=1&q=%C3%A4%20b%26c~-._&z=2");
  });

  test("headers that are not ASCII arrive as UTF-8", async () => {
    const { headers } = await arrival(
      bench.sql`select net.http_get(${`${target.url}/utf8`}, headers => '{"x-name": "Zoë"}')`,
      "/utf8",
    );
    expect(Buffer.from(String(headers["x-name"]), "latin1").toString()).toBe("Zoë");
  });
});

describe("what net.http_* refuses", () => {
  test("a POST of anything but application/json is refused, whatever the case of the header's name", async () => {
    await expect(
      bench.sql`select net.http_post(${target.url}, headers => '{"content-TYPE": "text/plain"}')`,
    ).rejects.toMatchObject({ code: "P0001", message: 'Content-Type header must be "application/json"' });
  });

  test("a POST without a content type gets one, and one with NULL headers keeps them", async () => {
    await bench.sql
      .begin(async (transaction) => {
        await transaction`select net.http_post(${target.url}, headers => '{"x": "1"}')`;
        await transaction`select net.http_post(${target.url}, headers => null)`;
        const rows = await transaction`select headers from net.http_request_queue order by id`;
        expect(rows.map(({ headers }) => headers)).toEqual([
          { x: "1", "Content-Type": "application/json" },
          null,
        ]);
        throw new Error("undo");
      })
      .catch((error: Error) => expect(error.message).toBe("undo"));
  });

  test.each(["127.0.0.1:80", "http//x", "http://", "http://h/a b", "http://h:99999/", "nonsense://h/"])(
    "%s is no URL to libcurl, and the caller's transaction fails",
    async (url) => {
      await expect(bench.sql`select net.http_get(${url})`).rejects.toMatchObject({
        code: "XX000",
        message: "URL using bad/illegal format or missing URL",
      });
    },
  );

  test("a url that is NULL breaks the queue's own constraint", async () => {
    await expect(bench.sql`select net.http_get(null)`).rejects.toMatchObject({
      code: "23502",
      message: 'null value in column "url" of relation "http_request_queue" violates not-null constraint',
    });
  });

  test("a method that pg_net does not know breaks the domain", async () => {
    await expect(bench.sql`select 'PUT'::net.http_method`).rejects.toMatchObject({ code: "23514" });
    expect(await bench.sql`select 'DeLeTe'::net.http_method as method`).toHaveLength(1);
  });
});
