// @ts-check
/** Coming into a Space and going out of it, in an order that leaves no ghost behind. */

import { leaveSpace } from "../api.js";
import { joinNoticed } from "./notice_door.js";
import { Problem } from "../http.js";
import { noteJoin } from "./ghosts.js";

export { renewListening } from "./notice_door.js";

/** @typedef {Map<string, Promise<unknown>>} OnTheWay Of each Space the latest. */

const joins = /** @type {OnTheWay} */ (new Map());
const leaves = /** @type {OnTheWay} */ (new Map());

/**
 * Join, once a leave that is on its way is through: it would take us out again.
 *
 * @param {string} id
 * @param {{role: "speaker" | "listener", anonymous: boolean}} wish
 * @returns {Promise<import("../api.js").JoinAnswer>}
 * @throws {import("../http.js").Problem}
 */
export function comeIn(id, wish) {
  const before = leaves.get(id) ?? Promise.resolve();
  const answered = noteJoin(id);
  const joining = before.then(() => joinNoticed(id, wish));
  const lost = (/** @type {unknown} */ problem) => problem instanceof Problem && problem.status === 0;
  joining.then(answered, (problem) => lost(problem) || answered());
  note(joins, id, joining.catch(() => undefined));
  return joining;
}

/**
 * Leave at once, and again after a join on its way, which may arrive later than that.
 *
 * @param {string} id
 * @returns {Promise<void>} Never rejects: the worker notices who falls silent.
 */
export function goOut(id) {
  const leaving = leave(id, joins.get(id));
  note(leaves, id, leaving);
  return leaving;
}

/**
 * @param {string} id
 * @param {Promise<unknown> | undefined} joining
 */
async function leave(id, joining) {
  const first = leaveSpace(id).catch(() => undefined); // the page may be going away
  await Promise.all([first, joining]);
  if (joining) await leaveSpace(id).catch(() => undefined);
}

/**
 * @param {OnTheWay} under
 * @param {string} id
 * @param {Promise<unknown>} way Never rejects.
 */
function note(under, id, way) {
  under.set(id, way);
  void way.then(() => under.get(id) === way && under.delete(id));
}
