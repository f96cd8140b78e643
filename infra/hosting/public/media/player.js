// @ts-check
/** The loudspeaker, with the level of what it plays; browsers may ask for a tap first. */

import { Meter } from "./meter.js";

export class Player {
  #blocked = false;

  constructor() {
    this.element = document.createElement("audio");
    this.element.dataset.testid = "player";
    this.element.autoplay = true;
    /** @type {Meter | null} */
    this.meter = null;
    /** @type {() => void} `blocked` has another value. */
    this.onblocked = () => undefined;
    document.body.append(this.element);
  }

  /** Whether the browser waits for a tap. */
  get blocked() {
    return this.#blocked;
  }

  /**
   * Play what WebRTC receives, instead of whatever was played before.
   *
   * @param {MediaStreamTrack} track
   */
  play(track) {
    const stream = new MediaStream([track]);
    this.#unmeter();
    this.element.srcObject = stream;
    this.meter = new Meter(stream);
    return this.resume();
  }

  /** Play what the element has, or tell that it takes a tap: call this from its handler. */
  async resume() {
    try {
      await this.element.play();
      void this.meter?.resume();
      this.#tell(false);
    } catch (error) {
      // AbortError: a newer stream took this one's place.
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#tell(true);
    }
  }

  /** Let go of what was measured; HLS has no level of its own. */
  #unmeter() {
    this.meter?.close();
    this.meter = null;
  }

  /** @param {boolean} blocked */
  #tell(blocked) {
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.onblocked();
  }

  close() {
    this.#unmeter();
    this.element.srcObject = null;
    this.element.remove();
  }
}
