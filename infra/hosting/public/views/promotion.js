// @ts-check
/** Asks somebody whom a host brought on stage whether they want to talk. */

import { confirmSheet } from "../components/sheet.js";
import { attempt } from "./controls.js";

const WORDS = Object.freeze({
  invited: { title: "You’re on stage", text: "A host invited you to speak. Everybody hears you once your mic is on." },
  asked: { title: "You can speak now", text: "A host took you up. Everybody hears you once your mic is on." },
});

/** @param {import("../room/session.js").RoomSession} session */
export function promotionSheet(session) {
  /** @type {(() => void) | null} */
  let close = null;
  const dismiss = () => {
    close?.();
    close = null;
  };
  const draw = () => {
    if (!session.promoted || session.onStage) return dismiss();
    const { title, text } = WORDS[session.promoted];
    close ??= confirmSheet(title, {
      text,
      choices: [
        {
          label: "Turn on mic",
          look: "primary",
          testid: "promotion-accept",
          act: () => attempt(() => session.takeStage().then(() => session.setMuted(false))),
        },
        {
          label: "Stay in the audience",
          testid: "promotion-decline",
          act: () => attempt(() => session.leaveStage()),
        },
      ],
    });
  };
  return { draw, close: dismiss };
}
