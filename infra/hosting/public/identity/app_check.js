// @ts-check
/** Proves that it is this client that calls, where the operator asks for that. */

import { firebaseApp, library } from "./firebase.js";
import { firebaseSettings } from "./settings.js";

const PATIENCE_MS = 5000;

/** @type {Promise<{check: any, sdk: any}> | null} */
let opened = null;
/** How long a call waits: where the last one waited in vain, the next does not. */
let patienceMs = PATIENCE_MS;

/**
 * A token for one call; empty where none is wanted, or none can be had: then the
 * server's refusal says what to do.
 *
 * @returns {Promise<string>}
 * @throws {import("../http.js").Problem} The settings cannot be read.
 */
export async function appCheckToken() {
  const siteKey = (await firebaseSettings())?.recaptcha_site_key;
  if (!siteKey) return "";
  // Where reCAPTCHA's script is blocked, Google's SDK neither answers nor fails.
  let timer = 0;
  /** @type {Promise<null>} */
  const late = new Promise((resolve) => (timer = window.setTimeout(resolve, patienceMs, null)));
  /** @type {string | null} */
  const token = await Promise.race([tokenOf(siteKey).catch(() => ""), late]);
  window.clearTimeout(timer);
  patienceMs = token === null ? 0 : PATIENCE_MS;
  return token ?? "";
}

/** @param {string} siteKey */
async function tokenOf(siteKey) {
  opened ??= open(siteKey);
  const { check, sdk } = await opened;
  return (await sdk.getToken(check)).token;
}

/** @param {string} siteKey */
async function open(siteKey) {
  try {
    const [app, sdk] = await Promise.all([firebaseApp(), library("app-check")]);
    const provider = new sdk.ReCaptchaEnterpriseProvider(siteKey);
    return { check: sdk.initializeAppCheck(app, { provider, isTokenAutoRefreshEnabled: true }), sdk };
  } catch (error) {
    opened = null; // the next call may have better luck
    throw error;
  }
}
