// @ts-check
/** One's own voice: the microphone, whether it is heard, and how loud it is. */

import { Meter } from "../media/meter.js";
import { Microphone } from "../media/microphone.js";

/** The worker tells of each change in turn, a little after we made it. */
const ECHO_MS = 1500;

export class Voice {
  muted = true;
  #changedAtMs = -Infinity;
  #serverMuted = false;
  /** @type {boolean | null} What the server is still to be told: the latest alone. */
  #wish = null;
  #telling = false;
  #microphone = new Microphone();
  /** @type {Meter | null} */
  #meter = null;

  /**
   * @param {object} options
   * @param {(muted: boolean) => Promise<unknown>} options.tell Lets the server know.
   * @param {() => void} options.onlost The device went away.
   */
  constructor({ tell, onlost }) {
    this.tell = tell;
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

  /**
   * Mute or unmute: at once here, then at the server, one change after the other.
   *
   * @param {boolean} muted
   * @returns {Promise<void>} At once where an earlier change is on its way still; its
   *   promise is then for this one too.
   * @throws {import("../http.js").Problem} The server refused; we are muted then.
   */
  async change(muted) {
    this.mute(muted);
    this.#wish = muted;
    if (this.#telling) return;
    this.#telling = true;
    try {
      await this.#tellWishes();
    } finally {
      this.#telling = false;
      this.#changedAtMs = performance.now();
    }
  }

  /** Two requests at once may overtake each other, and the older would have its way. */
  async #tellWishes() {
    while (this.#wish !== null) {
      const muted = this.#wish;
      this.#wish = null;
      try {
        await this.tell(muted);
      } catch (problem) {
        if (this.#wish !== null) continue; // nobody wants that one any more
        this.mute(true); // silence is the safe side of a doubt
        throw problem;
      }
    }
  }

  /**
   * Obey what the server says, once echoes of our own changes are over.
   *
   * @param {boolean} muted
   * @param {() => void} onmuted Somebody else has muted us.
   */
  obey(muted, onmuted) {
    this.#serverMuted = muted;
    if (!muted || this.muted) return;
    const sinceMs = this.#telling ? 0 : performance.now() - this.#changedAtMs;
    const echoMs = ECHO_MS - sinceMs;
    if (echoMs > 0) {
      setTimeout(() => this.obey(this.#serverMuted, onmuted), echoMs);
      return;
    }
    this.mute(true);
    onmuted();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.#microphone.enable(!muted);
  }

  close() {
    this.mute(true);
    this.#wish = null;
    this.#meter?.close();
    this.#meter = null;
    this.#microphone.close();
  }
}
