// @ts-check
/** Calls about people: one's own profile, whom one follows and blocks, complaints. */

import { call, spacePath } from "../api.js";

/** @typedef {import("../api.js").Person} Person */
/** @typedef {Person & {protected: boolean}} Profile */
/** @typedef {"following" | "blocks"} Relation */

/** @returns {Promise<Profile>} */
export const myProfile = () => call("GET", "/v1/me");

/**
 * @param {{handle: string, display_name: string, protected: boolean}} profile
 * @returns {Promise<Profile>}
 */
export const saveProfile = (profile) => call("PUT", "/v1/me", { json: profile });

/**
 * Follow or block somebody, or no longer.
 *
 * @param {Relation} relation
 * @param {string} uid
 * @param {boolean} wanted
 */
export const setRelation = (relation, uid, wanted) =>
  call(wanted ? "PUT" : "DELETE", `/v1/me/${relation}/${encodeURIComponent(uid)}`);

/**
 * @param {string} spaceId
 * @param {{reason: string, user_id?: string, comment?: string}} report
 * @param {string} idempotencyKey The same for every attempt at one report.
 */
export const reportSpace = (spaceId, report, idempotencyKey) =>
  call("POST", `${spacePath(spaceId)}/reports`, { json: report, idempotencyKey });

/**
 * @param {string} deviceId
 * @param {{platform: "web", token: string, app_version: string, locale: string,
 *   time_zone: string}} device
 */
export const putDevice = (deviceId, device) =>
  call("PUT", `/v1/me/devices/${deviceId}`, { json: device });

/** @param {string} deviceId */
export const deleteDevice = (deviceId) => call("DELETE", `/v1/me/devices/${deviceId}`);

/**
 * Whom one follows or blocks, the latest first.
 *
 * @param {Relation} relation
 * @param {string | null} [pageToken]
 * @returns {Promise<{people: Person[], next_page_token: string | null}>}
 */
export function related(relation, pageToken) {
  const query = new URLSearchParams({ page_size: "100" });
  if (pageToken) query.set("page_token", pageToken);
  return call("GET", `/v1/me/${relation}?${query}`);
}

/**
 * People whose handle begins so; the first ones only.
 *
 * @param {string} beginning With or without "@".
 * @returns {Promise<{people: Person[]}>}
 */
export const findPeople = (beginning) =>
  call("GET", `/v1/users/search?${new URLSearchParams({ query: beginning })}`);
