// @ts-check
/** The notice of recording, for everybody who comes in: plain words, and a way back. */

import { button } from "./button.js";
import { h } from "./dom.js";
import { openSheet } from "./sheet.js";

/** @typedef {import("../api/recordings.js").Notice} Notice */

/**
 * Show the notice to somebody who joins.
 *
 * @param {Notice} notice
 * @returns {Promise<boolean>} Whether they come in; closing the sheet is a no.
 */
export function askNotice(notice) {
  return new Promise((resolve) => {
    let coming = false;
    openSheet("This Space is recorded", {
      testid: "notice",
      onclose: () => resolve(coming),
      content: (close) => [
        noticeText(notice),
        h(
          "div",
          { class: "sheet__actions" },
          button("Come in", {
            look: "primary",
            testid: "notice-ok",
            onclick: () => {
              coming = true;
              close();
            },
          }),
          button("Rather not", { testid: "notice-no", onclick: close }),
        ),
      ],
    });
  });
}

/** @param {Notice} notice */
export function noticeText(notice) {
  return h(
    "div",
    { class: "notice", lang: notice.lang },
    h("p", { class: "notice__title" }, notice.title),
    h("ul", { class: "notice__points" }, ...notice.points.map((point) => h("li", {}, point))),
  );
}
