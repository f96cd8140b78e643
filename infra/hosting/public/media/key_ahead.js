// @ts-check
/** Fetches the next key before it is due: a crowd must not ask all in one instant. */

import { nearby } from "../http.js";

const SPREAD_MS = 60_000;

/** @typedef {{n: number, rotates_at: string}} HlsKey As room.json has it. */

/** The browser's cache then has it when the player asks for the same URL. */
export class KeyAhead {
  /** Where keys are: URL, then epoch and number, then this query. */
  #keys = "";
  #query = "";
  #next = "";
  #timer = 0;

  /** @param {string} playlist Text of the listener's own; it defines where keys are. */
  learn(playlist) {
    this.#keys = definition(playlist, "k");
    this.#query = definition(playlist, "t");
  }

  /** Whether a CDN has the keys, whose signature lasts for half as long as a listen token. */
  get isSigned() {
    return this.#query.includes("expires=");
  }

  /**
   * Wait for the time of the next key; call it with every room.json.
   *
   * @param {{epoch: number, hls_key?: HlsKey | null}} room
   */
  follow({ epoch, hls_key: key }) {
    if (!key || !this.#keys) return;
    const next = `${this.#keys}/${epoch}/${key.n + 1}?${this.#query}`;
    if (next === this.#next) return;
    this.stop();
    this.#next = next;
    const delayMs = aheadMs(Date.parse(key.rotates_at) - Date.now());
    this.#timer = window.setTimeout(() => void fetch(nearby(next)).catch(() => null), delayMs);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#next = "";
  }
}

/**
 * How long to wait so that a crowd's requests spread over the last minute.
 *
 * @param {number} untilMs Until the key changes.
 * @param {() => number} [random]
 */
export function aheadMs(untilMs, random = Math.random) {
  const earliest = Math.max(0, untilMs - SPREAD_MS);
  return earliest + random() * Math.max(0, untilMs - earliest);
}

/**
 * @param {string} playlist
 * @param {string} name
 * @returns {string} The value of an EXT-X-DEFINE; empty where there is none.
 */
export function definition(playlist, name) {
  const found = playlist.match(new RegExp(`^#EXT-X-DEFINE:NAME="${name}",VALUE="(.*)"`, "m"));
  return found?.[1] ?? "";
}
