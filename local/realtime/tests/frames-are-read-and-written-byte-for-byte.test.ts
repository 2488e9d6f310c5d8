import { createClient } from "@supabase/supabase-js";
import { expect, test } from "vitest";
import { decodeBinary, decodeText, encodeBroadcast, encodeText, FrameError } from "../frames.ts";

const message = { joinRef: "1", ref: "2", topic: "realtime:t", event: "e", payload: { a: 1 } };

test("a text message is an array in 2.0.0 and an object in 1.0.0", () => {
  expect(encodeText("2.0.0", message)).toBe('["1","2","realtime:t","e",{"a":1}]');
  expect(JSON.parse(encodeText("1.0.0", message))).toEqual({
    topic: "realtime:t",
    event: "e",
    payload: { a: 1 },
    ref: "2",
    join_ref: "1",
  });
  for (const vsn of ["1.0.0", "2.0.0"] as const)
    expect(decodeText(vsn, encodeText(vsn, message))).toEqual(message);
  expect(decodeText("1.0.0", '{"topic":"t","event":"e","payload":{}}')).toMatchObject({
    joinRef: null,
    ref: null,
  });
});

test("what is no message is refused", () => {
  for (const text of ["", "{}", "[]", "[1,2,3,4,5]", '[{},"2","t","e",{}]', "null", '["1","2","t","e"]']) {
    expect(() => decodeText("2.0.0", text)).toThrow(FrameError);
  }
  for (const text of ["[]", "null", '{"topic":"t"}', '"x"']) {
    expect(() => decodeText("1.0.0", text)).toThrow(FrameError);
  }
});

test("a binary broadcast is read by its byte lengths", () => {
  const strings = ["1", "22", "realtime:täglich", "ereignis", '{"persist":true}'].map((text) =>
    Buffer.from(text),
  );
  const payload = Buffer.from('{"n":1}');
  const frame = Buffer.concat([
    Buffer.from([3, ...strings.map((bytes) => bytes.length), 1]),
    ...strings,
    payload,
  ]);
  expect(decodeBinary(frame)).toEqual({
    joinRef: "1",
    ref: "22",
    topic: "realtime:täglich",
    event: "ereignis",
    metadata: { persist: true },
    encoding: "json",
    bytes: payload,
  });
  expect(decodeBinary(Buffer.from([3, 0, 0, 0, 0, 0, 0, 123]))).toMatchObject({
    joinRef: null,
    ref: null,
    encoding: "raw",
    bytes: Buffer.from([123]),
  });
  for (const bytes of [[], [3], [4, 0, 0, 0, 0, 0, 0], [3, 9, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 1, 123]]) {
    expect(() => decodeBinary(Buffer.from(bytes))).toThrow(FrameError);
  }
});

test("the client's own serializer reads what is written, and refuses nothing that fits", () => {
  const read = (frame: Buffer) => {
    let result: unknown;
    const bytes = frame.buffer.slice(frame.byteOffset, frame.byteOffset + frame.length) as ArrayBuffer;
    // The client's own serializer, by way of a client that never connects.
    createClient("http://127.0.0.1:1", "sb_publishable_x").realtime.serializer.decode(
      bytes,
      (decoded: unknown) => {
        result = decoded;
      },
    );
    return result;
  };
  const json = { event: "größer", encoding: "json", bytes: Buffer.from('{"n":1}') } as const;
  const frame = encodeBroadcast("realtime:t", json, { id: "x" });
  expect(frame && read(frame)).toMatchObject({
    topic: "realtime:t",
    event: "broadcast",
    payload: { type: "broadcast", event: "größer", payload: { n: 1 }, meta: { id: "x" } },
  });
  expect(encodeBroadcast("t".repeat(255), json)).not.toBeNull();
  expect(encodeBroadcast("t".repeat(256), json)).toBeNull();
});
