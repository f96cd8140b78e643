// @ts-check
/** What a host may do about one person. */

import { changeParticipant } from "../api.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { ROLE_NAMES } from "../room/roster.js";
import { attempt } from "./controls.js";

/** @typedef {Pick<import("../api.js").Participant, "uid" | "handle" | "display_name" | "role" | "muted"> & {removed?: boolean}} Person */

/** @typedef {{label: string, symbol: string, look?: "danger", testid: string, done: string,
 *   change: {role?: import("../api.js").Role, muted?: boolean, removed?: boolean}}} Action */

/**
 * @param {import("../room/session.js").RoomSession} session
 * @param {Person} person
 * @returns {Action[]}
 */
export function actionsFor(session, person) {
  const name = person.display_name;
  if (!session.manages || person.uid === session.uid || person.role === "host") return [];
  if (person.removed) {
    return [{ label: "Let back in", symbol: "check", testid: "let-back", done: `${name} may come back`, change: { removed: false } }];
  }
  /** @type {Action} */
  const remove = { label: "Remove from the Space", symbol: "ban", look: "danger", testid: "remove", done: `${name} was removed`, change: { removed: true } };
  if (person.role === "listener") {
    return [
      { label: "Invite to the stage", symbol: "stage-up", testid: "invite", done: `${name} may speak now`, change: { role: "speaker" } },
      remove,
    ];
  }
  /** @type {Action[]} */
  const actions = [
    { label: "Move to the audience", symbol: "stage-down", testid: "demote", done: `${name} listens now`, change: { role: "listener" } },
    remove,
  ];
  if (!person.muted) {
    actions.unshift({ label: "Mute", symbol: "mic-off", testid: "mute-other", done: `${name} is muted`, change: { muted: true } });
  }
  return actions;
}

/**
 * @param {import("../room/session.js").RoomSession} session
 * @param {Person} person
 * @param {() => unknown} [onchanged]
 */
export function memberSheet(session, person, onchanged) {
  openSheet(person.display_name, {
    testid: "member-sheet",
    content: (close) => [
      h(
        "div",
        { class: "member" },
        avatar(person, "l"),
        h("p", { class: "muted" }, `@${person.handle} · ${ROLE_NAMES[person.role]}`),
      ),
      h(
        "div",
        { class: "sheet__actions" },
        ...actionsFor(session, person).map(({ label, symbol, look, testid, done, change }) =>
          button(label, {
            icon: symbol,
            look,
            testid,
            onclick: () =>
              attempt(async () => {
                await changeParticipant(session.space.id, person.uid, change);
                close();
                toast(done, { symbol: "check" });
                await onchanged?.();
              }),
          }),
        ),
      ),
    ],
  });
}
