// @ts-check
/** One's own voice: the microphone, whether it is heard, and how loud it is. */

import { Meter } from "../media/meter.js";
import { Microphone } from "../media/microphone.js";

export class Voice {
  muted = true;
  #microphone = new Microphone();
  /** @type {Meter | null} */
  #meter = null;

  /** @param {() => void} onlost The device went away. */
  constructor(onlost) {
    this.#microphone.onended = onlost;
  }

  get track() {
    return this.#microphone.track;
  }

  /** @returns {number} 0 to 1; 0 while muted. */
  level() {
    return this.muted ? 0 : (this.#meter?.level() ?? 0);
  }

  /**
   * Get the microphone, asking for it the first time; it stays as muted as it was.
   *
   * @returns {Promise<MediaStreamTrack>}
   * @throws {import("../http.js").Problem}
   */
  async open() {
    const track = await this.#microphone.open();
    if (!this.#meter && this.#microphone.stream) this.#meter = new Meter(this.#microphone.stream);
    track.enabled = !this.muted;
    return track;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.#microphone.enable(!muted);
  }

  close() {
    this.mute(true);
    this.#meter?.close();
    this.#meter = null;
    this.#microphone.close();
  }
}
