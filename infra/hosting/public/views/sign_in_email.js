// @ts-check
/** Signing in by a link in an e-mail: asking for one, and coming back by it. */

import { cameByLink, linkedEmail, putLinkAway, sendLink, useLink } from "../identity/email_link.js";
import { enter } from "../session.js";
import { h } from "../components/dom.js";
import { oneField } from "../components/one_field.js";
import { newHandleForm, signInSheet } from "./account_forms.js";

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Ask for a link. */
export function emailForm() {
  const form = emailField({
    hint: "We send you a link; it signs you in without a password.",
    submit: "Send the link",
    act: async (email) => {
      await sendLink(email);
      form.replaceWith(sentNote(email));
    },
  });
  return form;
}

/**
 * Sign in whoever came by a link; harmless for everybody else.
 *
 * @returns {Promise<boolean>} Whether somebody has been signed in by it.
 */
export async function finishSignIn() {
  if (!cameByLink()) return false;
  /** @type {import("../identity/email_link.js").Proof | null} */
  let proof = null; // the link works once; what comes after it may be tried again
  const done = await signInSheet((finish) => {
    // Elsewhere than where it was asked for, whoever opens a link shows whose it is.
    const form = emailField({
      email: linkedEmail(),
      hint: "The address that the link was sent to.",
      submit: "Sign in",
      act: async (email) => {
        proof ??= await useLink(email);
        const { account, profile } = await enter({ ...proof, handle: "", displayName: "" });
        if (profile) finish(profile.display_name);
        else form.replaceWith(newHandleForm(account, finish));
      },
    });
    if (linkedEmail()) queueMicrotask(() => form.requestSubmit());
    return form;
  });
  if (!done) putLinkAway(); // so that one may sign in another way
  return done;
}

/** @param {{email?: string, hint: string, submit: string, act: (email: string) => Promise<void>}} options */
function emailField({ email = "", hint, submit, act }) {
  const input = h("input", {
    id: "email",
    name: "email",
    type: "email",
    class: "field__input",
    autocomplete: "email",
    autocapitalize: "none",
    spellcheck: "false",
    autofocus: true,
    value: email,
    "data-testid": "sign-in-email",
  });
  return oneField({
    label: "Your e-mail address",
    input,
    hint,
    submit,
    check: () => (EMAIL.test(input.value.trim()) ? "" : "Enter an e-mail address, like ana@example.com."),
    act: () => act(input.value.trim()),
  });
}

/** @param {string} email */
function sentNote(email) {
  return h(
    "div",
    { class: "field", role: "status", "data-testid": "sign-in-sent" },
    h("p", {}, "Look into your mail: ", h("strong", {}, email)),
    h("p", { class: "field__hint" }, "Open the link in this browser. It works once, for an hour."),
  );
}
