// @ts-check
/** Tells a stream that has stopped from one that is merely quiet. */

export const STALL_MS = 3000;

/** Watches a packet counter: the mixer sends all the time, silence included. */
export class StallDetector {
  /** @param {number} nowMs Any steady clock. */
  constructor(nowMs) {
    this.packets = -1;
    this.grewAtMs = nowMs;
    this.seenAtMs = nowMs;
  }

  /**
   * @param {number} packets Received so far.
   * @param {number} nowMs
   * @returns {boolean} True once the counter has stood still for 3 s.
   */
  note(packets, nowMs) {
    // A laptop that slept was not listening: it gets a fresh 3 s.
    const slept = nowMs - this.seenAtMs > STALL_MS;
    this.seenAtMs = nowMs;
    if (packets !== this.packets || slept) {
      this.packets = packets;
      this.grewAtMs = nowMs;
    }
    return nowMs - this.grewAtMs >= STALL_MS;
  }
}
