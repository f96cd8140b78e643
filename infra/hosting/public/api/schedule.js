// @ts-check
/** Calls about Spaces that are still to come: when, changed, called off, awaited. */

import { call, spacePath } from "../api.js";

/** @typedef {import("../api.js").Space} Space */

/**
 * Scheduled Spaces, the next one first.
 *
 * @param {string | null} [pageToken]
 * @returns {Promise<{spaces: Space[], next_page_token: string | null}>}
 */
export function upcomingSpaces(pageToken) {
  const query = new URLSearchParams({ state: "scheduled", page_size: "20" });
  if (pageToken) query.set("page_token", pageToken);
  return call("GET", `/v1/spaces?${query}`);
}

/**
 * @param {string} id
 * @param {{title?: string | null, speaker_policy?: import("../api.js").SpeakerPolicy,
 *   scheduled_start?: string}} change What is not named stays.
 * @returns {Promise<Space>}
 */
export const editSpace = (id, change) => call("PATCH", spacePath(id), { json: change });

/** Call a Space off before it starts. @param {string} id */
export const cancelSpace = (id) => call("DELETE", spacePath(id));

/**
 * Be told when it starts, or no longer.
 *
 * @param {string} id
 * @param {boolean} wanted
 */
export const setReminder = (id, wanted) =>
  call(wanted ? "PUT" : "DELETE", `${spacePath(id)}/reminder`);
