// @ts-check
/** One's own raised hand, and what became of it. */

import { myStanding } from "../api.js";
import { askToSpeak, withdrawRequest } from "../api/stage.js";

const LOOK_MS = 4000;

export class Hand {
  up = false;
  #timer = 0;
  /** Whether we know how it was before this page: a hand stays up while one reloads. */
  #looked = false;

  /**
   * @param {import("./session.js").RoomSession} session
   * @param {object} options
   * @param {() => void} options.onchange
   * @param {() => void} options.ondeclined
   */
  constructor(session, { onchange, ondeclined }) {
    this.session = session;
    this.onchange = onchange;
    this.ondeclined = ondeclined;
    this.#timer = window.setInterval(() => void this.#tick(), LOOK_MS);
    void this.#tick();
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** @throws {import("../http.js").Problem} */
  async raise() {
    await askToSpeak(this.session.space.id);
    this.#set(true);
  }

  /** @throws {import("../http.js").Problem} */
  async lower() {
    await withdrawRequest(this.session.space.id, this.session.uid);
    this.#set(false);
  }

  async #tick() {
    const { onStage, anonymous, state } = this.session;
    if (onStage || anonymous || state !== "live") return;
    if (this.up || !this.#looked) await this.#look();
  }

  async #look() {
    const mine = await myStanding(this.session.space.id).catch(() => null);
    if (!mine) return;
    this.#looked = true;
    const declined = this.up && mine.speak_request === "declined";
    this.#set(mine.speak_request === "pending" && !mine.on_stage);
    if (declined) this.ondeclined();
  }

  /** @param {boolean} up */
  #set(up) {
    if (up === this.up) return;
    this.up = up;
    this.onchange();
  }
}
