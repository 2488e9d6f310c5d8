import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { type Bench, openBench, openTarget, type Target } from "./bench.ts";

let server: TestServer;
let bench: Bench;
let target: Target;

beforeAll(async () => {
  server = await startTestServer();
  bench = await openBench(server);
  target = await openTarget(({ path, method, body, headers }, response) => {
    const { pathname, searchParams } = new URL(path, "http://here");
    if (pathname === "/status") response.writeHead(Number(searchParams.get("code"))).end("said so");
    else if (pathname === "/empty") response.writeHead(204).end();
    else if (pathname === "/zero") response.end("before\0after");
    else if (pathname === "/headers") {
      response.writeHead(200, [
        "Content-Type",
        "text/plain; charset=utf-8",
        "X-Twice",
        "one",
        "X-Twice",
        "two",
      ]);
      response.end("with headers");
    } else if (pathname === "/moved") {
      response
        .writeHead(Number(searchParams.get("code")), { location: "/echo?x=1", "x-hop": "first" })
        .end("moved body");
    } else if (pathname === "/elsewhere") {
      response.writeHead(302, { location: searchParams.get("to") ?? "" }).end();
    } else if (pathname === "/circle") response.writeHead(302, { location: "/circle" }).end();
    else if (pathname === "/silent") return;
    else if (pathname === "/half") {
      response.writeHead(200, { "content-length": "100" });
      response.write("only this");
      setTimeout(() => response.destroy(), 20);
    } else if (pathname === "/slow-body") {
      response.writeHead(200);
      response.write("x");
    } else
      response.setHeader("x-hop", "last").end(`${method} ${path} ${headers.authorization ?? "-"} ${body}`);
  });
  await bench.startWorker({ restMs: 5 });
});
afterAll(async () => {
  await bench?.close();
  await target?.close();
  await server?.stop();
});

const get = (path: string) =>
  bench.responseTo(bench.sql`select net.http_get(${`${target.url}${path}`}) as id`);
const getWithin = (url: string, ms: number) =>
  bench.responseTo(bench.sql`select net.http_get(${url}, timeout_milliseconds => ${ms}) as id`);

describe("an answer", () => {
  test("any status is done and recorded, and never tried again", async () => {
    expect(await get("/status?code=500")).toMatchObject({
      status_code: 500,
      content: "said so",
      timed_out: false,
      error_msg: null,
    });
    expect(target.arrivals.filter(({ path }) => path === "/status?code=500")).toHaveLength(1);
  });

  test("headers become one object under the names that were sent, the last of a repeated one wins", async () => {
    const { headers, content_type } = await get("/headers");
    expect(headers).toMatchObject({ "Content-Type": "text/plain; charset=utf-8", "X-Twice": "two" });
    expect(content_type).toBe("text/plain; charset=utf-8");
  });

  test("an empty body is NULL, and a body ends at its first zero byte", async () => {
    expect(await get("/empty")).toMatchObject({ status_code: 204, content: null, content_type: null });
    expect((await get("/zero")).content).toBe("before");
  });

  test("net._http_collect_response finds it, and says what it found of an error", async () => {
    const { id } = await get("/collect");
    const [found] = await bench.sql`
      select result.status, result.message, (result.response).status_code, (result.response).body
      from net._http_collect_response(${id}::bigint) as result`;
    expect(found).toMatchObject({ status: "SUCCESS", message: "ok", status_code: 200 });
    const [missing] = await bench.sql`select * from net._http_collect_response(-1)`;
    expect(missing).toMatchObject({
      status: "ERROR",
      message: "request matching request_id not found",
      response: null,
    });
    await expect(bench.sql`select net.http_collect_response(${id}::bigint)`).rejects.toMatchObject({
      code: "42601",
    });
  });
});

describe("redirects", () => {
  test.each([
    [302, "POST", "GET /echo?x=1 - "],
    [303, "POST", "GET /echo?x=1 - "],
    [307, "POST", 'POST /echo?x=1 - {"k": 1}'],
    [302, "DELETE", "DELETE /echo?x=1 - "],
  ])("after %i a %s goes on as: %s", async (code, method, seen) => {
    const url = `${target.url}/moved?code=${code}`;
    const response = await bench.responseTo(
      method === "POST"
        ? bench.sql`select net.http_post(${url}, body => '{"k": 1}') as id`
        : bench.sql`select net.http_delete(${url}, body => '{"k": 1}') as id`,
    );
    expect(response).toMatchObject({ status_code: 200, content: seen });
    // pg_net asks libcurl for the headers of the first answer.
    expect(response.headers?.["x-hop"]).toBe("first");
  });

  test("credentials stay at home when another host is named, and go along otherwise", async () => {
    const other = await openTarget(({ headers }, response) => response.end(headers.authorization ?? "none"));
    try {
      const sendTo = (to: string) =>
        bench.responseTo(bench.sql`
          select net.http_get(${`${target.url}/elsewhere`}, params => ${JSON.stringify({ to })}::text::jsonb,
            headers => '{"Authorization": "Bearer secret"}') as id`);
      expect((await sendTo(other.url)).content).toBe("none");
      expect((await sendTo("/echo")).content).toContain("Bearer secret");
    } finally {
      await other.close();
    }
  });

  test("a circle ends after 30 redirects, and another protocol is refused", async () => {
    expect((await get("/circle")).error_msg).toBe("Number of redirects hit maximum amount");
    expect(target.arrivals.filter(({ path }) => path === "/circle")).toHaveLength(31);
    expect((await get("/elsewhere?to=file:///etc/passwd")).error_msg).toBe("Unsupported protocol");
  });
});

describe("failures, in curl's words", () => {
  test("a target that never answers runs into the request's own limit, with the time put down to the HTTP part", async () => {
    const row = await getWithin(`${target.url}/silent`, 120);
    expect(row).toMatchObject({ status_code: null, content: null, headers: null, timed_out: true });
    const message =
      /^Timeout of 120 ms reached\. Total time: (\d+\.\d{6}) ms \(DNS time: (\d+\.\d{6}) ms, TCP\/SSL handshake time: (\d+\.\d{6}) ms, HTTP Request\/Response time: (\d+\.\d{6}) ms\)$/;
    const [, total, , , http] = message.exec(row.error_msg ?? "") ?? [];
    expect(Number(total)).toBeGreaterThanOrEqual(119);
    expect(Number(http)).toBeGreaterThan(100);
  });

  test("the limit also holds while the body is coming", async () => {
    expect(await getWithin(`${target.url}/slow-body`, 100)).toMatchObject({ timed_out: true, content: null });
  });

  test("5 s is the limit of a request that names none", async () => {
    const limits = await bench.sql
      .begin(async (transaction) => {
        await transaction`select net.http_get('http://127.0.0.1:1'), net.http_post('http://127.0.0.1:1'), net.http_delete('http://127.0.0.1:1')`;
        const rows = await transaction`select timeout_milliseconds from net.http_request_queue`;
        throw Object.assign(new Error("undo"), {
          limits: rows.map(({ timeout_milliseconds }) => timeout_milliseconds),
        });
      })
      .catch((error: Error & { limits?: number[] }) => error.limits);
    expect(limits).toEqual([5_000, 5_000, 5_000]);
  });

  test("nobody listens: Couldn't connect to server", async () => {
    const closed = await openTarget();
    await closed.close();
    expect(await getWithin(closed.url, 30_000)).toMatchObject({
      status_code: null,
      timed_out: false,
      error_msg: "Couldn't connect to server",
    });
  });

  test("a name that does not exist: Couldn't resolve host name", async () => {
    expect((await getWithin("http://no-such-host.invalid/", 30_000)).error_msg).toBe(
      "Couldn't resolve host name",
    );
  });

  test("a target that hangs up: Server returned nothing; in the middle of the body: Transferred a partial file", async () => {
    const rude = net.createServer((socket) => socket.once("data", () => socket.end()));
    await new Promise<void>((resolve) => rude.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = rude.address() as AddressInfo;
      const row = await getWithin(`http://127.0.0.1:${port}/`, 30_000);
      expect(row.error_msg).toBe("Server returned nothing (no headers, no data)");
    } finally {
      await new Promise((resolve) => rude.close(resolve));
    }
    expect((await get("/half")).error_msg).toBe("Transferred a partial file");
  });

  test("ftp:// passes the parser and is refused by the worker: Unsupported protocol", async () => {
    expect((await getWithin("ftp://127.0.0.1/file", 30_000)).error_msg).toBe("Unsupported protocol");
  });

  test("a line break in a header cannot smuggle another one", async () => {
    const row = await bench.responseTo(bench.sql`
      select net.http_get(${`${target.url}/smuggled`}, headers => jsonb_build_object('x', E'1\r\nx-evil: 1')) as id`);
    expect(row.error_msg).toBe("A libcurl function was given a bad argument");
    expect(target.arrivals.filter(({ path }) => path === "/smuggled")).toHaveLength(0);
  });

  test("a kept connection that the target closed meanwhile is replaced, not reported", async () => {
    const short = http.createServer((_, response) => response.end("ok"));
    short.keepAliveTimeout = 30;
    await new Promise<void>((resolve) => short.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(short.address() as AddressInfo).port}/`;
      for (let attempt = 0; attempt < 4; attempt += 1) {
        expect(await getWithin(url, 30_000)).toMatchObject({ status_code: 200, error_msg: null });
        await new Promise((resolve) => setTimeout(resolve, 25 + attempt * 5));
      }
    } finally {
      await new Promise((resolve) => short.close(resolve));
    }
  });
});
