// @ts-check
/** One person, and what one may do about them: as a host, and as anybody. */

import { changeParticipant } from "../api.js";
import { people, relate } from "../relations.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { h, setAttribute, setText } from "../components/dom.js";
import { confirmSheet, openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { ROLE_NAMES } from "../room/roster.js";
import { attempt } from "./controls.js";
import { openReport } from "./report.js";

/** @typedef {Pick<import("../api.js").Participant, "uid" | "handle" | "display_name" | "role" | "muted"> & {removed?: boolean}} Person */
/** @typedef {import("../room/session.js").RoomSession} RoomSession */

/** @typedef {{label: string, symbol: string, look?: "danger", testid: string, done: string,
 *   change: {role?: import("../api.js").Role, muted?: boolean, removed?: boolean}}} Action */

/**
 * What a host may do about this person here.
 *
 * @param {RoomSession} session
 * @param {Person} person
 * @returns {Action[]}
 */
export function actionsFor(session, person) {
  const name = person.display_name;
  if (!session.manages || person.uid === session.uid || person.role === "host") return [];
  if (person.removed) {
    return [{ label: "Let back in", symbol: "check", testid: "let-back", done: `${name} may come back`, change: { removed: false } }];
  }
  const { leads } = session;
  if (person.role === "co_host" && !leads) return [];
  const staged = person.role !== "listener";
  /** @type {(Action | false)[]} */
  const actions = [
    staged && !person.muted && { label: "Mute", symbol: "mic-off", testid: "mute-other", done: `${name} is muted`, change: { muted: true } },
    !staged && { label: "Invite to the stage", symbol: "stage-up", testid: "invite", done: `${name} may speak now`, change: { role: "speaker" } },
    leads && person.role !== "co_host" && { label: "Make co-host", symbol: "crown", testid: "make-co-host", done: `${name} is a co-host now`, change: { role: "co_host" } },
    person.role === "co_host" && { label: "Make speaker again", symbol: "mic", testid: "make-speaker", done: `${name} is a speaker now`, change: { role: "speaker" } },
    staged && { label: "Move to the audience", symbol: "stage-down", testid: "demote", done: `${name} listens now`, change: { role: "listener" } },
    { label: "Remove from the Space", symbol: "ban", look: "danger", testid: "remove", done: `${name} was removed`, change: { removed: true } },
  ];
  return actions.filter((action) => action !== false);
}

/**
 * @param {RoomSession} session
 * @param {Person} person
 * @param {() => unknown} [onchanged]
 */
export function memberSheet(session, person, onchanged) {
  const hosting = actionsFor(session, person);
  openSheet(person.display_name, {
    testid: "member-sheet",
    content: (close) => [
      h(
        "div",
        { class: "member" },
        avatar(person, "l"),
        h("p", { class: "muted" }, `@${person.handle} · ${person.removed ? "Removed" : ROLE_NAMES[person.role]}`),
        followButton(person),
      ),
      hosting.length > 0 && h(
        "div",
        { class: "sheet__actions" },
        ...hosting.map(({ label, symbol, look, testid, done, change }) =>
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
      h(
        "div",
        { class: "panel__row" },
        button("Report", { look: "quiet", icon: "flag", testid: "report", onclick: () => openReport(session.space.id, person) }),
        button("Block", { look: "quiet", icon: "ban", testid: "block", onclick: () => askBlock(session, person, close, onchanged) }),
      ),
    ],
  });
}

/** @param {Person} person */
export function followButton(person) {
  const text = h("span", {}, "Follow");
  let follows = false;
  const element = button("Follow", {
    testid: "follow",
    onclick: () =>
      attempt(async () => {
        await relate("following", person, !follows);
        draw(!follows);
      }),
  });
  element.replaceChildren(text);
  const draw = (/** @type {boolean} */ on) => {
    follows = on;
    setText(text, on ? "Following" : "Follow");
    setAttribute(element, "aria-pressed", String(on));
    element.classList.toggle("button--primary", !on);
  };
  draw(false);
  void people("following").then((all) => draw(all.has(person.uid)), () => undefined);
  return element;
}

/**
 * @param {RoomSession} session
 * @param {Person} person
 * @param {() => void} close
 * @param {() => unknown} [onchanged]
 */
function askBlock(session, person, close, onchanged) {
  const hosts = session.space.host.uid === session.uid;
  confirmSheet(`Block @${person.handle}?`, {
    text: `They can’t join Spaces that you host${hosts ? ", and leave this one" : ""}, nor invite or follow you. They are not told.`,
    choices: [
      {
        label: "Block",
        look: "danger",
        testid: "block-confirm",
        act: () =>
          attempt(async () => {
            await relate("blocks", person, true);
            close();
            toast(`@${person.handle} is blocked`, { symbol: "ban" });
            await onchanged?.();
          }),
      },
      { label: "Cancel", act: () => undefined },
    ],
  });
}
