// @ts-check
/** The call for one's messages. */

import { call } from "../api.js";

/**
 * @typedef {object} Message An invite, with the Space as it is now.
 * @property {import("./stage.js").OfferedRole} role
 * @property {import("./stage.js").InviteState} state
 * @property {import("../api.js").Person} invited_by
 * @property {import("../api.js").Space} space
 * @property {string} created_at
 */

/**
 * The newest first.
 *
 * @param {string | null} [pageToken]
 * @returns {Promise<{messages: Message[], next_page_token: string | null}>}
 */
export function inbox(pageToken) {
  const query = new URLSearchParams({ page_size: "20" });
  if (pageToken) query.set("page_token", pageToken);
  return call("GET", `/v1/me/inbox?${query}`);
}
