// @ts-check
/** Whose network is bad: for hosts, who can tell the others why they sound like that. */

import { h, icon, setAttribute, setText } from "../components/dom.js";

/** @typedef {import("../room/session.js").RoomSession} RoomSession */
/** @typedef {import("../media/whip.js").StageNetwork} StageNetwork */

/** @type {Readonly<Record<StageNetwork["grade"], string>>} */
const GRADES = Object.freeze({ good: "Good", fair: "Unsteady", poor: "Bad" });

/** Opens to a line for each person; closed, its summary names those in trouble. */
export class Networks {
  #summary = h("summary", {});
  #status = h("span", { role: "status" });
  #list = h("ul", { class: "networks__people" });
  element = h("details", { class: "networks", hidden: true, "data-testid": "networks" }, this.#summary, this.#list);

  /** @param {RoomSession} session */
  constructor(session) {
    this.session = session;
    this.#summary.append(h("span", {}, "Connections: ", this.#status), icon("chevron-down"));
  }

  draw() {
    const { session } = this;
    const people = session.manages ? session.networks : [];
    setAttribute(this.element, "hidden", people.length === 0);
    if (people.length === 0) return;
    const names = new Map(session.room?.stage.map((member) => [member.uid, member.display_name]));
    const nameOf = (/** @type {StageNetwork} */ { uid }) => names.get(uid) ?? "Somebody";
    setText(this.#status, summary(people, nameOf));
    const lines = people.map((each) => `${nameOf(each)}: ${describe(each)}`);
    if (this.#list.dataset.lines === lines.join("\n")) return;
    this.#list.dataset.lines = lines.join("\n");
    this.#list.replaceChildren(
      ...people.map((each, index) => h("li", { data: { grade: each.grade } }, lines[index] ?? "")),
    );
  }
}

/**
 * One sentence: who has trouble just now.
 *
 * @param {readonly StageNetwork[]} people
 * @param {(person: StageNetwork) => string} nameOf
 */
export function summary(people, nameOf) {
  const poor = people.filter(({ grade }) => grade === "poor");
  if (poor.length > 0) return `${poor.map(nameOf).join(", ")} ${poor.length > 1 ? "have" : "has"} a bad network`;
  const fair = people.filter(({ grade }) => grade === "fair");
  if (fair.length > 0) return `unsteady for ${fair.map(nameOf).join(", ")}`;
  return "all good";
}

/**
 * @param {StageNetwork} person
 * @returns {string} Such as "Bad. 12 % of what they say is lost."
 */
export function describe({ grade, sent_lost: sent, heard_lost: heard, jitter_ms: jitter }) {
  const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;
  return [
    `${GRADES[grade]}.`,
    sent > 0 && `${percent(sent)} of what they say is lost.`,
    heard > 0 && `They miss ${percent(heard)} of what they hear.`,
    grade !== "good" && jitter > 0 && `Arrives unevenly, by ${jitter} ms.`,
  ].filter(Boolean).join(" ");
}
