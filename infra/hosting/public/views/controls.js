// @ts-check
/** One's own controls in a room: leave, the microphone, and coming on stage. */

import { titleOf } from "../format.js";
import { button, busyWhile } from "../components/button.js";
import { h, icon, setAttribute, setIcon, setText } from "../components/dom.js";
import { reactionBar } from "../components/reaction_bar.js";
import { shareSpace } from "../components/share.js";
import { confirmSheet } from "../components/sheet.js";
import { toastProblem } from "../components/toast.js";
import { Problem } from "../http.js";

/** @typedef {import("../room/session.js").RoomSession} RoomSession */

/** Draws what the present role allows; everything else is hidden, not disabled. */
export class Controls {
  /**
   * @param {RoomSession} session
   * @param {object} options
   * @param {import("../room/hand.js").Hand} options.hand
   * @param {(emoji: string) => unknown} options.react
   * @param {() => void} options.left
   */
  constructor(session, { hand, react, left }) {
    this.session = session;
    this.hand = hand;
    this.left = left;
    this.mic = new RoundButton("mic", () => session.setMuted(!session.muted));
    this.ask = new RoundButton("speak", () => attempt(() => this.#wantToSpeak()));
    this.hint = h("p", { class: "room__hint muted" }, "Listening only");
    this.leave = button("Leave", {
      look: "quiet", icon: "leave", testid: "leave", onclick: () => this.#leave(),
    });
    this.end = button("End", {
      look: "danger", icon: "stop", testid: "end", onclick: () => this.#askEnd(),
    });
    this.down = button("Step down", {
      look: "quiet", icon: "stage-down", testid: "step-down", onclick: () => attempt(() => session.leaveStage()),
    });
    this.share = button("Share", { look: "quiet", icon: "share", testid: "share", onclick: () => shareSpace(session.space) });
    const { strip, toggle } = reactionBar(react);
    this.element = h(
      "div",
      { class: "controls", role: "group", "aria-label": "Your controls" },
      strip,
      h(
        "div",
        { class: "controls__row" },
        h("div", { class: "controls__side" }, this.leave, this.end),
        h("div", { class: "controls__middle" }, this.mic.element, this.ask.element, this.hint),
        h("div", { class: "controls__side" }, toggle, this.down, this.share),
      ),
    );
  }

  draw() {
    const { onStage, role, leads, muted, anonymous } = this.session;
    show(this.mic.element, onStage);
    show(this.ask.element, !onStage && !anonymous);
    show(this.hint, !onStage && anonymous);
    show(this.end, leads);
    show(this.leave, role !== "host");
    show(this.down, onStage && role !== "host");
    show(this.share, !onStage || role === "host");
    this.mic.draw({ symbol: muted ? "mic-off" : "mic", label: muted ? "Unmute" : "Mute", on: !muted });
    const { up } = this.hand;
    const free = mayComeUp(this.session);
    const label = up ? "Lower hand" : free ? "Speak" : "Ask to speak";
    this.ask.draw({ symbol: free && !up ? "mic" : "hand", label, on: up });
  }

  /** Go up where the Space lets us; else raise the hand, or take it down. */
  async #wantToSpeak() {
    if (this.hand.up) return this.hand.lower();
    const { space } = this.session;
    if (!mayComeUp(this.session) && space.speaker_policy !== "following") return this.hand.raise();
    try {
      await this.session.takeStage();
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.code !== "stage-by-invitation") throw problem;
      await this.hand.raise(); // the host follows others, or has changed their mind
    }
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

/** The one big button in the middle. */
class RoundButton {
  /**
   * @param {string} testid
   * @param {() => unknown} act
   */
  constructor(testid, act) {
    this.icon = icon("mic");
    this.label = h("span", { class: "mic__label" });
    this.element = h(
      "button",
      { type: "button", class: "mic", "data-testid": testid, on: { click: () => void busyWhile(this.element, act) } },
      this.icon,
      this.label,
    );
  }

  /**
   * @param {{symbol: string, label: string, on: boolean}} look Whether it is on shows in
   *   what a tap does next, its label: "Mute, pressed" would say the contrary.
   */
  draw({ symbol, label, on }) {
    setIcon(this.icon, symbol);
    setText(this.label, label);
    this.element.dataset.on = String(on);
  }
}

/** @param {RoomSession} session */
const mayComeUp = ({ space, uid }) =>
  space.speaker_policy === "everyone" || space.invited_user_ids.includes(uid);

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
