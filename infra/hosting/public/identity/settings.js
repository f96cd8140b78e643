// @ts-check
/** The operator's Firebase project, where there is one; the embedded stack has none. */

import { jsonOf, request } from "../http.js";

/**
 * @typedef {object} FirebaseSettings
 * @property {string} api_key Says which project, and is no secret.
 * @property {string} app_id
 * @property {string} project_id
 * @property {string} sender_id
 * @property {string | null} recaptcha_site_key null: calls carry no App Check token.
 * @property {string | null} vapid_key null: no pushes to browsers.
 */

/** @type {Promise<FirebaseSettings | null> | null} */
let asked = null;

/**
 * Asked for once in a page's life.
 *
 * @returns {Promise<FirebaseSettings | null>}
 * @throws {import("../http.js").Problem}
 */
export function firebaseSettings() {
  asked ??= ask().catch((problem) => {
    asked = null;
    throw problem;
  });
  return asked;
}

async function ask() {
  const response = await request("GET", "/.well-known/parley-web.json");
  return (await jsonOf(response)).firebase;
}
