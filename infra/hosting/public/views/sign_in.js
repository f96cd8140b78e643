// @ts-check
/** Signing in: by handle on the embedded stack, by a link in an e-mail with Firebase. */

import { firebaseSettings } from "../identity/settings.js";
import { signIn } from "../session.js";
import { oneField } from "../components/one_field.js";
import { toastProblem } from "../components/toast.js";
import { handleInput, nameForm, signInSheet, troubleWith } from "./account_forms.js";
import { emailForm } from "./sign_in_email.js";

/**
 * Ask who this is.
 *
 * @returns {Promise<boolean>} False where the person closed the dialog, or has mail to read.
 */
export async function askSignIn() {
  try {
    const byEmail = (await firebaseSettings()) !== null;
    return await signInSheet((finish) => (byEmail ? emailForm() : handleForm(finish)));
  } catch (problem) {
    toastProblem(problem);
    return false;
  }
}

/** @param {(name: string) => void} finish */
function handleForm(finish) {
  const input = handleInput();
  const form = oneField({
    label: "Your handle",
    input,
    before: "@",
    hint: "1 to 15 letters, digits or _. Use the same one to come back.",
    submit: "Continue",
    check: () => troubleWith(input.value.trim()),
    act: async () => {
      const { account, profile } = await signIn(input.value.trim());
      if (profile) finish(profile.display_name);
      else form.replaceWith(nameForm(account, finish));
    },
  });
  return form;
}
