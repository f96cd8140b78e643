// @ts-check
/** Joins whose page went away before the answer: undone when somebody is back. */

import { leaveSpace } from "../api.js";
import { account } from "../session.js";

const KEY = "parley.joining";
const SETTLED_MS = 20_000; // past the time that a join may take: its page is gone

/**
 * Remember a join until it is answered.
 *
 * @param {string} id The Space's.
 * @returns {() => void} It was answered, and somebody saw it.
 */
export function noteJoin(id) {
  const noted = JSON.stringify({ id, uid: account()?.uid, atMs: Date.now() });
  localStorage.setItem(KEY, noted);
  return () => {
    if (localStorage.getItem(KEY) === noted) localStorage.removeItem(KEY);
  };
}

/** Leave the Space that an earlier page may have joined unseen; soon, or at once. */
export function layGhost() {
  const noted = localStorage.getItem(KEY);
  if (noted === null) return;
  const { id, uid, atMs } = JSON.parse(noted);
  const waitMs = Math.max(0, atMs + SETTLED_MS - Date.now());
  setTimeout(() => {
    if (localStorage.getItem(KEY) !== noted) return; // it was answered after all
    localStorage.removeItem(KEY);
    if (uid === account()?.uid) void leaveSpace(id).catch(() => undefined);
  }, waitMs);
}
