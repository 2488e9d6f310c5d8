import { expect, test } from "vitest";
import { AccessUnits } from "../capture/access-units.ts";
import { PacketOrder } from "../capture/packet-order.ts";
import { RtpClock } from "../capture/rtp-clock.ts";

const key = () => Buffer.from([0x78, 0, 1, 0x67, 0, 2, 0x65, 1]);
const keyWithoutParameters = () => Buffer.from([0x65, 1]);
const delta = () => Buffer.from([0x41, 2, 2]);
const startCode = [0, 0, 0, 1];
const fragment = (flags: number, ...bytes: number[]) => Buffer.from([0x7c, flags | 5, ...bytes]);

test("pictures are put together from single, aggregated and fragmented units", () => {
  const units = new AccessUnits();
  const parameters = [0x67, 9];
  const aggregated = Buffer.from([0x78, 0, 2, ...parameters, 0, 4, 0x65, 1, 1, 1]);
  expect(units.push(aggregated, 1, true)).toEqual({
    data: Buffer.from([...startCode, ...parameters, ...startCode, 0x65, 1, 1, 1]),
    rtpTime: 1,
    isKey: true,
  });
  expect(units.push(delta(), 2, true)?.data).toEqual(Buffer.from([...startCode, 0x41, 2, 2]));
  expect(units.push(fragment(0x80, 1), 3, false)).toBeNull();
  expect(units.push(fragment(0, 2), 3, false)).toBeNull();
  expect(units.push(fragment(0x40, 3), 3, true)?.data).toEqual(Buffer.from([...startCode, 0x65, 1, 2, 3]));
});

test("nothing is shown before the first key picture, and after a gap not before the next", () => {
  const units = new AccessUnits();
  expect(units.push(delta(), 1, true)).toBeNull();
  expect(units.push(keyWithoutParameters(), 1, true)).toBeNull();
  expect(units.needsKey).toBe(true);
  expect(units.push(key(), 2, true)).not.toBeNull();
  units.gap();
  expect(units.push(key(), 3, true)).toBeNull();
  expect(units.push(delta(), 4, true)).toBeNull();
  expect(units.push(key(), 5, true)?.rtpTime).toBe(5);
  expect(units.needsKey).toBe(false);
});

test("a publisher that stops in the middle of a picture costs that picture and asks for a whole one", () => {
  const units = new AccessUnits();
  expect(units.push(key(), 1, true)).not.toBeNull();
  expect(units.push(fragment(0x80, 1), 2, false)).toBeNull();
  expect(units.push(delta(), 3, true)).toBeNull();
  expect(units.needsKey).toBe(true);
  expect(units.push(key(), 4, true)?.rtpTime).toBe(4);
});

test.each([
  ["an empty payload", Buffer.alloc(0)],
  ["a fragment without its beginning", fragment(0x40, 1)],
  ["an aggregate that is longer than its packet", Buffer.from([0x78, 0, 200, 1])],
])("%s breaks no more than its picture", (_, payload) => {
  const units = new AccessUnits();
  expect(units.push(key(), 1, true)).not.toBeNull();
  expect(units.push(payload, 2, true)).toBeNull();
  expect(units.push(key(), 3, true)?.rtpTime).toBe(3);
});

const numbers = (taken: { packet: { sequence: number }; followsGap: boolean }[]) =>
  taken.map(({ packet, followsGap }) => (followsGap ? `gap ${packet.sequence}` : packet.sequence));

test("packets come out in order, across the wrap of their numbers, and copies once", () => {
  const order = new PacketOrder<{ sequence: number }>(200);
  for (const sequence of [65_534, 0, 65_535, 65_535, 1, 0]) order.push({ sequence }, 0);
  expect(numbers(order.take(0))).toEqual([65_534, 65_535, 0, 1]);
});

test("a missing packet is waited for, then given up; what comes later than that is dropped", () => {
  const order = new PacketOrder<{ sequence: number }>(200);
  for (const sequence of [1, 2, 4, 5]) order.push({ sequence }, 0);
  expect(numbers(order.take(100))).toEqual([1, 2]);
  order.push({ sequence: 3 }, 150);
  expect(numbers(order.take(150))).toEqual([3, 4, 5]);
  order.push({ sequence: 8 }, 300);
  expect(numbers(order.take(499))).toEqual([]);
  expect(numbers(order.take(500))).toEqual(["gap 8"]);
  order.push({ sequence: 7 }, 600);
  expect(numbers(order.take(900))).toEqual([]);
});

const takes = (clock: RtpClock, rtpTime: number, at: number) => clock.capturedAt(clock.arrived(rtpTime, at));

test("the moment of capture follows the earliest arrivals, then what the sender says", () => {
  const clock = new RtpClock(90_000);
  expect(takes(clock, 0, 1_000)).toBe(1_000);
  // A packet that is held up changes nothing; an earlier one does.
  expect(takes(clock, 9_000, 1_180)).toBeCloseTo(1_100, 0);
  expect(takes(clock, 18_000, 1_190)).toBeCloseTo(1_190, 0);
  clock.reported(18_000, 1_175, 1_195);
  expect(takes(clock, 27_000, 1_300)).toBeCloseTo(1_275, 0);
});

test("what came late is placed by its time as soon as that is known, by what came after it", () => {
  const clock = new RtpClock(90_000);
  // The process stood still for two seconds; then everything came at once.
  const late = clock.arrived(0, 3_000);
  expect(clock.capturedAt(late)).toBe(3_000);
  expect(takes(clock, 90_000, 3_000)).toBe(3_000);
  expect(clock.capturedAt(late)).toBe(2_000);
  clock.arrived(180_000, 3_010);
  clock.reported(180_000, 3_000, 3_010);
  expect(clock.capturedAt(late)).toBe(1_000);
});

test("a sender that stood still and says when it made what it sends is believed over its late packets", () => {
  const clock = new RtpClock(90_000);
  clock.arrived(0, 1_000);
  clock.reported(0, 1_000, 1_000);
  const late = clock.arrived(90_000, 6_000);
  clock.reported(90_000, 2_000, 6_000);
  expect(clock.capturedAt(late)).toBe(2_000);
});

test("after a pause in which a sender's time stood, its old statement is not believed", () => {
  const clock = new RtpClock(48_000);
  clock.arrived(0, 1_000);
  clock.reported(0, 1_000, 1_000);
  clock.arrived(960, 6_020);
  const moment = clock.arrived(1_920, 6_040);
  clock.arrived(960 * 100, 8_000);
  expect(clock.capturedAt(moment)).toBeCloseTo(6_040, 0);
  clock.reported(960 * 101, 8_010, 8_020);
  expect(clock.capturedAt(moment)).toBeCloseTo(6_030, 0);
});

test("a sender whose clock is elsewhere is not believed, and one that begins anew is followed", () => {
  const clock = new RtpClock(48_000);
  clock.arrived(0, 1_000);
  clock.reported(0, -99_000, 1_000);
  expect(takes(clock, 4_800, 1_100)).toBeCloseTo(1_100, 0);
  clock.reported(0, 99_000, 1_100);
  expect(takes(clock, 9_600, 1_200)).toBeCloseTo(1_200, 0);
  expect(takes(clock, 4_800_000, 1_300)).toBeCloseTo(1_300, 0);
  expect(takes(clock, 4_804_800, 1_400)).toBeCloseTo(1_400, 0);
});

test("times go on across the wrap of RTP time", () => {
  const clock = new RtpClock(90_000);
  expect(takes(clock, 2 ** 32 - 9_000, 1_000)).toBe(1_000);
  expect(takes(clock, 9_000, 1_200)).toBeCloseTo(1_200, 0);
});
