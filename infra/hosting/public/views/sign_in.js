// @ts-check
/** Signing in: a handle, and for somebody new the name that others will see. */

import { createProfile, signIn } from "../session.js";
import { busyWhile } from "../components/button.js";
import { h, setAttribute } from "../components/dom.js";
import { formError } from "../components/form_error.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";

const HANDLE = /^(?!__.*__$)[A-Za-z0-9_]{1,15}$/;
const HANDLE_LENGTH = 15;
const DISPLAY_NAME_LENGTH = 50;

/**
 * Ask who this is.
 *
 * @returns {Promise<boolean>} False where the person closed the dialog.
 */
export function askSignIn() {
  return new Promise((resolve) => {
    let done = false;
    openSheet("Sign in", {
      testid: "sign-in",
      onclose: () => resolve(done),
      content: (close) => {
        const finish = (/** @type {string} */ name) => {
          done = true;
          close();
          toast(`Welcome, ${name}`, { symbol: "check" });
        };
        const form = handleForm((fresh) => form.replaceWith(nameForm(fresh, finish)), finish);
        return [form];
      },
    });
  });
}

/**
 * @param {(fresh: import("../session.js").Account) => void} onnew
 * @param {(name: string) => void} onknown
 */
function handleForm(onnew, onknown) {
  const input = h("input", {
    id: "handle",
    name: "handle",
    class: "field__input",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: HANDLE_LENGTH,
    autofocus: true,
    "aria-describedby": "handle-hint handle-error",
    "data-testid": "sign-in-handle",
  });
  const field = h("div", { class: "field__row" }, h("span", { "aria-hidden": "true" }, "@"), input);
  return formOf({
    label: "Your handle",
    input,
    field,
    hint: "1 to 15 letters, digits or _. Use the same one to come back.",
    submit: "Continue",
    check: () => troubleWith(input.value.trim()),
    act: async () => {
      const { account, profile } = await signIn(input.value.trim());
      if (profile) onknown(profile.display_name);
      else onnew(account);
    },
  });
}

/**
 * What is wrong with a handle, as the server would have it; empty where nothing is.
 *
 * @param {string} handle
 */
export function troubleWith(handle) {
  if (HANDLE.test(handle)) return "";
  if (handle === "") return "Enter a handle.";
  if (handle.length > HANDLE_LENGTH) return `A handle has ${HANDLE_LENGTH} characters at most.`;
  if (/^__.*__$/.test(handle)) return "A handle can’t both begin and end with two underscores.";
  return "Use letters a to z, digits and _ only.";
}

/**
 * @param {import("../session.js").Account} fresh
 * @param {(name: string) => void} ondone
 */
function nameForm(fresh, ondone) {
  const input = h("input", {
    id: "display-name",
    name: "name",
    class: "field__input",
    autocomplete: "name",
    maxlength: DISPLAY_NAME_LENGTH,
    required: true,
    value: fresh.handle,
    "aria-describedby": "display-name-hint display-name-error",
    "data-testid": "sign-in-name",
  });
  const form = formOf({
    label: "Your name",
    input,
    field: h("div", { class: "field__row" }, input),
    hint: `What others see beside @${fresh.handle}.`,
    submit: "Enter Parley",
    act: async () => {
      const name = input.value.trim() || fresh.handle;
      await createProfile(fresh, name);
      ondone(name);
    },
  });
  queueMicrotask(() => input.select());
  return form;
}

/**
 * @param {{label: string, input: HTMLInputElement, field: HTMLElement, hint: string,
 *   submit: string, check?: () => string, act: () => Promise<void>}} options
 */
function formOf({ label, input, field, hint, submit, check = () => "", act }) {
  const error = formError(`${input.id}-error`);
  const go = h(
    "button",
    { class: "button button--primary button--wide", "data-testid": "sign-in-submit" },
    h("span", {}, submit),
  );
  const send = async () => {
    const trouble = check();
    if (trouble) error.say(trouble);
    const fine = !trouble && (await error.guard(act));
    setAttribute(input, "aria-invalid", fine ? null : "true");
    if (!fine) input.focus();
  };
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
    field,
    h("p", { id: `${input.id}-hint`, class: "field__hint" }, hint),
    error.element,
    go,
  );
}
