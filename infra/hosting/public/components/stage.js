// @ts-check
/** The people on stage, with rings around those who talk. */

import { ordered, ROLE_NAMES } from "../room/roster.js";
import { avatar } from "./avatar.js";
import { h, icon, setAttribute, setText } from "./dom.js";

/** @typedef {import("../room/roster.js").Member} Member */

export class Stage {
  element = h("ul", { class: "stage", "aria-label": "On stage", "data-testid": "stage" });
  /** @type {Map<string, Tile>} */
  #tiles = new Map();

  /** @param {(member: Member) => (() => void) | null} actionOf What a tap on somebody does. */
  constructor(actionOf) {
    this.actionOf = actionOf;
  }

  /**
   * @param {readonly Member[]} members
   * @param {string} ownUid
   */
  draw(members, ownUid) {
    const uids = new Set(members.map(({ uid }) => uid));
    for (const [uid, tile] of this.#tiles) {
      if (uids.has(uid)) continue;
      tile.element.remove();
      this.#tiles.delete(uid);
    }
    ordered(members).forEach((member, index) => {
      const tile = this.#tiles.get(member.uid) ?? new Tile(member, this.actionOf);
      this.#tiles.set(member.uid, tile);
      tile.draw(member, member.uid === ownUid);
      const there = this.element.children[index];
      if (there !== tile.element) this.element.insertBefore(tile.element, there ?? null);
    });
    this.element.dataset.size = members.length > 6 ? "many" : members.length > 2 ? "some" : "few";
  }

  /** @param {import("../room/pulse.js").Beat} beat */
  beat({ talking, level }) {
    for (const [uid, tile] of this.#tiles) tile.beat(talking.has(uid), level(uid));
  }
}

class Tile {
  /**
   * @param {Member} member
   * @param {(member: Member) => (() => void) | null} actionOf
   */
  constructor(member, actionOf) {
    this.member = member;
    this.name = h("span", { class: "tile__name" });
    this.role = h("span", { class: "tile__role" });
    this.state = h("span", { class: "visually-hidden" });
    this.button = h(
      "button",
      { type: "button", class: "tile__button", on: { click: () => actionOf(this.member)?.() } },
      h(
        "span",
        { class: "tile__face" },
        h("span", { class: "tile__ring", "aria-hidden": "true" }),
        avatar(member, "l"),
        h("span", { class: "tile__muted", "aria-hidden": "true" }, icon("mic-off")),
      ),
      this.name,
      this.role,
      this.state,
    );
    this.actionOf = actionOf;
    this.element = h("li", { class: "tile", "data-testid": "stage-member" }, this.button);
    Object.assign(this.element.dataset, { uid: member.uid, handle: member.handle, talking: "false" });
  }

  /**
   * @param {Member} member
   * @param {boolean} self
   */
  draw(member, self) {
    this.member = member;
    const { dataset } = this.element;
    dataset.muted = String(member.muted);
    dataset.connected = String(member.connected);
    dataset.role = member.role;
    dataset.self = String(self);
    setText(this.name, member.display_name + (self ? " (you)" : ""));
    const away = member.connected ? "" : " · connecting";
    setText(this.role, ROLE_NAMES[member.role] + away);
    setText(this.state, member.muted ? "muted" : "microphone on");
    setAttribute(this.button, "disabled", this.actionOf(member) === null);
  }

  /**
   * @param {boolean} talking
   * @param {number} level 0 to 1.
   */
  beat(talking, level) {
    this.element.dataset.talking = String(talking);
    this.element.style.setProperty("--level", talking ? level.toFixed(2) : "0");
  }
}
