// @ts-check
/** One's own controls in a room: leave, the microphone, and coming on stage. */

import { titleOf } from "../format.js";
import { button, busyWhile } from "../components/button.js";
import { h, icon, setAttribute, setIcon, setText } from "../components/dom.js";
import { confirmSheet } from "../components/sheet.js";
import { toastProblem } from "../components/toast.js";
import { openPeople } from "./people.js";

/** Draws what the present role allows; everything else is hidden, not disabled. */
export class Controls {
  /**
   * @param {import("../room/session.js").RoomSession} session
   * @param {{left: () => void}} acts
   */
  constructor(session, { left }) {
    this.session = session;
    this.left = left;
    this.micIcon = icon("mic-off");
    this.micLabel = h("span", { class: "mic__label" });
    this.mic = this.#micButton();
    this.speak = button("Go on stage", {
      look: "primary", icon: "stage-up", testid: "speak", onclick: () => attempt(() => session.takeStage()),
    });
    this.wait = h("p", { class: "room__hint muted" }, "The host decides who speaks");
    this.leave = button("Leave", {
      look: "quiet", icon: "leave", testid: "leave", onclick: () => this.#leave(),
    });
    this.end = button("End", {
      look: "danger", icon: "stop", testid: "end", onclick: () => this.#askEnd(),
    });
    this.down = button("Step down", {
      look: "quiet", icon: "stage-down", testid: "step-down", onclick: () => attempt(() => session.leaveStage()),
    });
    this.people = button("People", { look: "quiet", icon: "people", onclick: () => openPeople(session) });
    this.element = h(
      "div",
      { class: "controls", role: "group", "aria-label": "Your controls" },
      h("div", { class: "controls__side" }, this.leave, this.end),
      h("div", { class: "controls__middle" }, this.mic, this.speak, this.wait),
      h("div", { class: "controls__side controls__side--end" }, this.down, this.people),
    );
  }

  draw() {
    const { onStage, role, muted, space, uid } = this.session;
    const maySpeak = space.speaker_policy !== "invited" || space.invited_user_ids.includes(uid);
    const offer = !onStage && maySpeak && !this.session.anonymous;
    show(this.mic, onStage);
    show(this.speak, offer);
    show(this.wait, !onStage && !offer);
    show(this.end, role === "host");
    show(this.leave, role !== "host");
    show(this.down, onStage && role !== "host");
    show(this.people, !onStage || role === "host");
    setAttribute(this.mic, "aria-pressed", String(!muted));
    this.mic.dataset.muted = String(muted);
    setIcon(this.micIcon, muted ? "mic-off" : "mic");
    setText(this.micLabel, muted ? "Unmute" : "Mute");
  }

  #micButton() {
    const element = h(
      "button",
      {
        type: "button",
        class: "mic",
        "data-testid": "mic",
        on: { click: () => void busyWhile(element, () => this.session.setMuted(!this.session.muted)) },
      },
      this.micIcon,
      this.micLabel,
    );
    return element;
  }

  #leave() {
    this.session.leave();
    this.left();
  }

  #askEnd() {
    confirmSheet("End this Space?", {
      text: `“${titleOf(this.session.space)}” ends for everyone. Or leave it to the others and come back later.`,
      choices: [
        {
          label: "End for everyone",
          look: "danger",
          testid: "end-confirm",
          act: () => attempt(() => this.session.end()),
        },
        { label: "Just leave", testid: "leave-confirm", act: () => this.#leave() },
      ],
    });
  }
}

/** @param {() => Promise<unknown>} act A refusal becomes a toast. */
export async function attempt(act) {
  try {
    await act();
  } catch (problem) {
    toastProblem(problem);
  }
}

/**
 * @param {HTMLElement} element
 * @param {boolean} shown
 */
const show = (element, shown) => setAttribute(element, "hidden", !shown);
