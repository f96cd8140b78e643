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

const FIRST_LETTER = /[\p{L}\p{N}]/u;

/**
 * Up to two letters that stand for a person; of nothing but emoji the first.
 *
 * @param {string} name
 */
export function initials(name) {
  const words = name.trim().split(/[\s_]+/u).filter(Boolean);
  const letters = words.flatMap((word) => FIRST_LETTER.exec(word)?.[0].toUpperCase() ?? []);
  const ends = letters.length > 1 ? [letters[0], letters[letters.length - 1]] : letters;
  return ends.join("") || [...new Intl.Segmenter().segment(name.trim())][0]?.segment || "?";
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

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * "Today, 7:00 PM", "Tomorrow, 7:00 PM", "Tue, Nov 24, 7:00 PM": in the reader's zone.
 *
 * @param {Date} at
 * @param {Date} [now]
 */
export function moment(at, now = new Date()) {
  const time = at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  const days = Math.round((midnight(at) - midnight(now)) / DAY_MS);
  if (days === 0) return `Today, ${time}`;
  if (days === 1) return `Tomorrow, ${time}`;
  const otherYear = at.getFullYear() !== now.getFullYear();
  const day = at.toLocaleDateString([], {
    weekday: "short", month: "short", day: "numeric", year: otherYear ? "numeric" : undefined,
  });
  return `${day}, ${time}`;
}

/** @param {Date} at */
const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();

/**
 * The reader's zone as it is at that time: "Europe/Berlin, GMT+1".
 *
 * @param {Date} at
 */
export function zone(at) {
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" }).formatToParts(at);
  const offset = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return timeZone === "UTC" ? "UTC" : `${timeZone.replaceAll("_", " ")}, ${offset}`;
}

/**
 * "3 days", "2 h 5 min", "12 min", "0:42": how long until something begins.
 *
 * @param {number} ms
 */
export function countdown(ms) {
  if (ms < 10 * MINUTE_MS) return clock(ms);
  if (ms < DAY_MS) return duration(ms);
  return plural(Math.floor(ms / DAY_MS), "day");
}

/**
 * "just now", "5 min ago", "3 h ago", else the day.
 *
 * @param {Date} at
 * @param {Date} [now]
 */
export function ago(at, now = new Date()) {
  const ms = now.getTime() - at.getTime();
  if (ms < MINUTE_MS) return "just now";
  if (ms < 60 * MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / (60 * MINUTE_MS))} h ago`;
  return at.toLocaleDateString([], { month: "short", day: "numeric" });
}
