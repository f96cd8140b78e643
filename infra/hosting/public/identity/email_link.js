// @ts-check
/** Signing in with Firebase by a link in an e-mail: no password, and no other site's code. */

import { firebaseApp, library } from "./firebase.js";
import { Problem } from "../http.js";

const EMAIL_KEY = "parley.sign-in-email";

/** What Firebase's errors are to a person. */
const CODES = Object.freeze({
  "auth/network-request-failed": "unreachable",
  "auth/invalid-email": "email-invalid",
  "auth/missing-email": "email-invalid",
  "auth/too-many-requests": "rate-limited",
  "auth/quota-exceeded": "rate-limited",
  "auth/invalid-action-code": "sign-in-link-invalid",
  "auth/expired-action-code": "sign-in-link-invalid",
  "auth/argument-error": "sign-in-link-invalid",
  "auth/user-disabled": "account-suspended",
});

/** @typedef {{uid: string} & import("./renewal.js").Renewed} Proof */

/** @type {Promise<any> | null} */
let opened = null;

/**
 * Without popups and their frames of other sites: links need none. Who signed in is kept
 * by `session.js`.
 *
 * @returns {Promise<{auth: any, sdk: any}>}
 */
async function open() {
  const [app, sdk] = await Promise.all([firebaseApp(), library("auth")]);
  opened ??= Promise.resolve(sdk.initializeAuth(app, { persistence: sdk.inMemoryPersistence }));
  return { auth: await opened, sdk };
}

/**
 * Have a link sent that leads back to this page.
 *
 * @param {string} email
 * @throws {Problem}
 */
export async function sendLink(email) {
  const { auth, sdk } = await open();
  const url = location.origin + location.pathname;
  await explained(sdk.sendSignInLinkToEmail(auth, email, { url, handleCodeInApp: true }));
  localStorage.setItem(EMAIL_KEY, email);
}

/** Whether this page was opened by such a link. */
export function cameByLink() {
  const query = new URLSearchParams(location.search);
  return query.get("mode") === "signIn" && query.has("oobCode");
}

/** Take the link out of the address bar: it is in no history, and in the mail still. */
export const putLinkAway = () => history.replaceState(history.state, "", location.pathname);

/** To whom the link was sent; empty where it was asked for in another browser. */
export const linkedEmail = () => localStorage.getItem(EMAIL_KEY) ?? "";

/**
 * Sign in by the link in the address bar, and take it out of there.
 *
 * @param {string} email
 * @returns {Promise<Proof>}
 * @throws {Problem}
 */
export async function useLink(email) {
  const { auth, sdk } = await open();
  const { user } = await explained(sdk.signInWithEmailLink(auth, email, location.href));
  localStorage.removeItem(EMAIL_KEY);
  putLinkAway();
  const { token, expirationTime } = await user.getIdTokenResult();
  return { uid: user.uid, idToken: token, refreshToken: user.refreshToken, expiresAtMs: Date.parse(expirationTime) };
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 * @throws {Problem}
 */
async function explained(promise) {
  try {
    return await promise;
  } catch (error) {
    const said = /** @type {{code?: string}} */ (error).code ?? "";
    const code = CODES[/** @type {keyof CODES} */ (said)] ?? "sign-in-failed";
    throw new Problem({ code, status: 0, detail: said });
  }
}
