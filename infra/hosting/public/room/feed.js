// @ts-check
/** Polls `room.json`: once a second while somebody looks, seldom when nobody does. */

import { jsonOf, nearby, Problem, request } from "../http.js";

const VISIBLE_MS = 1000;
const HIDDEN_MS = 5000;
const FAILING_MS = 3000;

export class RoomFeed {
  /**
   * @param {object} options
   * @param {() => boolean} options.needed Asked before each poll.
   * @param {(room: import("./roster.js").Room) => void} options.onroom
   */
  constructor({ needed, onroom }) {
    this.needed = needed;
    this.onroom = onroom;
    this.url = "";
    this.timer = 0;
    this.running = false;
    this.poll = this.poll.bind(this);
  }

  /** @param {string} url The present epoch's; may change while running. */
  follow(url) {
    this.url = nearby(url);
    if (this.running) return;
    this.running = true;
    document.addEventListener("visibilitychange", this.poll);
    void this.poll();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.poll);
  }

  async poll() {
    clearTimeout(this.timer);
    let delayMs = document.hidden ? HIDDEN_MS : VISIBLE_MS;
    try {
      if (this.needed()) this.onroom(await this.#read());
    } catch (problem) {
      // 404: the worker has not written it yet.  Media tells of anything worse.
      if (!(problem instanceof Problem) || problem.status !== 404) delayMs = FAILING_MS;
    }
    clearTimeout(this.timer);
    if (this.running) this.timer = window.setTimeout(this.poll, delayMs);
  }

  /** @returns {Promise<import("./roster.js").Room>} From the cache where that is fresh. */
  async #read() {
    const response = await request("GET", this.url);
    return jsonOf(response);
  }
}
