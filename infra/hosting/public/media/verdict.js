// @ts-check
/** What a refused join or media session means for the connection. */

import { Problem } from "../http.js";

/** Refusals that pass by themselves although their status is 4xx. */
const PASSING = new Set([
  "stale-grant", // the worker was replaced: the next join answers its epoch
  "grant-expired", // on the way
  "invalid-grant", // its key is gone: the next one is signed with the new
  "invalid-forward",
  "not-on-stage", // the worker has not heard of the promotion yet
  "session-not-found",
  "listen-token-missing",
  "invalid-listen-token", // as with grants
  "listen-token-expired", // WebRTC held for longer than it lasts
]);
const OVER = new Set(["ended", "cancelled"]);

/**
 * @param {unknown} error
 * @returns {"retry" | "ended" | "refused"}
 */
export function verdictOf(error) {
  if (!(error instanceof Problem)) return "retry"; // WebRTC failed: a new session may not
  if (error.code === "not-live" && OVER.has(error.state ?? "")) return "ended";
  if (PASSING.has(error.code)) return "retry";
  if (error.status === 0 || error.status === 429 || error.status >= 500) return "retry";
  return "refused";
}

/** What a join without a WHEP URL means. */
export const FULL = new Problem({ code: "worker-full", status: 503 });
const GONE = new Problem({ code: "not-live", status: 409, state: "ended" });

/**
 * Why the stage's `closing` message ends an attempt.
 *
 * @param {string} reason
 * @returns {Error | null} null: of the stage alone.
 */
export function endOf(reason) {
  const meaning = CLOSING[reason] ?? "retry";
  if (meaning === "demoted") return null;
  if (meaning === "ended") return GONE;
  return meaning === "retry" ? new Error(reason) : new Problem({ code: meaning, status: 403 });
}

/**
 * What the stage's `closing` message means; its reasons are `PeerCloseReason`s.
 *
 * @type {Readonly<Record<string, "retry" | "ended" | "demoted" | "removed" | "replaced" | "left">>}
 */
export const CLOSING = Object.freeze({
  left: "left",
  removed: "removed",
  demoted: "demoted",
  space_ended: "ended",
  ice_failed: "retry",
  dtls_failed: "retry",
  media_failed: "retry",
  replaced: "replaced",
  worker_stopping: "retry",
});
