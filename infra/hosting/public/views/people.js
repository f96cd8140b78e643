// @ts-check
/** Everybody in a Space who wants to be seen. */

import { participants } from "../api.js";
import { plural } from "../format.js";
import { explain } from "../problems.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { h, icon } from "../components/dom.js";
import { openSheet } from "../components/sheet.js";
import { ROLE_NAMES } from "../room/roster.js";
import { actionsFor, memberSheet } from "./member.js";

const REFRESH_MS = 5000;
const MAX_PAGES = 4; // 200 people; a crowd beyond that is a number

/** @typedef {import("../api.js").Participant} Participant */

/** @param {import("../room/session.js").RoomSession} session */
export function openPeople(session) {
  const body = h("div", { class: "people", "aria-busy": "true" }, h("p", { class: "muted" }, "Looking around…"));
  let shown = "";
  const refresh = async () => {
    const people = await everybody(session.space.id).catch((problem) => {
      const { title, text } = explain(problem);
      if (!shown) body.replaceChildren(h("p", { class: "muted" }, `${title}. ${text}`));
    });
    const text = JSON.stringify(people);
    if (!people || text === shown) return; // leaves the focus where it is
    shown = text;
    body.removeAttribute("aria-busy");
    body.replaceChildren(...sections(session, people, refresh));
  };
  const timer = setInterval(refresh, REFRESH_MS);
  openSheet("People", {
    testid: "people-sheet",
    content: () => [body],
    onclose: () => clearInterval(timer),
  });
  void refresh();
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
 * @param {import("../room/session.js").RoomSession} session
 * @param {Participant[]} people
 * @param {() => unknown} onchanged
 */
function sections(session, people, onchanged) {
  const here = people.filter(({ removed }) => !removed);
  const stage = here.filter(({ role }) => role !== "listener");
  const audience = here.filter(({ role }) => role === "listener");
  const removed = session.manages ? people.filter((person) => person.removed) : [];
  const row = (/** @type {Participant} */ person) => rowOf(session, person, onchanged);
  const unseen = Math.max(0, (session.room?.listener_count ?? 0) - audience.length);
  return [
    section(`On stage · ${stage.length}`, stage.map(row)),
    section(`Listening · ${audience.length + unseen}`, audience.map(row), audienceNote(audience.length, unseen)),
    ...(removed.length ? [section("Removed", removed.map(row))] : []),
  ];
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
 * @param {string} [note]
 */
function section(title, rows, note = "") {
  return h(
    "section",
    { class: "people__section" },
    h("h3", {}, title),
    h("ul", { class: "people__list" }, ...rows),
    note && h("p", { class: "muted" }, note),
  );
}

/**
 * @param {import("../room/session.js").RoomSession} session
 * @param {Participant} person
 * @param {() => unknown} onchanged
 */
function rowOf(session, person, onchanged) {
  const you = person.uid === session.uid ? " (you)" : "";
  const acts = actionsFor(session, person).length > 0;
  return h(
    "li",
    { class: "person", "data-testid": "person", data: { uid: person.uid, handle: person.handle, role: person.role } },
    avatar(person, "m"),
    h(
      "p",
      {},
      h("strong", {}, person.display_name + you),
      h("span", { class: "muted" }, `@${person.handle} · ${ROLE_NAMES[person.role]}`),
    ),
    person.role !== "listener" && person.muted && h("span", { class: "person__muted" }, icon("mic-off"), h("span", { class: "visually-hidden" }, "muted")),
    acts && button(`Actions for ${person.display_name}`, {
      look: "quiet", icon: "more", round: true, testid: "person-actions", onclick: () => memberSheet(session, person, onchanged),
    }),
  );
}
