// @ts-check
/** States of one person's media in one Space, as a table. */

/** @typedef {"idle"|"joining"|"connecting"|"live"|"reconnecting"|"ended"|"failed"} MediaState */
/** @typedef {"join"|"granted"|"up"|"lost"|"end"|"refuse"|"leave"} MediaEvent */

const close = Object.freeze({ end: "ended", refuse: "failed", leave: "idle" });

/**
 * `lost` before the first `up` stays where it is: there is nothing to come back
 * to yet.  After it, the whole way back is "reconnecting", until media flows.
 *
 * @type {Readonly<Record<MediaState, Readonly<Partial<Record<MediaEvent, MediaState>>>>>}
 */
export const TRANSITIONS = Object.freeze({
  idle: { join: "joining" },
  joining: { granted: "connecting", lost: "joining", ...close },
  connecting: { granted: "connecting", up: "live", lost: "connecting", ...close },
  live: { lost: "reconnecting", ...close },
  reconnecting: { granted: "reconnecting", up: "live", lost: "reconnecting", ...close },
  ended: { leave: "idle" },
  failed: { join: "joining", leave: "idle" },
});

/** Those in which one may hear by another way meanwhile. */
export const WAITING = Object.freeze(new Set(["joining", "connecting", "reconnecting"]));

/**
 * @param {MediaState} state
 * @param {MediaEvent} event
 * @returns {MediaState}
 * @throws {RangeError} The table has no such transition.
 */
export function nextState(state, event) {
  const next = TRANSITIONS[state][event];
  if (next === undefined) throw new RangeError(`media cannot ${event} while ${state}`);
  return next;
}
