// @ts-check
/** A Space's title, with what is left of its length. */

import { h, setText } from "../components/dom.js";

const TITLE_LENGTH = 70;
const WARN_AT = 60;

/** @param {string} [title] */
export function titleField(title = "") {
  const counter = h("span", { class: "field__counter", "aria-hidden": "true" });
  const input = h("textarea", {
    id: "space-title",
    name: "title",
    class: "start__title",
    rows: 2,
    maxlength: TITLE_LENGTH,
    placeholder: "What do you want to talk about?",
    autofocus: true,
    "data-testid": "start-title",
  });
  input.value = title;
  const draw = () => {
    // The limit is in characters as people count them, not in UTF-16 units.
    const left = TITLE_LENGTH - [...input.value].length;
    setText(counter, String(left));
    counter.dataset.low = String(left <= TITLE_LENGTH - WARN_AT);
  };
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // titles have one line; Enter starts
    input.form?.requestSubmit();
  });
  draw();
  return h(
    "div",
    { class: "field" },
    h("label", { for: input.id, class: "field__label" }, "Title", h("small", {}, "optional"), counter),
    input,
  );
}
