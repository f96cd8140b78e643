// @ts-check
/** Everybody in a Space who wants to be seen, and for hosts whoever wants more. */

import { participants } from "../api.js";
import { muteAll } from "../api/stage.js";
import { plural } from "../format.js";
import { explain } from "../problems.js";
import { account } from "../session.js";
import { button } from "../components/button.js";
import { h, icon, present } from "../components/dom.js";
import { personRow } from "../components/person_row.js";
import { shareSpace } from "../components/share.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { ROLE_NAMES } from "../room/roster.js";
import { attempt } from "./controls.js";
import { openInvite } from "./invite.js";
import { memberSheet } from "./member.js";
import { requestsSection } from "./requests.js";

const REFRESH_MS = 5000;
const MAX_PAGES = 4; // 200 people; a crowd beyond that is a number

/** @typedef {import("../api.js").Participant} Participant */
/** @typedef {import("../room/session.js").RoomSession} RoomSession */

/**
 * @param {RoomSession} session
 * @param {import("../room/hands.js").Hands} hands
 * @param {AbortSignal} signal Ends with the room.
 */
export function openPeople(session, hands, signal) {
  const body = h("div", { class: "people", "aria-busy": "true" }, h("p", { class: "muted" }, "Looking around…"));
  const closed = new AbortController();
  let shown = "";
  /** @type {Participant[]} */
  let latest = [];
  const draw = () => {
    const text = JSON.stringify([latest, hands.up, session.role]);
    if (text === shown || closed.signal.aborted) return; // leaves the focus where it is
    shown = text;
    body.removeAttribute("aria-busy");
    keepingFocus(body, () => body.replaceChildren(...present(sections(session, hands, latest, refresh))));
  };
  const refresh = async () => {
    try {
      latest = await everybody(session.space.id);
      draw();
    } catch (problem) {
      const { title, text } = explain(problem);
      if (!shown) body.replaceChildren(h("p", { class: "muted" }, `${title}. ${text}`));
    }
  };
  const timer = setInterval(refresh, REFRESH_MS);
  const close = openSheet("People", {
    testid: "people-sheet",
    content: () => [body],
    onclose: () => {
      clearInterval(timer);
      closed.abort();
    },
  });
  session.on("hands", () => void refresh(), closed.signal);
  signal.addEventListener("abort", close, { signal: closed.signal });
  void refresh();
}

/**
 * @param {HTMLElement} body
 * @param {() => void} redraw
 */
function keepingFocus(body, redraw) {
  const focused = body.contains(document.activeElement) && document.activeElement?.getAttribute("aria-label");
  redraw();
  if (!focused) return;
  const again = body.querySelector(`[aria-label="${CSS.escape(focused)}"]`) ?? body.closest("dialog")?.querySelector("button");
  /** @type {HTMLElement | null | undefined} */ (again)?.focus();
}

/** @param {string} id */
async function everybody(id) {
  /** @type {Participant[]} */
  const people = [];
  /** @type {string | null} */
  let next = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await participants(id, next);
    people.push(...answer.participants);
    next = answer.next_page_token;
    if (!next) break;
  }
  return people;
}

/**
 * @param {RoomSession} session
 * @param {import("../room/hands.js").Hands} hands
 * @param {Participant[]} people
 * @param {() => unknown} onchanged
 */
function sections(session, hands, people, onchanged) {
  const here = people.filter(({ removed }) => !removed);
  const stage = here.filter(({ role }) => role !== "listener");
  const audience = here.filter(({ role }) => role === "listener");
  const removed = session.manages ? people.filter((person) => person.removed) : [];
  const row = (/** @type {Participant} */ person) => rowOf(session, person, onchanged);
  const unseen = Math.max(0, (session.room?.listener_count ?? 0) - audience.length);
  const open = stage.some(({ role, muted }) => role === "speaker" && !muted);
  return [
    session.manages && button("Invite people", { look: "primary", icon: "user-plus", testid: "invite-people", onclick: () => openInvite(session.space, session.leads) }),
    requestsSection(hands),
    section(`On stage · ${stage.length}`, stage.map(row), { act: session.manages && open && muteAllButton(session, onchanged) }),
    section(`Listening · ${audience.length + unseen}`, audience.map(row), {
      note: audienceNote(audience.length, unseen),
      act: button("Share", { look: "quiet", icon: "share", onclick: () => shareSpace(session.space) }),
    }),
    ...(removed.length ? [section("Removed", removed.map(row))] : []),
  ];
}

/**
 * @param {RoomSession} session
 * @param {() => unknown} onchanged
 */
function muteAllButton(session, onchanged) {
  return button("Mute all", {
    look: "quiet",
    icon: "mic-off",
    testid: "mute-all",
    onclick: () =>
      attempt(async () => {
        await muteAll(session.space.id);
        toast("All speakers are muted", { symbol: "mic-off" });
        await onchanged();
      }),
  });
}

/**
 * @param {number} seen
 * @param {number} unseen
 */
function audienceNote(seen, unseen) {
  if (unseen) return `${seen ? "And " : ""}${plural(unseen, "person who listens", "people who listen")} unseen.`;
  return seen ? "" : "Nobody yet. Share the link!";
}

/**
 * @param {string} title
 * @param {HTMLElement[]} rows
 * @param {{note?: string, act?: HTMLElement | false}} [options]
 */
function section(title, rows, { note = "", act = false } = {}) {
  return h(
    "section",
    { class: "people__section" },
    h("div", { class: "people__title" }, h("h3", {}, title), act),
    h("ul", { class: "people__list" }, ...rows),
    note && h("p", { class: "muted" }, note),
  );
}

/**
 * @param {RoomSession} session
 * @param {Participant} person
 * @param {() => unknown} onchanged
 */
function rowOf(session, person, onchanged) {
  const you = person.uid === account()?.uid;
  return personRow(person, {
    name: person.display_name + (you ? " (you)" : ""),
    note: ROLE_NAMES[person.role],
    actions: [
      person.role !== "listener" && person.muted && h("span", { class: "person__muted" }, icon("mic-off"), h("span", { class: "visually-hidden" }, "muted")),
      !you && button(`Actions for ${person.display_name}`, {
        look: "quiet", icon: "more", round: true, testid: "person-actions", onclick: () => memberSheet(session, person, onchanged),
      }),
    ],
  });
}
