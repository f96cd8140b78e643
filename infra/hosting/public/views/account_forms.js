// @ts-check
/** What both ways of signing in ask: a handle that others know one by, and a name. */

import { createProfile } from "../session.js";
import { h } from "../components/dom.js";
import { oneField } from "../components/one_field.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";

const HANDLE = /^(?!__.*__$)[A-Za-z0-9_]{1,15}$/;
const HANDLE_LENGTH = 15;
const DISPLAY_NAME_LENGTH = 50;

/** @typedef {import("../session.js").Account} Account */

/**
 * @param {(finish: (name: string) => void) => HTMLElement} contentOf
 * @returns {Promise<boolean>} Whether it was finished.
 */
export function signInSheet(contentOf) {
  return new Promise((resolve) => {
    let done = false;
    openSheet("Sign in", {
      testid: "sign-in",
      onclose: () => resolve(done),
      content: (close) => [
        contentOf((name) => {
          done = true;
          close();
          toast(`Welcome, ${name}`, { symbol: "check" });
        }),
      ],
    });
  });
}

/**
 * Somebody new with an account of their own picks a handle.
 *
 * @param {Account} fresh
 * @param {(name: string) => void} finish
 */
export function newHandleForm(fresh, finish) {
  const input = handleInput();
  const form = oneField({
    label: "Pick a handle",
    input,
    before: "@",
    hint: "1 to 15 letters, digits or _. It is yours from now on.",
    submit: "Continue",
    check: () => troubleWith(input.value.trim()),
    act: async () => {
      const named = { ...fresh, handle: input.value.trim() };
      await createProfile(named, named.handle);
      form.replaceWith(nameForm(named, finish));
    },
  });
  return form;
}

export function handleInput() {
  return h("input", {
    id: "handle",
    name: "handle",
    class: "field__input",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: HANDLE_LENGTH,
    autofocus: true,
    "data-testid": "sign-in-handle",
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
 * @param {Account} fresh
 * @param {(name: string) => void} finish
 */
export function nameForm(fresh, finish) {
  const input = h("input", {
    id: "display-name",
    name: "name",
    class: "field__input",
    autocomplete: "name",
    maxlength: DISPLAY_NAME_LENGTH,
    required: true,
    value: fresh.handle,
    "data-testid": "sign-in-name",
  });
  queueMicrotask(() => input.select());
  return oneField({
    label: "Your name",
    input,
    hint: `What others see beside @${fresh.handle}.`,
    submit: "Enter Parley",
    act: async () => {
      const name = input.value.trim() || fresh.handle;
      await createProfile(fresh, name);
      finish(name);
    },
  });
}
