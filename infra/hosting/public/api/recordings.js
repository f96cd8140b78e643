// @ts-check
/** Calls about recordings and about one's own consent. */

import { call, spacePath } from "../api.js";

/** @typedef {"off" | "pending" | "recording" | "paused" | "finishing" | "ready" | "failed" | "erased"} RecordingState */
/** @typedef {{version: string, lang: string, title: string, points: string[]}} Notice */

/**
 * @typedef {object} Recording
 * @property {string} id
 * @property {string | null} title
 * @property {RecordingState} state
 * @property {number | null} version
 * @property {string | null} expires_at
 * @property {number | null} progress_percent
 * @property {number | null} duration_ms
 * @property {boolean | null} partial
 * @property {boolean} private
 * @property {number} trim_start_ms What the host cut off so far.
 * @property {{granted: number, asked: number} | null} consents For hosts alone.
 */

/**
 * @typedef {object} Consent
 * @property {"asked" | "granted" | "declined" | "withdrawn" | null} state
 * @property {string[]} scopes
 * @property {Notice} notice
 */

/**
 * @typedef {object} MyAnswer
 * @property {string} recording_id
 * @property {string} space_id
 * @property {string | null} title
 * @property {RecordingState} recording_state
 * @property {"granted" | "declined" | "withdrawn"} state
 * @property {string[]} scopes
 * @property {string} answered_at
 * @property {object[]} receipts
 */

/**
 * @typedef {object} Playback
 * @property {number} version
 * @property {number} duration_ms
 * @property {string} audio_url
 * @property {string} waveform_url
 * @property {string} markers_url
 */

/** States in which voices are taken in, or may be any moment. @type {ReadonlySet<string>} */
export const OPEN = new Set(["pending", "recording", "paused"]);

/** @param {string} id @returns {Promise<Recording>} */
export const getRecording = (id) => call("GET", `${spacePath(id)}/recording`);

/**
 * @param {string} id
 * @param {{requested: boolean, paused?: boolean}} wish
 * @returns {Promise<Recording>}
 */
export const setRecording = (id, wish) => call("PUT", `${spacePath(id)}/recording`, { json: wish });

/**
 * @param {string} id
 * @param {{private?: boolean, trim_start_ms?: number}} change
 * @returns {Promise<Recording>}
 */
export const editRecording = (id, change) =>
  call("PATCH", `/v1/recordings/${encodeURIComponent(id)}`, { json: change });

/** @param {string} id */
export const deleteRecording = (id) => call("DELETE", `/v1/recordings/${encodeURIComponent(id)}`);

/** @param {string} id @returns {Promise<Consent>} */
export const myConsent = (id) => call("GET", `${spacePath(id)}/recording/consent`);

/**
 * @param {string} id
 * @param {Notice} notice The one that was shown.
 * @param {boolean} clips Whether clips are fine too.
 * @returns {Promise<Consent>}
 */
export const sayYes = (id, notice, clips) =>
  call("PUT", `${spacePath(id)}/recording/consent`, {
    json: { granted: true, notice_version: notice.version, scopes: clips ? ["archive", "clips"] : ["archive"] },
  });

/** Also takes back a yes. @param {string} id @returns {Promise<Consent>} */
export const sayNo = (id) => call("PUT", `${spacePath(id)}/recording/consent`, { json: { granted: false } });

/** @param {string} id @returns {Promise<Consent>} */
export const withdraw = (id) => call("DELETE", `${spacePath(id)}/recording/consent`);

/**
 * @param {string | null} [pageToken]
 * @returns {Promise<{answers: MyAnswer[], next_page_token: string | null}>}
 */
export function myAnswers(pageToken) {
  const query = new URLSearchParams({ page_size: "50" });
  if (pageToken) query.set("page_token", pageToken);
  return call("GET", `/v1/me/receipts?${query}`);
}

/** @param {string} id @returns {Promise<Playback>} */
export const playback = (id) => call("GET", `/v1/recordings/${encodeURIComponent(id)}/playback`);
