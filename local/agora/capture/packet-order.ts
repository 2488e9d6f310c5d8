export interface Ordered {
  sequence: number;
}

/**
 * Gives packets in the order of their numbers. A missing one is waited for until `giveUpMs` have passed since the first that came
 * after it; then what follows is marked as coming after a gap. Copies and packets that come too late are dropped.
 */
export class PacketOrder<Packet extends Ordered> {
  readonly #giveUpMs: number;
  readonly #waiting = new Map<number, { packet: Packet; at: number }>();
  #next: number | null = null;

  constructor(giveUpMs: number) {
    this.#giveUpMs = giveUpMs;
  }

  push(packet: Packet, at: number): void {
    this.#next ??= packet.sequence;
    // A number behind the next one: a copy, or too late.
    if (distance(this.#next, packet.sequence) < 0) return;
    this.#waiting.set(packet.sequence, { packet, at });
  }

  /** Everything whose turn has come. */
  take(now: number): { packet: Packet; followsGap: boolean }[] {
    const ready: { packet: Packet; followsGap: boolean }[] = [];
    let followsGap = false;
    while (this.#next !== null && this.#waiting.size > 0) {
      const found = this.#waiting.get(this.#next);
      if (found) {
        this.#waiting.delete(this.#next);
        this.#next = (this.#next + 1) & 0xffff;
        ready.push({ packet: found.packet, followsGap });
        followsGap = false;
        continue;
      }
      const oldest = Math.min(...[...this.#waiting.values()].map(({ at }) => at));
      if (now - oldest < this.#giveUpMs) break;
      const from = this.#next;
      const sequences = [...this.#waiting.keys()].sort((a, b) => distance(from, a) - distance(from, b));
      this.#next = sequences[0] ?? null;
      followsGap = true;
    }
    return ready;
  }
}

/** From one 16-bit number to another, -32768 to 32767. */
function distance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}
