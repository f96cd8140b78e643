// @ts-check
/** The calls of `/v1` that this client makes, with the shapes they answer. */

import { jsonOf, Problem, request } from "./http.js";
import { appCheckToken } from "./identity/app_check.js";
import { account, expireToken, idToken } from "./session.js";

/** @typedef {"everyone" | "following" | "invited"} SpeakerPolicy */
/** @typedef {"host" | "co_host" | "speaker" | "listener"} Role */

/**
 * @typedef {object} Space
 * @property {string} id
 * @property {"scheduled" | "live" | "ended" | "cancelled"} state
 * @property {string | null} title
 * @property {string | null} lang
 * @property {SpeakerPolicy} speaker_policy
 * @property {Person} host
 * @property {string[]} host_ids
 * @property {string[]} speaker_ids
 * @property {string[]} invited_user_ids
 * @property {string[]} topics
 * @property {string | null} scheduled_start
 * @property {string | null} started_at
 * @property {string | null} ended_at
 * @property {string | null} end_reason
 * @property {number} participant_count
 * @property {number} subscriber_count
 * @property {boolean} host_away
 * @property {import("./api/recordings.js").RecordingState} recording_state
 * @property {number} epoch
 * @property {string} url
 */

/**
 * @typedef {object} JoinAnswer
 * @property {Space} space
 * @property {string} uid
 * @property {Role} role
 * @property {boolean} muted
 * @property {number} epoch
 * @property {string} grant Opens and closes media sessions.
 * @property {string | null} whip_url
 * @property {string | null} whep_url null where the room takes no more by WebRTC.
 * @property {string | null} hls_url null on stage.
 * @property {RTCIceServer[]} ice_servers
 * @property {string} room_url
 * @property {boolean} blocked_on_stage Somebody on stage is blocked by us.
 */

/**
 * @typedef {object} Participant
 * @property {string} uid
 * @property {string} handle
 * @property {string} display_name
 * @property {Role} role
 * @property {boolean} muted
 * @property {boolean} removed
 */

/** @typedef {{uid: string, handle: string, display_name: string}} Person */
/** @typedef {"pending" | "accepted" | "declined" | "withdrawn"} RequestState */

/**
 * @typedef {object} Standing
 * @property {Role} role
 * @property {boolean} muted
 * @property {boolean} removed
 * @property {boolean} on_stage
 * @property {boolean} leads May end it: its host, or who acts as host.
 * @property {boolean} subscribed Is told when it starts.
 * @property {RequestState | null} speak_request
 */

/**
 * @param {string} method
 * @param {string} path
 * @param {import("./http.js").RequestOptions} [options]
 * @returns {Promise<any>} The parsed body; null for 204.
 * @throws {Problem}
 */
export async function call(method, path, options = {}) {
  try {
    return await send(method, path, options);
  } catch (problem) {
    // A token can be refused early: clocks differ, keys are replaced.
    if (!(problem instanceof Problem) || problem.status !== 401 || !account()) throw problem;
    expireToken();
    return send(method, path, options);
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {import("./http.js").RequestOptions} options
 */
async function send(method, path, options) {
  const person = account() ? { bearer: await idToken(), appCheck: await appCheckToken() } : {};
  const response = await request(method, path, { ...options, ...person });
  return response.status === 204 ? null : jsonOf(response);
}

/**
 * Those of people whom one follows first.
 *
 * @param {string | null} [pageToken]
 * @returns {Promise<{spaces: Space[], next_page_token: string | null}>}
 */
export function liveSpaces(pageToken) {
  const query = new URLSearchParams({ state: "live", page_size: "20" });
  if (account()) query.set("feed", "following");
  if (pageToken) query.set("page_token", pageToken);
  return call("GET", `/v1/spaces?${query}`);
}

/**
 * Live and scheduled Spaces with these words; the last may be the beginning of one.
 *
 * @param {string} words
 * @returns {Promise<{spaces: Space[], next_page_token: string | null}>}
 */
export const searchSpaces = (words) =>
  call("GET", `/v1/spaces/search?${new URLSearchParams({ query: words })}`);

/** @param {string} id @returns {Promise<Space>} */
export const getSpace = (id) => call("GET", spacePath(id));

/**
 * @typedef {object} Draft
 * @property {string} [title]
 * @property {string} [lang]
 * @property {SpeakerPolicy} speaker_policy
 * @property {string} [scheduled_start] RFC 3339; without it the Space waits for `start`.
 */

/**
 * @param {Draft} draft
 * @param {string} idempotencyKey The same for every attempt at one draft.
 * @returns {Promise<Space>}
 */
export const createSpace = (draft, idempotencyKey) =>
  call("POST", "/v1/spaces", { json: draft, idempotencyKey });

/** @param {string} id @returns {Promise<Space>} */
export const startSpace = (id) => call("POST", `${spacePath(id)}/start`);

/** @param {string} id @returns {Promise<Space>} */
export const endSpace = (id) => call("POST", `${spacePath(id)}/end`);

/**
 * @param {string} id
 * @param {{role: "speaker" | "listener", anonymous: boolean, recording_notice?: string}} wish
 * @returns {Promise<JoinAnswer>}
 */
export const joinSpace = (id, wish) => call("POST", `${spacePath(id)}/join`, { json: wish });

/** @typedef {{token: string, expires_at: string, hls_url: string}} ListenPass */

/**
 * @param {string} id
 * @param {{anonymous: boolean, recording_notice?: string}} wish
 * @returns {Promise<ListenPass>} It comes as a cookie as well.
 */
export const listenToken = (id, wish) => call("POST", `${spacePath(id)}/listen-token`, { json: wish });

/** @param {string} id */
export const leaveSpace = (id) => call("POST", `${spacePath(id)}/leave`, { keepalive: true });

/** @param {string} id @returns {Promise<Standing>} */
export const myStanding = (id) => call("GET", `${spacePath(id)}/me`);

/**
 * @param {string} id
 * @param {string | null} [pageToken]
 * @returns {Promise<{participants: Participant[], next_page_token: string | null}>}
 */
export function participants(id, pageToken) {
  const query = new URLSearchParams({ page_size: "50" });
  if (pageToken) query.set("page_token", pageToken);
  return call("GET", `${spacePath(id)}/participants?${query}`);
}

/**
 * @param {string} id
 * @param {string} uid
 * @param {{role?: Role, muted?: boolean, removed?: boolean}} change
 * @returns {Promise<Participant>}
 */
export const changeParticipant = (id, uid, change) =>
  call("PATCH", `${spacePath(id)}/participants/${encodeURIComponent(uid)}`, { json: change });

/** @param {string} id */
export const spacePath = (id) => `/v1/spaces/${encodeURIComponent(id)}`;
