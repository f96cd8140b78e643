// @ts-check
/** A dialog: a sheet from below on a phone, a card on a desk. */

import { button } from "./button.js";
import { h } from "./dom.js";

let lastId = 0;

/**
 * Open a modal dialog; the browser keeps the focus inside and gives it back.
 *
 * @param {string} title
 * @param {object} options
 * @param {(close: () => void) => import("./dom.js").Child[]} options.content
 * @param {string} [options.testid]
 * @param {() => void} [options.onclose]
 * @returns {() => void} Closes it.
 */
export function openSheet(title, { content, testid, onclose }) {
  const close = () => dialog.close();
  const id = `sheet-${(lastId += 1)}`;
  /** @type {HTMLDialogElement} */
  const dialog = h(
    "dialog",
    { class: "sheet", "aria-labelledby": id, "data-testid": testid },
    h(
      "div",
      { class: "sheet__panel" },
      h(
        "header",
        { class: "sheet__header" },
        h("h2", { id }, title),
        button("Close", { onclick: close, look: "quiet", icon: "close", round: true }),
      ),
      h("div", { class: "sheet__body" }, ...content(close)),
    ),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  const first = dialog.querySelector("[autofocus]");
  if (first instanceof HTMLElement) first.focus();
  return close;
}

/**
 * Ask before something that cannot be undone.
 *
 * @param {string} title
 * @param {object} options
 * @param {string} options.text
 * @param {{label: string, look?: "primary" | "danger" | "plain", testid?: string,
 *   act: () => unknown}[]} options.choices
 */
export function confirmSheet(title, { text, choices }) {
  return openSheet(title, {
    testid: "confirm",
    content: (close) => [
      h("p", { class: "sheet__text" }, text),
      h(
        "div",
        { class: "sheet__actions" },
        ...choices.map(({ label, look = "plain", testid, act }) =>
          button(label, {
            look,
            testid,
            onclick: async () => {
              await act();
              close();
            },
          }),
        ),
      ),
    ],
  });
}
