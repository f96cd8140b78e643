// @ts-check
/** What else there is to a room: who may speak, the link, and complaints. */

import { editSpace } from "../api/schedule.js";
import { muteAll } from "../api/stage.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";
import { shareSpace } from "../components/share.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { attempt } from "./controls.js";
import { policyField } from "./policy.js";
import { openReport } from "./report.js";

/** @param {import("../room/session.js").RoomSession} session */
export function openRoomMenu(session) {
  const { id } = session.space;
  openSheet("This Space", {
    testid: "room-menu",
    content: (close) => [
      session.manages && policies(session),
      h(
        "div",
        { class: "sheet__actions" },
        session.manages && button("Mute all speakers", {
          icon: "mic-off",
          testid: "menu-mute-all",
          onclick: () =>
            attempt(async () => {
              await muteAll(id);
              close();
              toast("All speakers are muted", { symbol: "mic-off" });
            }),
        }),
        button("Share the link", { icon: "share", testid: "menu-share", onclick: () => shareSpace(session.space) }),
        session.role !== "host" && button("Report this Space", { icon: "flag", testid: "report-space", onclick: () => openReport(id, null) }),
      ),
    ],
  });
}

/** @param {import("../room/session.js").RoomSession} session */
function policies(session) {
  const field = policyField(session.space.speaker_policy, (value) => {
    field.disabled = true;
    void attempt(async () => {
      session.space = await editSpace(session.space.id, { speaker_policy: value });
      toast("Who may speak: changed", { symbol: "check" });
    }).then(() => {
      field.disabled = false;
      for (const input of field.querySelectorAll("input")) input.checked = input.value === session.space.speaker_policy;
    });
  });
  return field;
}
