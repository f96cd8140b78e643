// @ts-check
/** One's own page: the name others see, who may find one, whom one follows and blocks. */

import { myProfile, saveProfile } from "../api/people.js";
import { isLocal } from "../device.js";
import { people, relate } from "../relations.js";
import { rename } from "../session.js";
import { avatar } from "../components/avatar.js";
import { busyWhile, button } from "../components/button.js";
import { h, icon, setText } from "../components/dom.js";
import { formError } from "../components/form_error.js";
import { personRow } from "../components/person_row.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { attempt } from "./controls.js";
import { problemPanel } from "./problem.js";

const DISPLAY_NAME_LENGTH = 50;

/** @typedef {import("../router.js").Routes} Routes */
/** @typedef {import("../api/people.js").Relation} Relation */

/**
 * @param {Routes} routes
 * @returns {import("../router.js").View}
 */
export function profileView(routes) {
  const body = h("div", { class: "profile", "data-testid": "profile" });
  const element = h("div", { class: "page" }, h("h1", { tabindex: -1, class: "visually-hidden" }, "Your profile"), body);
  const load = async () => {
    try {
      const profile = await myProfile();
      body.replaceChildren(headOf(profile), form(profile), relations(), ...actions(routes));
    } catch (problem) {
      body.replaceChildren(problemPanel(problem, { retry: load, feed: () => routes.go("/"), "sign-in": () => routes.signInThen(load) }));
    }
  };
  void load();
  return { element, title: "You", destroy: () => undefined };
}

/** @param {import("../api/people.js").Profile} profile */
function headOf(profile) {
  return h(
    "div",
    { class: "profile__head" },
    avatar(profile, "xl"),
    h("p", { class: "profile__name", "data-testid": "profile-name" }, profile.display_name),
    h("p", { class: "muted" }, `@${profile.handle}`),
  );
}

/** @param {import("../api/people.js").Profile} profile */
function form(profile) {
  const error = formError();
  const name = h("input", {
    id: "profile-display-name", name: "name", class: "field__input", autocomplete: "name", maxlength: DISPLAY_NAME_LENGTH,
    required: true, value: profile.display_name, "data-testid": "profile-display-name",
  });
  const guarded = h("input", { type: "checkbox", role: "switch", id: "profile-protected", name: "protected", "data-testid": "profile-protected" });
  guarded.checked = profile.protected;
  const go = h("button", { class: "button button--primary", "data-testid": "profile-save" }, h("span", {}, "Save"));
  const send = () =>
    error.guard(async () => {
      const saved = await saveProfile({ handle: profile.handle, display_name: name.value.trim(), protected: guarded.checked });
      rename(saved.display_name);
      const shown = document.querySelector("[data-testid=profile-name]");
      if (shown) setText(shown, saved.display_name);
      toast("Saved", { symbol: "check" });
    });
  return h(
    "form",
    { class: "card profile__form", on: { submit: (event) => { event.preventDefault(); void busyWhile(go, send); } } },
    h("label", { for: name.id, class: "field__label" }, "Name"),
    h("div", { class: "field__row" }, name),
    h("label", { class: "switch", for: guarded.id },
      icon("lock"), h("span", { class: "choice__text" }, h("strong", {}, "Protected account"), h("small", {}, "You listen and speak, but don’t host")), guarded),
    error.element,
    go,
  );
}

function relations() {
  return h(
    "div",
    { class: "card profile__lists" },
    listLink("Following", "user-plus", "following", { none: "You follow nobody yet. Tap somebody on a stage to follow them.", undo: "Unfollow" }),
    listLink("Blocked", "ban", "blocks", { none: "You have blocked nobody.", undo: "Unblock" }),
  );
}

/**
 * @param {string} title
 * @param {string} symbol
 * @param {Relation} relation
 * @param {{none: string, undo: string}} words
 */
function listLink(title, symbol, relation, words) {
  const count = h("span", { class: "muted" });
  const draw = () => people(relation).then(({ size }) => setText(count, String(size)), () => undefined);
  void draw();
  return h(
    "button",
    { type: "button", class: "profile__link", "data-testid": `profile-${relation}`, on: { click: () => openRelation(title, relation, words, draw) } },
    icon(symbol), h("strong", {}, title), count, icon("chevron-right"),
  );
}

/**
 * @param {string} title
 * @param {Relation} relation
 * @param {{none: string, undo: string}} words
 * @param {() => unknown} onchanged
 */
function openRelation(title, relation, { none, undo }, onchanged) {
  const list = h("ul", { class: "people__list" });
  const note = h("p", { class: "muted" }, "Looking…");
  const draw = async () => {
    const found = [...(await people(relation)).values()];
    setText(note, found.length ? "" : none);
    list.replaceChildren(...found.map((person) => personRow(person, {
      actions: [button(`${undo} ${person.display_name}`, { icon: "close", round: true, look: "quiet", testid: "relation-undo", onclick: () => attempt(() => relate(relation, person, false).then(draw)) })],
    })));
    await onchanged();
  };
  openSheet(title, { testid: "relation-sheet", content: () => [h("div", { class: "people" }, list, note)] });
  void attempt(draw);
}

/** @param {Routes} routes */
function actions(routes) {
  const phone = h("a", { href: "/phone", class: "button", hidden: true, "data-testid": "phone-link" }, icon("phone"), h("span", {}, "What your phone shows"));
  void isLocal().then((local) => (phone.hidden = !local));
  const recordings = h("a", { href: "/recordings", class: "button", "data-testid": "recordings-link" }, icon("lock"), h("span", {}, "My recordings and receipts"));
  return [recordings, phone, button("Sign out", { look: "quiet", icon: "leave", testid: "sign-out", onclick: () => routes.signOut() })];
}
