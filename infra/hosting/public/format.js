// @ts-check
/** Text and colours made from data. */

const counts = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** @param {number} value */
export const count = (value) => counts.format(value);

/**
 * "1 listener", "3 listeners".
 *
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (value, one, many = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : many}`;

/**
 * "< 1 min", "12 min", "1 h 4 min".
 *
 * @param {number} ms
 */
export function duration(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "< 1 min";
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

/**
 * "0:07", "12:40", "1:02:03": how long a Space has been live.
 *
 * @param {number} ms
 */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = `${hours ? two(minutes) : minutes}:${two(seconds % 60)}`;
  return hours ? `${hours}:${tail}` : tail;
}

/**
 * Up to two letters that stand for a person.
 *
 * @param {string} name
 */
export function initials(name) {
  const words = name.trim().split(/[\s_]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

const FIRST_HUE = 160;
const HUES = 260; // the rest, yellow to olive, makes muddy gradients

/**
 * A person's own hue, the same on every device.
 *
 * @param {string} handle
 * @returns {number} 0 to 359.
 */
export function hue(handle) {
  let hash = 2166136261; // FNV-1a
  for (const letter of handle.toLowerCase()) {
    hash = Math.imul(hash ^ /** @type {number} */ (letter.codePointAt(0)), 16777619);
  }
  return (FIRST_HUE + ((hash >>> 0) % HUES)) % 360;
}

/** @param {import("./api.js").Space} space */
export const titleOf = (space) => space.title || `${space.host.display_name}’s Space`;
