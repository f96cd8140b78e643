// @ts-check
/** The one Space that this page is in, wherever in the app one looks. */

export class Present {
  /** @type {import("./session.js").RoomSession | null} */
  session = null;
  #listening = new AbortController();

  /**
   * @param {object} options
   * @param {() => void} options.onchange
   * @param {(session: import("./session.js").RoomSession,
   *   problem: import("../http.js").Problem | null) => void} options.onend The Space
   *   ended (null), or let us in no longer; nobody asked for it here.
   */
  constructor({ onchange, onend }) {
    this.onchange = onchange;
    this.onend = onend;
    // The page goes away, or into the back-forward cache: nobody hears us any more.
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  /**
   * Be in this Space from now on, and leave the one before.
   *
   * @param {import("./session.js").RoomSession} session
   */
  take(session) {
    this.leave();
    this.#listening = new AbortController();
    this.session = session;
    const gone = (/** @type {import("../http.js").Problem | null} */ problem) => {
      this.#forget();
      this.onend(session, problem);
    };
    session.on("over", gone, this.#listening.signal);
    session.on("refused", gone, this.#listening.signal);
    this.onchange();
  }

  leave() {
    this.session?.leave();
    this.#forget();
  }

  #forget() {
    this.#listening.abort();
    if (!this.session) return;
    this.session = null;
    this.onchange();
  }
}
