// @ts-check
/** Asks somebody whom a host brought on stage whether they want to talk. */

import { confirmSheet } from "../components/sheet.js";
import { attempt } from "./controls.js";

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
    close ??= confirmSheet("You’re on stage", {
      text: "A host invited you to speak. Everybody hears you once your mic is on.",
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
