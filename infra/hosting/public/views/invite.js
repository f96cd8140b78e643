// @ts-check
/** Bringing people in: by name, to speak, to co-host or to listen, or with the link. */

import { findPeople } from "../api/people.js";
import { pendingInvites, revokeInvite, sendInvites } from "../api/stage.js";
import { explain } from "../problems.js";
import { people } from "../relations.js";
import { account } from "../session.js";
import { button } from "../components/button.js";
import { h, setAttribute, setText } from "../components/dom.js";
import { personRow } from "../components/person_row.js";
import { copyLink, shareSpace } from "../components/share.js";
import { openSheet } from "../components/sheet.js";
import { attempt } from "./controls.js";

const TYPING_MS = 250;
const HANDLE_BEGINNING = /^@?[A-Za-z0-9_]{1,15}$/;

/** @typedef {import("../api/stage.js").OfferedRole} OfferedRole */
/** @typedef {import("../api.js").Person} Person */
/** @typedef {import("../api.js").Space} Space */

/**
 * @param {Space} space
 * @param {boolean} leads Whether one may offer to co-host.
 */
export function openInvite(space, leads) {
  const sheet = new InviteSheet(space, leads);
  openSheet("Invite people", {
    testid: "invite-sheet",
    content: () => [
      h(
        "div",
        { class: "panel__row" },
        button("Copy link", { icon: "link", testid: "copy-link", onclick: () => copyLink(space) }),
        "share" in navigator && button("Share…", { icon: "share", onclick: () => shareSpace(space) }),
      ),
      sheet.roles,
      sheet.search,
      sheet.list,
    ],
  });
  void sheet.load();
}

class InviteSheet {
  #role = /** @type {OfferedRole} */ ("speaker");
  /** @type {Map<string, OfferedRole>} Unanswered invites, by uid. */
  #invited = new Map();
  /** @type {Person[]} Who was invited, then whom one follows. */
  #suggested = [];
  #typing = 0;
  #title = h("h3", {});
  #rows = h("ul", { class: "people__list" });
  #note = h("p", { class: "muted", role: "status" });

  /**
   * @param {Space} space
   * @param {boolean} leads
   */
  constructor(space, leads) {
    this.space = space;
    this.roles = this.#roles(leads);
    this.input = h("input", {
      type: "search", id: "invite-search", class: "field__input", placeholder: "Find people by handle", "aria-label": "Find people by handle",
      autocomplete: "off", autocapitalize: "none", spellcheck: "false", enterkeyhint: "search", autofocus: true, "data-testid": "invite-search",
    });
    this.input.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = window.setTimeout(() => void this.#find(), TYPING_MS);
    });
    this.search = h("div", { class: "field__row" }, h("span", { "aria-hidden": "true" }, "@"), this.input);
    this.list = h("section", { class: "people people--invite" }, h("div", { class: "people__section" }, this.#title, this.#rows, this.#note));
  }

  /** Show who was invited, and whom one follows. */
  async load() {
    const [pending, following] = await Promise.all([
      pendingInvites(this.space.id).catch(() => ({ invites: [] })),
      people("following").catch(() => new Map()),
    ]);
    for (const { uid, role } of pending.invites) this.#invited.set(uid, role);
    const others = [...following.values()].filter(({ uid }) => !this.#invited.has(uid));
    this.#suggested = [...pending.invites, ...others];
    if (!this.input.value) this.#suggest();
  }

  #suggest() {
    this.#show(this.#suggested, this.#suggested.length ? "Invited, and people you follow" : "", "Type the beginning of a handle.");
  }

  async #find() {
    const text = this.input.value.trim();
    if (!text) return this.#suggest();
    if (!HANDLE_BEGINNING.test(text)) return this.#show([], "", "Handles have letters, digits and _ only.");
    try {
      const found = await findPeople(text);
      if (this.input.value.trim() !== text) return; // they typed on
      const others = found.people.filter(({ uid }) => uid !== account()?.uid);
      this.#show(others, others.length ? "People" : "", others.length ? "" : `Nobody’s handle begins with “${text}”.`);
    } catch (problem) {
      const { title, text: detail } = explain(problem);
      this.#show([], "", `${title}. ${detail}`);
    }
  }

  /**
   * @param {Person[]} found
   * @param {string} title
   * @param {string} note Where nobody is shown.
   */
  #show(found, title, note) {
    setText(this.#title, title);
    setText(this.#note, found.length ? "" : note);
    this.#rows.replaceChildren(...found.map((person) => this.#rowOf(person)));
  }

  /** @param {Person} person */
  #rowOf(person) {
    const text = h("span", {});
    const act = button(`Invite ${person.display_name}`, { testid: "invite-person", onclick: () => attempt(() => this.#toggle(person).then(draw)) });
    act.replaceChildren(text);
    const draw = () => {
      const role = this.#invited.get(person.uid);
      setText(text, role ? "Invited" : "Invite");
      setAttribute(act, "aria-pressed", String(Boolean(role)));
      setAttribute(act, "aria-label", `${role ? "Take back the invite of" : "Invite"} ${person.display_name}`);
      act.classList.toggle("button--primary", !role);
    };
    draw();
    return personRow(person, { testid: "invitee", actions: [act] });
  }

  /** @param {Person} person */
  async #toggle({ uid }) {
    if (this.#invited.has(uid)) {
      await revokeInvite(this.space.id, uid);
      this.#invited.delete(uid);
    } else {
      await sendInvites(this.space.id, [uid], this.#role);
      this.#invited.set(uid, this.#role);
    }
  }

  /** @param {boolean} leads */
  #roles(leads) {
    const option = (/** @type {OfferedRole} */ value, /** @type {string} */ label) => {
      const input = h("input", { type: "radio", name: "invite-role", value, class: "visually-hidden", id: `invite-role-${value}` });
      input.checked = value === this.#role;
      input.addEventListener("change", () => (this.#role = value));
      return h("label", { class: "segment", for: input.id, "data-testid": `invite-role-${value}` }, input, label);
    };
    return h("fieldset", { class: "segments" }, h("legend", { class: "visually-hidden" }, "Invite to"), option("speaker", "To speak"), leads && option("co_host", "To co-host"), option("listener", "To listen"));
  }
}
