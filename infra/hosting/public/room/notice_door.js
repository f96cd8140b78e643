// @ts-check
/** Joining a Space that is recorded: nobody comes in without having seen the notice. */

import { joinSpace, listenToken } from "../api.js";
import { myConsent } from "../api/recordings.js";
import { Problem } from "../http.js";
import { askNotice } from "../components/notice_sheet.js";

/** Of each Space the version of the notice that was shown here. */
const shown = /** @type {Map<string, string>} */ (new Map());

/**
 * Join; where the notice is needed show it, and join again once it was read.
 *
 * @param {string} id
 * @param {{role: "speaker" | "listener", anonymous: boolean}} wish
 * @returns {Promise<import("../api.js").JoinAnswer>}
 * @throws {Problem} `recording-notice-required`: they would rather not.
 */
export async function joinNoticed(id, wish) {
  try {
    return await joinSpace(id, { ...wish, recording_notice: shown.get(id) });
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "recording-notice-required") throw problem;
    const { notice } = await myConsent(id);
    if (!(await askNotice(notice))) throw problem;
    noteShown(id, notice.version);
    return joinSpace(id, { ...wish, recording_notice: notice.version });
  }
}

/**
 * Renew what one listens by, on having seen what was shown at the door.
 *
 * @param {string} id
 * @param {boolean} anonymous
 */
export const renewListening = (id, anonymous) =>
  listenToken(id, { anonymous, recording_notice: shown.get(id) });

/**
 * Remember that the notice was shown, so that coming back asks nobody again.
 *
 * @param {string} id
 * @param {string} version
 */
export const noteShown = (id, version) => void shown.set(id, version);
