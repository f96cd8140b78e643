// @ts-check
/** The loudspeaker, with the level of what it plays; browsers may ask for a tap first. */

import { Meter } from "./meter.js";

export class Player {
  constructor() {
    this.element = document.createElement("audio");
    this.element.dataset.testid = "player";
    this.element.autoplay = true;
    /** @type {Meter | null} */
    this.meter = null;
    /** @type {(blocked: boolean) => void} */
    this.onblocked = () => undefined;
    document.body.append(this.element);
  }

  /** @param {MediaStreamTrack} track */
  play(track) {
    const stream = new MediaStream([track]);
    this.element.srcObject = stream;
    this.meter?.close();
    this.meter = new Meter(stream);
    return this.resume();
  }

  /** Play, or tell `onblocked` that a tap is needed: call again from its handler. */
  async resume() {
    try {
      await this.element.play();
      void this.meter?.resume();
      this.onblocked(false);
    } catch (error) {
      // AbortError: a newer stream took this one's place.
      if (error instanceof DOMException && error.name === "NotAllowedError") this.onblocked(true);
    }
  }

  close() {
    this.meter?.close();
    this.element.srcObject = null;
    this.element.remove();
  }
}
