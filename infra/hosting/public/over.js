// @ts-check
/** Spaces that this page has seen end: lists of the server learn of it a little later. */

const changes = new EventTarget();
/** @type {Set<string>} */
const over = new Set();

/** @param {string} id Nothing that is over begins again. */
export function noteOver(id) {
  over.add(id);
  changes.dispatchEvent(new Event("over"));
}

/**
 * @param {import("./api.js").Space[]} spaces As a list of the server has them.
 * @returns {import("./api.js").Space[]} Those of them that are not over.
 */
export const withoutOver = (spaces) => spaces.filter(({ id }) => !over.has(id));

/**
 * Tell whenever one more is over.
 *
 * @param {() => void} tell
 * @returns {() => void} Stops it.
 */
export function watchOver(tell) {
  changes.addEventListener("over", tell);
  return () => changes.removeEventListener("over", tell);
}
