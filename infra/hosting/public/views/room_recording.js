// @ts-check
/** The recording in a room: a badge for all, and for hosts how many agreed. */

import { setRecording } from "../api/recordings.js";
import { button } from "../components/button.js";
import { h, setAttribute, setText } from "../components/dom.js";
import { RoomRecording } from "../room/recording.js";
import { openConsent, openMyConsent } from "./consent.js";
import { attempt } from "./controls.js";

/** @type {Readonly<Record<string, string>>} */
const WORDS = Object.freeze({ pending: "REC soon", recording: "REC", paused: "REC paused" });

/** @param {import("../room/session.js").RoomSession} session */
export function roomRecording(session) {
  const { id } = session.space;
  let close = () => {};
  const recording = new RoomRecording(session, {
    onchange: () => draw(),
    onask: (consent) => {
      close = openConsent(id, consent, () => void recording.refresh());
    },
  });
  const badge = button("REC", {
    look: "quiet",
    testid: "rec-badge",
    onclick: () => attempt(() => openMyConsent(id, () => void recording.refresh())),
  });
  badge.classList.add("rec__badge");
  const label = /** @type {HTMLElement} */ (badge.firstElementChild);
  const count = h("span", { class: "muted", "data-testid": "rec-count" });
  const act = (/** @type {string} */ text, /** @type {string} */ testid, /** @type {{requested: boolean, paused?: boolean}} */ wish) =>
    button(text, { testid, onclick: () => attempt(() => setRecording(id, wish)) });
  const record = act("Record this Space", "record", { requested: true });
  record.classList.add("rec__start");
  const pause = act("Pause", "rec-pause", { requested: true, paused: true });
  const resume = act("Go on", "rec-resume", { requested: true });
  const stop = act("Stop", "rec-stop", { requested: false });
  const element = h("div", { class: "rec", "data-testid": "rec" }, badge, count, record, pause, resume, stop);
  const draw = () => {
    const { state, open, tally } = recording;
    const leads = session.manages;
    element.dataset.state = state;
    setAttribute(element, "hidden", !open && !(leads && state === "off"));
    setAttribute(badge, "hidden", !open);
    setText(label, WORDS[state] ?? "REC");
    setAttribute(badge, "aria-label", `${WORDS[state] ?? "REC"}: what is recorded, and your own answer`);
    setText(count, leads && open && tally ? `${tally.granted} of ${tally.asked} agreed` : "");
    setAttribute(record, "hidden", !(leads && state === "off"));
    setAttribute(pause, "hidden", !(leads && state === "recording"));
    setAttribute(resume, "hidden", !(leads && state === "paused"));
    setAttribute(stop, "hidden", !(leads && open));
  };
  return {
    element,
    draw: () => {
      recording.look();
      draw();
    },
    stop: () => {
      recording.stop();
      close();
    },
  };
}
