// @ts-check
/** Calls about clips of a recording. */

import { call } from "../api.js";

/**
 * @typedef {object} Clip
 * @property {string} id
 * @property {string | null} title
 * @property {"pending" | "ready" | "failed"} state
 * @property {number} start_ms
 * @property {number} duration_ms
 * @property {string} made_by
 */

/** @typedef {{title: string | null, duration_ms: number, audio_url: string}} ClipPlayback */

/** @param {string} id Of the recording. */
const clips = (id) => `/v1/recordings/${encodeURIComponent(id)}/clips`;

/**
 * @param {string} id
 * @param {{version: number, start_ms: number, duration_ms: number, title: string | null}} wish
 * @returns {Promise<Clip>}
 */
export const makeClip = (id, wish) => call("POST", clips(id), { json: wish });

/** @param {string} id @returns {Promise<{clips: Clip[]}>} */
export const listClips = (id) => call("GET", clips(id));

/** @param {string} id @param {string} clip @returns {Promise<ClipPlayback>} */
export const clipPlayback = (id, clip) => call("GET", `${clips(id)}/${clip}/playback`);

/** @param {string} id @param {string} clip */
export const deleteClip = (id, clip) => call("DELETE", `${clips(id)}/${clip}`);
