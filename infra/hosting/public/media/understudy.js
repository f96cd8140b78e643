// @ts-check
/** Hears by HLS while WebRTC does not get through, and steps back when it does. */

import { nearby, Problem, request } from "../http.js";
import { backoffMs, pause } from "./backoff.js";
import { attach } from "./broadcast.js";
import { KeyAhead } from "./key_ahead.js";
import { verdictOf } from "./verdict.js";

/** ICE takes less on most networks; HLS takes two seconds to begin. */
const SLOW_MS = 700;
const BEGIN_MS = 12_000;
const CHECK_MS = 1000;
const PATIENCE = 8; // checks: a player mends itself what is shorter
const RENEW_MS = 480_000; // of the ten minutes that a listen token lasts
const RENEW_SIGNED_MS = 240_000; // of the five that a CDN's signature does

/**
 * @typedef {object} UnderstudyPorts
 * @property {import("./player.js").Player} player
 * @property {() => Promise<import("../api.js").ListenPass>} renew A new listen token, which
 *   comes as a cookie too: a player that has begun goes on with it.
 * @property {() => void} changed It began to play, or stopped.
 * @property {() => void} refused We are not let in any more; a join tells why.
 */

export class Understudy {
  playing = false;
  /** Whether this browser can play none of it. */
  #hopeless = false;
  /** Whether we were refused since it last played: one more join at once is enough. */
  #refused = false;
  /** With the listen token of the latest join; empty where there is none. */
  #url = "";
  #timer = 0;
  #run = /** @type {AbortController | null} */ (null);
  #ahead = new KeyAhead();

  /** @param {UnderstudyPorts} ports */
  constructor(ports) {
    this.ports = ports;
  }

  /**
   * Where HLS is, by the latest join.
   *
   * @param {string | null} url null: whoever is on stage does without.
   * @param {{alone: boolean}} options `alone`: there is no WebRTC to wait for.
   */
  offer(url, { alone }) {
    this.#url = url ?? "";
    if (!url) this.stop();
    else if (alone) this.#stepIn(0);
  }

  /** Step in soon, unless WebRTC comes first. */
  need() {
    if (!this.#timer) this.#stepIn(SLOW_MS);
  }

  /** @param {import("../room/roster.js").Room} room */
  follow(room) {
    if (this.playing) this.#ahead.follow(room);
  }

  /** Step back; harmless in every state. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#run?.abort();
    this.#run = null;
    this.#ahead.stop();
  }

  /** @param {number} afterMs */
  #stepIn(afterMs) {
    if (this.#run || !this.#url || this.#hopeless) return;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#play(), afterMs);
  }

  async #play() {
    const run = new AbortController();
    this.#run = run;
    for (let attempt = 0; !run.signal.aborted; attempt += 1) {
      try {
        const url = attempt === 0 ? this.#url : (await this.ports.renew()).hls_url;
        await this.#tune(nearby(url), run.signal, () => (attempt = 0));
      } catch (error) {
        if (run.signal.aborted || this.#givesUp(error)) return;
        const { retryAfterMs } = error instanceof Problem ? error : {};
        await pause(backoffMs(attempt, { retryAfterMs }), run.signal);
      }
    }
  }

  /**
   * Play until told to stop; rejects with why it ended otherwise.
   *
   * @param {string} url
   * @param {AbortSignal} signal
   * @param {() => void} onUp
   */
  async #tune(url, signal, onUp) {
    const { player } = this.ports;
    // Until it answers, the worker has nothing; a player would give up.
    const playlist = await request("GET", url, { signal });
    this.#ahead.learn(await playlist.text());
    let lose = (/** @type {Error} */ _) => {};
    const lost = new Promise((_, reject) => (lose = reject));
    lost.catch(() => undefined); // it may be lost before anybody waits
    const onerror = () => lose(new Error("player failed"));
    const detach = await attach(player.element, url, { onerror, signal });
    const stepBack = () => {
      detach(); // at once: the element is wanted for something else
      lose(new Error("stepped back"));
    };
    if (signal.aborted) return stepBack();
    signal.addEventListener("abort", stepBack, { once: true });
    const renewMs = this.#ahead.isSigned ? RENEW_SIGNED_MS : RENEW_MS;
    const renewing = window.setInterval(() => void this.ports.renew().catch(() => null), renewMs);
    let watching = 0;
    try {
      void player.resume();
      await Promise.race([begun(player), lost]);
      watching = watch(player, () => lose(new Error("stalled")));
      onUp();
      this.#set(true);
      await lost;
    } finally {
      clearInterval(renewing);
      clearInterval(watching);
      if (!signal.aborted) detach();
      signal.removeEventListener("abort", stepBack);
      this.#set(false);
    }
  }

  /** @param {unknown} error */
  #givesUp(error) {
    const unplayable = error instanceof Problem && error.code === "hls-unplayable";
    const refused = verdictOf(error) !== "retry";
    if (!unplayable && !refused) return false;
    this.#hopeless ||= unplayable;
    this.stop();
    if (refused) this.#turnedAway();
    return true;
  }

  /** Have another join at once, and wait for the URL that it answers. */
  #turnedAway() {
    this.#url = "";
    if (!this.#refused) this.ports.refused();
    this.#refused = true;
  }

  /** @param {boolean} playing */
  #set(playing) {
    if (playing === this.playing) return;
    if (playing) this.#refused = false;
    this.playing = playing;
    this.ports.changed();
  }
}

/**
 * Resolve when something is heard, or would be but for a tap.
 *
 * @param {import("./player.js").Player} player
 * @throws {Error} Not in time.
 */
function begun(player) {
  return new Promise((resolve, reject) => {
    const late = () => (player.blocked ? resolve(null) : reject(new Error("silent")));
    const timer = setTimeout(late, BEGIN_MS);
    const done = () => {
      clearTimeout(timer);
      resolve(null);
    };
    player.element.addEventListener("playing", done, { once: true });
  });
}

/**
 * @param {import("./player.js").Player} player
 * @param {() => void} onstall
 * @returns {number} Of the interval.
 */
function watch(player, onstall) {
  let still = 0;
  let atS = -1;
  return window.setInterval(() => {
    const { currentTime, paused } = player.element;
    still = paused || currentTime !== atS ? 0 : still + 1;
    atS = currentTime;
    if (still >= PATIENCE) onstall();
  }, CHECK_MS);
}
