// @ts-check
/** One person in a list, with what one may do about them. */

import { avatar } from "./avatar.js";
import { h } from "./dom.js";

/**
 * @param {import("../api.js").Person} person
 * @param {object} [options]
 * @param {string} [options.name] Where it is not the display name alone.
 * @param {string} [options.note] Beside the handle.
 * @param {string} [options.testid]
 * @param {import("./dom.js").Child[]} [options.actions]
 */
export function personRow(person, { name = person.display_name, note = "", testid = "person", actions = [] } = {}) {
  return h(
    "li",
    { class: "person", "data-testid": testid, data: { uid: person.uid, handle: person.handle } },
    avatar(person, "m"),
    h("p", {}, h("strong", {}, name), h("span", { class: "muted" }, `@${person.handle}${note && ` · ${note}`}`)),
    ...actions,
  );
}
