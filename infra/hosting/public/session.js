// @ts-check
/** Who is signed in: the account kept in this browser, and its fresh ID token. */

import { appCheckToken } from "./identity/app_check.js";
import { renewed } from "./identity/renewal.js";
import { jsonOf, Problem, request } from "./http.js";

const KEY = "parley.session";
const REFRESH_BEFORE_MS = 60_000;

/**
 * @typedef {object} Account
 * @property {string} uid
 * @property {string} handle
 * @property {string} displayName
 * @property {string} idToken
 * @property {number} expiresAtMs Unix time.
 * @property {string} [refreshToken] Firebase's; absent: the embedded stack.
 */

/** @typedef {{uid: string, handle: string, display_name: string}} Profile */

const changes = new EventTarget();
/** @type {Promise<Account> | null} */
let refreshing = null;

/** @returns {Account | null} */
export function account() {
  const stored = localStorage.getItem(KEY);
  if (stored === null) return null;
  try {
    return JSON.parse(stored);
  } catch {
    localStorage.removeItem(KEY);
    return null;
  }
}

/**
 * Call `listener` whenever somebody signs in or out, in any tab.
 *
 * @param {() => void} listener
 * @returns {() => void} Stops it.
 */
export function onAccountChange(listener) {
  const onStorage = (/** @type {StorageEvent} */ event) => event.key === KEY && listener();
  changes.addEventListener("change", listener);
  window.addEventListener("storage", onStorage);
  return () => {
    changes.removeEventListener("change", listener);
    window.removeEventListener("storage", onStorage);
  };
}

/**
 * Sign in at the embedded stack, as `enter` does.
 *
 * @param {string} handle
 * @returns {Promise<{account: Account, profile: Profile | null}>}
 * @throws {Problem}
 */
export const signIn = async (handle) => enter({ ...(await issue(handle)), handle, displayName: handle });

/**
 * Come in with a proof of who this is; the account is kept only once it has a profile.
 *
 * @param {Account} fresh
 * @returns {Promise<{account: Account, profile: Profile | null}>}
 *   `profile` is null for somebody who is new: go on with `createProfile`.
 * @throws {Problem}
 */
export async function enter(fresh) {
  const proven = await lasting(fresh);
  try {
    const response = await request("GET", "/v1/me", await proving(proven));
    const profile = /** @type {Profile} */ (await jsonOf(response));
    keep({ ...proven, handle: profile.handle, displayName: profile.display_name });
    return { account: proven, profile };
  } catch (problem) {
    if (problem instanceof Problem && problem.code === "profile-not-found") {
      return { account: proven, profile: null };
    }
    throw problem;
  }
}

/**
 * Store the profile of somebody new, and with it the account, or its name where an
 * earlier call stored it.
 *
 * @param {Account} fresh From `enter`, however long ago.
 * @param {string} displayName
 * @throws {Problem}
 */
export async function createProfile(fresh, displayName) {
  const json = { handle: fresh.handle, display_name: displayName, protected: false };
  const known = account()?.uid === fresh.uid;
  const proven = known ? { ...fresh, idToken: await idToken() } : await lasting(fresh);
  await request("PUT", "/v1/me", { ...(await proving(proven)), json });
  // Whoever is known may have a newer token by now, or have signed out in another tab.
  const current = known ? account() : proven;
  if (current?.uid === fresh.uid) keep({ ...current, displayName });
}

/**
 * Show another name from now on; the profile has it already.
 *
 * @param {string} displayName
 */
export function rename(displayName) {
  const current = account();
  if (current) keep({ ...current, displayName });
}

export function signOut() {
  localStorage.removeItem(KEY);
  changes.dispatchEvent(new Event("change"));
}

/**
 * A token that is good for at least another minute.
 *
 * @returns {Promise<string>}
 * @throws {Problem} `sign-in-needed` where nobody is signed in.
 */
export async function idToken() {
  const current = account();
  if (!current) throw new Problem({ code: "sign-in-needed", status: 401 });
  if (lasts(current)) return current.idToken;
  refreshing ??= renew(current).finally(() => (refreshing = null));
  return (await refreshing).idToken;
}

/** Forget a token that the server refused, so that the next call gets a new one. */
export function expireToken() {
  const current = account();
  if (current) amend(current.uid, { expiresAtMs: 0 });
}

/**
 * @param {Account} current
 * @throws {Problem} `sign-in-needed` where they have signed out meanwhile.
 */
async function renew(current) {
  const amended = amend(current.uid, await provenAnew(current));
  if (!amended) throw new Problem({ code: "sign-in-needed", status: 401 });
  return amended;
}

/** @param {Account} one */
const lasts = ({ expiresAtMs }) => expiresAtMs - Date.now() > REFRESH_BEFORE_MS;

/** @param {Account} fresh Not kept yet: whoever is asked something may take an hour. */
const lasting = async (fresh) => (lasts(fresh) ? fresh : { ...fresh, ...(await provenAnew(fresh)) });

/**
 * @param {Account} current
 * @throws {Problem} `id-token-expired` where Firebase knows them no more: they are signed
 *   out here as well, for each of their calls would fail, and none would ask them again.
 */
async function provenAnew({ handle, refreshToken }) {
  if (refreshToken === undefined) return issue(handle);
  try {
    return await renewed(refreshToken);
  } catch (problem) {
    const refused = problem instanceof Problem && problem.code === "id-token-expired";
    // In another tab they may have signed in anew meanwhile.
    if (refused && account()?.refreshToken === refreshToken) signOut();
    throw problem;
  }
}

/** @param {string} handle */
async function issue(handle) {
  const response = await request("POST", "/local/sign-in", { json: { handle } });
  const { uid, id_token, expires_in } = await jsonOf(response);
  return { uid, idToken: id_token, expiresAtMs: Date.now() + expires_in * 1000 };
}

/**
 * Change what is kept of somebody, and leave the rest as it is by now.
 *
 * @param {string} uid
 * @param {Partial<Account>} news
 * @returns {Account | null} null: they have signed out meanwhile.
 */
function amend(uid, news) {
  const current = account();
  if (current?.uid !== uid) return null;
  const amended = { ...current, ...news };
  localStorage.setItem(KEY, JSON.stringify(amended));
  return amended;
}

/** @param {Account} fresh */
const proving = async (fresh) => ({ bearer: fresh.idToken, appCheck: await appCheckToken() });

/** @param {Account} fresh */
function keep(fresh) {
  localStorage.setItem(KEY, JSON.stringify(fresh));
  changes.dispatchEvent(new Event("change"));
}
