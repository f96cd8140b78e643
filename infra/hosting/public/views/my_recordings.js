// @ts-check
/** Every recording one was asked about: the answer, its receipts, and the way out. */

import { myAnswers, withdraw } from "../api/recordings.js";
import { account } from "../session.js";
import { button } from "../components/button.js";
import { h, icon } from "../components/dom.js";
import { toast } from "../components/toast.js";
import { attempt } from "./controls.js";

/** @typedef {import("../api/recordings.js").MyAnswer} MyAnswer */

const SAID = Object.freeze({
  granted: "You said yes",
  declined: "You said no",
  withdrawn: "You took your yes back; your voice is deleted",
});

/**
 * @param {import("../router.js").Routes} routes
 * @returns {import("../router.js").View}
 */
export function myRecordingsView(routes) {
  const list = h("div", { class: "recordings", "aria-live": "polite" });
  const element = h(
    "section",
    { class: "panel", "data-testid": "my-recordings" },
    h("h1", { tabindex: -1 }, "My recordings"),
    h("p", { class: "muted" }, "Your answers, with signed receipts. What you take back is deleted, from every version."),
    list,
  );
  const load = async () => {
    const { answers } = await myAnswers();
    const rows = answers.map((answer) => row(answer, routes, () => attempt(load)));
    list.replaceChildren(...(rows.length ? rows : [nothingYet()]));
  };
  const open = () => void routes.signInThen(() => void attempt(load));
  if (!account()) list.append(button("Sign in", { look: "primary", icon: "people", onclick: open, testid: "recordings-sign-in" }));
  open();
  return { element, title: "My recordings", destroy: () => {} };
}

function nothingYet() {
  return h(
    "div",
    { class: "recordings__none", "data-testid": "recordings-none" },
    h("div", { class: "panel__icon" }, icon("lock")),
    h("p", {}, "Nobody has asked to record you so far."),
    h("a", { href: "/", class: "button button--primary" }, icon("headphones"), h("span", {}, "See what is on")),
  );
}

/**
 * @param {MyAnswer} answer
 * @param {import("../router.js").Routes} routes
 * @param {() => unknown} reload
 */
function row(answer, routes, reload) {
  const title = answer.title ?? "A Space";
  const clips = answer.scopes.includes("clips") ? ", clips included" : "";
  return h(
    "article",
    { class: "recordings__row", data: { testid: "my-answer", state: answer.state } },
    h("h2", {}, title),
    h("p", { class: "muted" }, `${SAID[answer.state]}${clips} · ${new Date(answer.answered_at).toLocaleString()}`),
    h(
      "div",
      { class: "recordings__acts" },
      answer.recording_state === "ready" && button("Listen", {
        icon: "headphones", testid: "listen-again", onclick: () => routes.go(`/s/${answer.space_id}/recording`),
      }),
      button("Receipt", { icon: "lock", testid: "receipt", onclick: () => download(answer) }),
      answer.state === "granted" && button("Take my voice out", {
        look: "danger",
        testid: "withdraw",
        onclick: () =>
          attempt(async () => {
            await withdraw(answer.space_id);
            toast("Your voice is being deleted", { text: "The recording is made anew without you.", symbol: "check" });
            await reload();
          }),
      }),
    ),
  );
}

/** @param {MyAnswer} answer */
function download(answer) {
  const text = JSON.stringify(answer.receipts, null, 2);
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = h("a", { href: url, download: `receipts-${answer.recording_id}.json` });
  link.click();
  URL.revokeObjectURL(url);
}
