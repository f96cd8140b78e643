// @ts-check
/**
 * New ID tokens of Firebase for who has signed in: one call, and without its SDK, which
 * forgets a person for any refusal of Google's, also for one that passes.
 */

import { appCheckToken } from "./app_check.js";
import { firebaseSettings } from "./settings.js";
import { jsonOf, Problem, request } from "../http.js";

const RENEWAL = "https://securetoken.googleapis.com/v1/token";
const GONE = Object.freeze({ code: "id-token-expired", status: 401 });

/** What Google says of people; of all else that it says, the next call may hear no more. */
const FINAL = Object.freeze({
  TOKEN_EXPIRED: GONE,
  USER_NOT_FOUND: GONE,
  INVALID_REFRESH_TOKEN: GONE,
  PROJECT_NUMBER_MISMATCH: GONE,
  USER_DISABLED: { code: "account-suspended", status: 403 },
});

/** @typedef {{idToken: string, refreshToken: string, expiresAtMs: number}} Renewed */

/**
 * A new ID token, and what the next one is had by.
 *
 * @param {string} refreshToken
 * @returns {Promise<Renewed>}
 * @throws {Problem} `id-token-expired` where Firebase knows them no more.
 */
export async function renewed(refreshToken) {
  const settings = await firebaseSettings();
  if (!settings) throw new Problem({ code: "sign-in-failed", status: 0 });
  const answer = await explained(
    request("POST", `${RENEWAL}?${new URLSearchParams({ key: settings.api_key })}`, {
      form: new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken }),
      appCheck: await appCheckToken(),
    }),
  );
  const { id_token: idToken, refresh_token: next, expires_in: lifetimeS } = await jsonOf(answer);
  return { idToken, refreshToken: next, expiresAtMs: Date.now() + Number(lifetimeS) * 1000 };
}

/**
 * @param {Promise<Response>} promise
 * @returns {Promise<Response>}
 * @throws {Problem}
 */
async function explained(promise) {
  try {
    return await promise;
  } catch (error) {
    const { status, detail, retryAfterMs } = /** @type {Problem} */ (error);
    if (status === 0) throw error;
    const [said] = detail.split(" : "); // then come words for developers
    const final = FINAL[/** @type {keyof FINAL} */ (said)];
    throw new Problem({ ...(final ?? { code: "sign-in-failed", status: 503, retryAfterMs }), detail });
  }
}
