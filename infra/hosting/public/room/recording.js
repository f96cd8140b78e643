// @ts-check
/** What one person in a room knows of its recording: its state, and their own answer. */

import { getRecording, myConsent, OPEN } from "../api/recordings.js";
import { noteShown } from "./notice_door.js";
import { playTone } from "./tone.js";

const TALLY_MS = 5000; // each look is two reads of the store
const RETRY_MS = 2000;

/** @typedef {import("../api/recordings.js").RecordingState} RecordingState */

export class RoomRecording {
  /** @type {RecordingState} */
  state = "off";
  /** @type {{granted: number, asked: number} | null} */
  tally = null;
  #asked = false;
  #timer = 0;
  #stopped = false;

  /**
   * @param {import("./session.js").RoomSession} session
   * @param {object} options
   * @param {() => void} options.onchange
   * @param {(consent: import("../api/recordings.js").Consent) => void} options.onask
   *   Once in a recording, where one has not answered.
   */
  constructor(session, { onchange, onask }) {
    this.session = session;
    this.onchange = onchange;
    this.onask = onask;
  }

  get open() {
    return OPEN.has(this.state);
  }

  /** Look at what the room says; call it with every change. */
  look() {
    const { room, onStage, space } = this.session;
    const state = /** @type {RecordingState} */ (room?.recording_state ?? "off");
    if (state !== this.state) this.#moved(state);
    if (room?.recording_notice_version) noteShown(space.id, room.recording_notice_version);
    if (this.open && onStage && !this.#asked) void this.#ask();
    if (this.open && this.session.manages) this.#count();
  }

  /** Ask the server how many have agreed; hosts alone are told. */
  async refresh() {
    if (!this.session.manages) return;
    const seen = await getRecording(this.session.space.id).catch(() => null);
    if (!seen) return;
    this.tally = seen.consents;
    this.onchange();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param {RecordingState} state */
  #moved(state) {
    const before = this.state;
    this.state = state;
    if (state === "recording" && before !== "paused") playTone();
    if (!this.open) {
      this.tally = null;
      clearTimeout(this.#timer);
      this.#timer = 0;
    }
    if (state === "recording") this.session.emit("said", "This Space is being recorded.");
    if (before === "recording" && state === "paused") this.session.emit("said", "The recording is paused.");
    if (OPEN.has(before) && !this.open) this.session.emit("said", "The recording has ended.");
  }

  async #ask() {
    this.#asked = true;
    const consent = await myConsent(this.session.space.id).catch(() => null);
    if (this.#stopped) return;
    if (consent) return consent.state === "asked" && this.#askOnce(consent);
    this.#asked = false;
    setTimeout(() => this.#stopped || this.look(), RETRY_MS); // a quiet room never changes
  }

  /**
   * Whoever closed the question is not asked again, not even after a reload.
   *
   * @param {import("../api/recordings.js").Consent} consent
   */
  #askOnce(consent) {
    const key = `parley.asked.${this.session.space.id}.${this.session.uid}`;
    if (sessionStorage.getItem(key)) return;
    sessionStorage.setItem(key, "yes");
    this.onask(consent);
  }

  #count() {
    if (this.#timer) return;
    const again = () => {
      this.#timer = window.setTimeout(() => {
        if (this.open && !this.#stopped) void this.refresh().finally(again);
      }, TALLY_MS);
    };
    void this.refresh();
    again();
  }
}
