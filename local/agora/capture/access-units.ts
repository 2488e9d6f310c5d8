const startCode = Buffer.from([0, 0, 0, 1]);
const fragmented = 28;
const aggregated = 24;
const keyPicture = 5;
const parameterSet = 7;

export interface AccessUnit {
  /** H.264 in Annex B. */
  data: Buffer;
  rtpTime: number;
  /** True for a whole picture with its parameters: what a decoder can begin with. */
  isKey: boolean;
}

/**
 * Puts pictures together out of the RTP payloads of H.264 (RFC 6184, packetization-mode 1: single, aggregated and fragmented
 * units). After a gap everything is dropped until the next key picture, because what refers to a missing picture is rubbish.
 */
export class AccessUnits {
  #units: Buffer[] = [];
  #fragments: Buffer[] = [];
  #rtpTime: number | null = null;
  #isKey = false;
  #hasParameters = false;
  #isBroken = false;
  #waitsForKey = true;

  /** True while only a key picture helps. */
  get needsKey(): boolean {
    return this.#waitsForKey;
  }

  /** What came before is not the beginning of what comes. */
  gap(): void {
    this.#waitsForKey = true;
    this.#drop();
    this.#isBroken = true;
  }

  /** Takes the next packet in order; gives the picture that it completes. */
  push(payload: Buffer, rtpTime: number, marker: boolean): AccessUnit | null {
    if (this.#rtpTime !== null && this.#rtpTime !== rtpTime) {
      // A picture without an end: its last packet was never sent.
      this.#drop();
      this.#waitsForKey = true;
    }
    this.#rtpTime = rtpTime;
    this.#add(payload);
    if (!marker) return null;
    const unit = this.#isBroken || this.#units.length === 0 ? null : this.#complete(rtpTime);
    const wasBroken = this.#isBroken;
    this.#drop();
    if (wasBroken) this.#waitsForKey = true;
    if (!unit || (this.#waitsForKey && !unit.isKey)) return null;
    this.#waitsForKey = false;
    return unit;
  }

  #complete(rtpTime: number): AccessUnit {
    return { data: Buffer.concat(this.#units), rtpTime, isKey: this.#isKey && this.#hasParameters };
  }

  #drop(): void {
    this.#units = [];
    this.#fragments = [];
    this.#rtpTime = null;
    this.#isKey = false;
    this.#hasParameters = false;
    this.#isBroken = false;
  }

  #add(payload: Buffer): void {
    const type = (payload[0] ?? 0) & 0x1f;
    if (type === fragmented) this.#addFragment(payload);
    else if (type === aggregated) this.#addAggregated(payload);
    else this.#addUnit(payload);
  }

  #addAggregated(payload: Buffer): void {
    for (let at = 1; at + 2 <= payload.length; ) {
      const size = payload.readUInt16BE(at);
      if (size === 0 || at + 2 + size > payload.length) {
        this.#isBroken = true;
        return;
      }
      this.#addUnit(payload.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
  }

  #addFragment(payload: Buffer): void {
    const [indicator = 0, header = 0] = payload;
    const [isFirst, isLast] = [(header & 0x80) !== 0, (header & 0x40) !== 0];
    if (isFirst) this.#fragments = [Buffer.from([(indicator & 0xe0) | (header & 0x1f)])];
    else if (this.#fragments.length === 0) {
      this.#isBroken = true;
      return;
    }
    this.#fragments.push(payload.subarray(2));
    if (!isLast) return;
    this.#addUnit(Buffer.concat(this.#fragments));
    this.#fragments = [];
  }

  #addUnit(unit: Buffer): void {
    if (unit.length === 0) {
      this.#isBroken = true;
      return;
    }
    const type = (unit[0] ?? 0) & 0x1f;
    if (type === keyPicture) this.#isKey = true;
    if (type === parameterSet) this.#hasParameters = true;
    this.#units.push(startCode, unit);
  }
}
