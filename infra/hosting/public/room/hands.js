// @ts-check
/** The hands that are up, for those who answer them: asked for every few seconds. */

import { answerRequest, speakRequests } from "../api/stage.js";

const LOOK_MS = 3000;

/** @typedef {import("../api/stage.js").SpeakRequest} SpeakRequest */

export class Hands {
  /** @type {readonly SpeakRequest[]} Who asked first first. */
  up = [];
  #timer = 0;
  /** @type {Set<string>} Answered here, whatever an older look says. */
  #answered = new Set();

  /**
   * @param {import("./session.js").RoomSession} session
   * @param {object} options
   * @param {() => void} options.onchange
   * @param {(request: SpeakRequest) => void} options.onnew Somebody raised a hand.
   */
  constructor(session, { onchange, onnew }) {
    this.session = session;
    this.onchange = onchange;
    this.onnew = onnew;
    this.#timer = window.setInterval(() => void this.look(), LOOK_MS);
    void this.look();
  }

  stop() {
    clearInterval(this.#timer);
  }

  async look() {
    const { manages, state, space } = this.session;
    if (!manages) return this.#show([]);
    if (document.hidden || state !== "live") return;
    const found = await speakRequests(space.id).catch(() => null);
    if (found) this.#show(found.speak_requests);
  }

  /**
   * @param {string} uid
   * @param {"accept" | "decline"} answer
   * @throws {import("../http.js").Problem} It stays up where it was not answered.
   */
  async answer(uid, answer) {
    this.#answered.add(uid);
    try {
      await answerRequest(this.session.space.id, uid, answer);
    } catch (problem) {
      this.#answered.delete(uid);
      throw problem;
    } finally {
      await this.look();
      this.#answered.delete(uid);
    }
  }

  /** @param {readonly SpeakRequest[]} found */
  #show(found) {
    const before = new Set(this.up.map(({ uid }) => uid));
    const up = found.filter(({ uid }) => !this.#answered.has(uid));
    if (up.length === before.size && up.every(({ uid }) => before.has(uid))) return;
    this.up = up;
    for (const request of up) if (!before.has(request.uid)) this.onnew(request);
    this.onchange();
  }
}
