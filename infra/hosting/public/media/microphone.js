// @ts-check
/** The microphone: asked for once, kept through reconnects, gone when we leave. */

import { Problem } from "../http.js";

/** `?raw_audio=1` sends what the device gives, for measurements. */
const PROCESSED = new URLSearchParams(location.search).get("raw_audio") !== "1";

/** @type {Readonly<Record<string, string>>} getUserMedia's error names to problem codes. */
const CODES = Object.freeze({
  NotAllowedError: "mic-denied",
  SecurityError: "mic-denied",
  NotFoundError: "mic-missing",
  OverconstrainedError: "mic-missing",
  NotReadableError: "mic-busy",
  AbortError: "mic-busy",
});

export class Microphone {
  /** @type {MediaStream | null} */
  stream = null;
  /** @type {() => void} Called when the device goes away. */
  onended = () => undefined;

  get track() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  /**
   * Ask for the microphone; it starts muted.
   *
   * @returns {Promise<MediaStreamTrack>}
   * @throws {Problem} `mic-denied`, `mic-missing`, `mic-busy` or `mic-insecure`.
   */
  async open() {
    if (this.track?.readyState === "live") return this.track;
    if (!navigator.mediaDevices) throw new Problem({ code: "mic-insecure", status: 0 });
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: {
          echoCancellation: PROCESSED,
          noiseSuppression: PROCESSED,
          autoGainControl: PROCESSED,
        },
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      throw new Problem({ code: CODES[name] ?? "mic-busy", status: 0 });
    }
    const track = /** @type {MediaStreamTrack} */ (this.track);
    track.enabled = false;
    track.addEventListener("ended", () => this.onended());
    return track;
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    if (this.track) this.track.enabled = enabled;
  }

  close() {
    this.track?.stop();
    this.stream = null;
  }
}
