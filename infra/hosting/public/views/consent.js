// @ts-check
/** Asking somebody whether their voice may be recorded, with a yes and a no alike. */

import { myConsent, sayNo, sayYes } from "../api/recordings.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";
import { noticeText } from "../components/notice_sheet.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { attempt } from "./controls.js";

/** @typedef {import("../api/recordings.js").Consent} Consent */

const SAID = Object.freeze({
  asked: "You have not answered: your voice is not recorded.",
  granted: "You said yes: your voice is recorded while your microphone is on.",
  declined: "You said no: your voice is not recorded.",
  withdrawn: "You took your yes back: your voice is deleted.",
});

/**
 * Ask; closing the sheet answers nothing, and is not asked again.
 *
 * @param {string} spaceId
 * @param {Consent} consent What they answered so far, and the notice.
 * @param {() => void} onanswer
 * @returns {() => void} Closes it.
 */
export function openConsent(spaceId, consent, onanswer) {
  const clips = h("input", { type: "checkbox", "data-testid": "consent-clips", checked: consent.scopes.includes("clips") });
  return openSheet("May your voice be recorded?", {
    testid: "consent",
    content: (close) => {
      const answer = (/** @type {() => Promise<Consent>} */ send, /** @type {string} */ done) =>
        attempt(async () => {
          await send();
          close();
          toast(done, { text: "Your receipt is under “My recordings”.", symbol: "check" });
          onanswer();
        });
      return [
        consent.state && h("p", { class: "sheet__text", "data-testid": "consent-state" }, SAID[consent.state]),
        noticeText(consent.notice),
        h("p", { class: "muted" }, "Nobody is told what you answer. To change it, tap REC at the top."),
        // Neither answer is made to look like the one that is expected.
        h(
          "div",
          { class: "consent__answers" },
          h("label", { class: "consent__clips" }, clips, h("span", {}, "Clips of up to a minute may be made from my words, too.")),
          button("Yes, record me", {
            testid: "consent-yes",
            onclick: () => answer(() => sayYes(spaceId, consent.notice, clips.checked), "Your voice is recorded"),
          }),
          button("No, leave me out", {
            testid: "consent-no",
            onclick: () => answer(() => sayNo(spaceId), "Your voice is not recorded"),
          }),
        ),
      ];
    },
  });
}

/**
 * Show one's own answer and the notice; to listeners the notice alone.
 *
 * @param {string} spaceId
 * @param {() => void} onanswer
 */
export async function openMyConsent(spaceId, onanswer) {
  const consent = await myConsent(spaceId);
  if (consent.state) return void openConsent(spaceId, consent, onanswer);
  openSheet("This Space is recorded", {
    testid: "notice",
    content: (close) => [
      noticeText(consent.notice),
      h("div", { class: "sheet__actions" }, button("All right", { look: "primary", onclick: close })),
    ],
  });
}
