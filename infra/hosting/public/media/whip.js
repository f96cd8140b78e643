// @ts-check
/** Talking: one WHIP session with the microphone and the stage's data channel. */

import { closeResource, connected, openResource, watchConnection } from "./exchange.js";

/**
 * @typedef {object} StageNetwork Somebody on stage, as hosts are told of them.
 * @property {string} uid
 * @property {"good" | "fair" | "poor"} grade
 * @property {number} sent_lost Share of what they say that is lost, 0 to 1.
 * @property {number} heard_lost Share of what they miss, likewise.
 * @property {number} jitter_ms How unevenly what they say arrives.
 */

/**
 * @typedef {{type: "room", room: import("../room/roster.js").Room}
 *   | {type: "you", role: import("../api.js").Role, muted: boolean, removed: boolean}
 *   | {type: "network", people: StageNetwork[]}
 *   | {type: "closing", reason: string}} StageMessage
 */

/** One sending peer connection. */
export class Whip {
  /**
   * @param {RTCIceServer[]} iceServers
   * @param {MediaStreamTrack | null} track The microphone; null where there is none.
   */
  constructor(iceServers, track) {
    this.pc = new RTCPeerConnection({ iceServers });
    this.sender = this.pc.addTransceiver(track ?? "audio", { direction: "sendonly" }).sender;
    this.channel = this.pc.createDataChannel("stage");
    this.channel.onmessage = (event) => this.onmessage(JSON.parse(event.data));
    /** @type {import("./exchange.js").Resource | null} */
    this.resource = null;
    /** @type {() => void} */
    this.onlost = () => undefined;
    /** @type {(message: StageMessage) => void} */
    this.onmessage = () => undefined;
  }

  /** Whether the worker can tell us things at once. */
  get informed() {
    return this.channel.readyState === "open";
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
    watchConnection(this.pc, this.sender.transport, () => this.onlost());
  }

  /** @param {MediaStreamTrack} track */
  use(track) {
    return this.sender.replaceTrack(track);
  }

  /** @returns {Promise<boolean>} Whether another device of ours had taken its place. */
  close() {
    this.onlost = () => undefined;
    this.onmessage = () => undefined;
    this.pc.close();
    const { resource } = this;
    this.resource = null;
    return closeResource(resource);
  }
}
