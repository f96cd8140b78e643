// @ts-check
/** Reactions: sending one's own, and telling which of everybody's are new. */

import { Problem, request } from "../http.js";
import { spacePath } from "../api.js";

/**
 * As `spaces_contract/reactions.py` has them; drawn by us, for not every system has
 * the font.
 *
 * @type {Readonly<Record<string, {name: string, symbol: string}>>}
 */
export const EMOJIS = Object.freeze({
  "💜": { name: "heart", symbol: "react-heart" },
  "😂": { name: "laughing", symbol: "react-laugh" },
  "😮": { name: "surprised", symbol: "react-wow" },
  "😢": { name: "sad", symbol: "react-sad" },
  "👏": { name: "clapping", symbol: "react-clap" },
  "🔥": { name: "fire", symbol: "react-fire" },
  "💯": { name: "hundred", symbol: "react-hundred" },
  "👋": { name: "waving", symbol: "react-wave" },
});
const SHOWN_AT_ONCE = 12; // of one look; a crowd is a crowd

/** @typedef {Record<string, number>} Totals Emoji to how often it came so far. */

/**
 * Which reactions came between two looks, at most `SHOWN_AT_ONCE`.
 *
 * @param {Totals} before
 * @param {Totals} after
 * @returns {string[]}
 */
export function added(before, after) {
  const known = Object.entries(after).filter(([emoji]) => Object.hasOwn(EMOJIS, emoji));
  const fresh = known.flatMap(([emoji, total]) =>
    Array.from({ length: Math.min(SHOWN_AT_ONCE, Math.max(0, total - (before[emoji] ?? 0))) }, () => emoji),
  );
  return fresh.slice(0, SHOWN_AT_ONCE);
}

export class Reactions {
  /** @type {{epoch: number, totals: Totals} | null} Null until the first look. */
  #seen = null;
  /** @type {Totals} Shown when they were sent; the room tells of them once more. */
  #own = {};

  /**
   * @param {import("./session.js").RoomSession} session
   * @param {(emoji: string, delayMs: number) => void} show
   */
  constructor(session, show) {
    this.session = session;
    this.show = show;
  }

  /**
   * @param {string} emoji
   * @throws {Problem}
   */
  async send(emoji) {
    this.show(emoji, 0);
    this.#own[emoji] = (this.#own[emoji] ?? 0) + 1;
    const { space, connection } = this.session;
    try {
      await request("POST", `${spacePath(space.id)}/reactions`, { json: { emoji }, bearer: connection.grant });
    } catch (problem) {
      this.#own[emoji] -= 1;
      throw problem;
    }
  }

  /** @param {import("./roster.js").Room | null} room The latest. */
  look(room) {
    if (!room) return;
    const { epoch, reactions: totals = {} } = room;
    const before = this.#seen?.epoch === epoch ? this.#seen.totals : {};
    const first = this.#seen === null;
    this.#seen = { epoch, totals };
    if (first) return; // what came before us is over
    added(before, totals).forEach((emoji, index, { length }) => {
      if ((this.#own[emoji] ?? 0) > 0) this.#own[emoji] -= 1;
      else this.show(emoji, (index * 1000) / length);
    });
  }
}
