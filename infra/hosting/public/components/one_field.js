// @ts-check
/** A form that asks for one thing. */

import { busyWhile } from "./button.js";
import { h, setAttribute } from "./dom.js";
import { formError } from "./form_error.js";

/**
 * @param {object} options
 * @param {string} options.label
 * @param {HTMLInputElement} options.input Its id names hint and error.
 * @param {string} [options.before] Stands before what is entered.
 * @param {string} options.hint
 * @param {string} options.submit
 * @param {() => string} [options.check] What is wrong with it; empty where nothing is.
 * @param {() => Promise<void>} options.act
 */
export function oneField({ label, input, before, hint, submit, check = () => "", act }) {
  const error = formError(`${input.id}-error`);
  const go = h(
    "button",
    { class: "button button--primary button--wide", "data-testid": "sign-in-submit" },
    h("span", {}, submit),
  );
  const send = async () => {
    const trouble = check();
    if (trouble) error.say(trouble);
    else setAttribute(input, "aria-invalid", null); // what was wrong is not, until answered
    const fine = !trouble && (await error.guard(act));
    setAttribute(input, "aria-invalid", fine ? null : "true");
    if (!fine) input.focus();
  };
  setAttribute(input, "aria-describedby", `${input.id}-hint ${input.id}-error`);
  return h(
    "form",
    {
      class: "field",
      novalidate: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          void busyWhile(go, send);
        },
      },
    },
    h("label", { for: input.id, class: "field__label" }, label),
    h("div", { class: "field__row" }, before ? h("span", { "aria-hidden": "true" }, before) : null, input),
    h("p", { id: `${input.id}-hint`, class: "field__hint" }, hint),
    error.element,
    go,
  );
}
