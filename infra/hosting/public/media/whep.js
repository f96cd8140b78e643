// @ts-check
/** Hearing: one WHEP session, its track, who is in it, and whether it still flows. */

import { closeResource, connected, openResource, watchConnection } from "./exchange.js";
import { StallDetector } from "./stall.js";

const CHECK_MS = 1000;

/** One receiving peer connection; `onlost` is called at most once. */
export class Whep {
  /** @param {RTCIceServer[]} iceServers */
  constructor(iceServers) {
    this.pc = new RTCPeerConnection({ iceServers });
    this.receiver = this.pc.addTransceiver("audio", { direction: "recvonly" }).receiver;
    /** @type {import("./exchange.js").Resource | null} */
    this.resource = null;
    /** @type {() => void} */
    this.onlost = () => undefined;
    this.timer = 0;
  }

  /**
   * @param {string} url
   * @param {string} grant
   * @param {AbortSignal} signal
   * @throws {Error} Refused (`Problem`) or not connected in time.
   */
  async open(url, grant, signal) {
    this.resource = await openResource(this.pc, url, grant, signal);
    await connected(this.pc, signal);
    watchConnection(this.pc, this.receiver.transport, () => this.#lost());
    const detector = new StallDetector(performance.now());
    this.timer = window.setInterval(() => this.#check(detector), CHECK_MS);
  }

  /**
   * Those who are heard now, by the CSRCs of the last packets (RFC 3550 5.1).
   *
   * @returns {number[] | null} null where the browser cannot tell.
   */
  contributing() {
    if (!this.receiver.getContributingSources) return null;
    return this.receiver.getContributingSources().map(({ source }) => source);
  }

  /** @returns {Promise<boolean>} Whether another device of ours had taken its place. */
  close() {
    clearInterval(this.timer);
    this.onlost = () => undefined;
    this.pc.close();
    const { resource } = this;
    this.resource = null;
    return closeResource(resource);
  }

  /** @param {StallDetector} detector */
  async #check(detector) {
    const packets = packetsIn(await this.pc.getStats());
    if (detector.note(packets, performance.now())) this.#lost();
  }

  #lost() {
    clearInterval(this.timer);
    this.onlost();
  }
}

/**
 * @param {RTCStatsReport} stats
 * @returns {number} 0 before the first packet too, when there is no report of any.
 */
export function packetsIn(stats) {
  let packets = 0;
  for (const report of stats.values())
    if (report.type === "inbound-rtp") packets += report.packetsReceived;
  return packets;
}
