// @ts-check
/** Calls about who comes on stage: requests to speak, invites, and muting everybody. */

import { call, spacePath } from "../api.js";

/** @typedef {import("../api.js").Person & {requested_at: string}} SpeakRequest */
/** @typedef {"speaker" | "co_host" | "listener"} OfferedRole */
/** @typedef {"pending" | "accepted" | "declined" | "revoked" | "expired"} InviteState */

/**
 * @typedef {object} Invite
 * @property {string} uid
 * @property {string} handle
 * @property {string} display_name
 * @property {OfferedRole} role
 * @property {InviteState} state
 */

/** Raise a hand. @param {string} id */
export const askToSpeak = (id) => call("POST", `${spacePath(id)}/speak-requests`);

/** Take one's own hand down. @param {string} id @param {string} uid */
export const withdrawRequest = (id, uid) => call("DELETE", of(id, "speak-requests", uid));

/**
 * Who asks to speak, who asked first first; the first page is all that a host answers
 * at once.
 *
 * @param {string} id
 * @returns {Promise<{speak_requests: SpeakRequest[], next_page_token: string | null}>}
 */
export const speakRequests = (id) => call("GET", `${spacePath(id)}/speak-requests?page_size=50`);

/**
 * @param {string} id
 * @param {string} uid
 * @param {"accept" | "decline"} answer
 */
export const answerRequest = (id, uid, answer) =>
  call("POST", `${of(id, "speak-requests", uid)}/${answer}`);

/** @param {string} id */
export const muteAll = (id) => call("POST", `${spacePath(id)}/mute-all`);

/**
 * @param {string} id
 * @param {string[]} userIds
 * @param {OfferedRole} role
 * @returns {Promise<{invites: Invite[]}>}
 */
export const sendInvites = (id, userIds, role) =>
  call("POST", `${spacePath(id)}/invites`, { json: { user_ids: userIds, role } });

/**
 * Unanswered invites, for hosts.
 *
 * @param {string} id
 * @returns {Promise<{invites: Invite[], next_page_token: string | null}>}
 */
export const pendingInvites = (id) => call("GET", `${spacePath(id)}/invites?page_size=50`);

/** @param {string} id @param {string} uid */
export const revokeInvite = (id, uid) => call("DELETE", of(id, "invites", uid));

/**
 * @param {string} id
 * @param {string} uid One's own.
 * @param {"accept" | "decline"} answer
 * @returns {Promise<Invite>}
 */
export const answerInvite = (id, uid, answer) =>
  call("POST", `${of(id, "invites", uid)}/${answer}`);

/**
 * @param {string} id
 * @param {string} list
 * @param {string} uid
 */
const of = (id, list, uid) => `${spacePath(id)}/${list}/${encodeURIComponent(uid)}`;
