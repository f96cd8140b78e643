// @ts-check
/** Telling the operators that something is wrong. */

import { reportSpace } from "../api/people.js";
import { busyWhile } from "../components/button.js";
import { h } from "../components/dom.js";
import { formError } from "../components/form_error.js";
import { randomKey } from "../components/random.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";

const COMMENT_LENGTH = 500;

const REASONS = Object.freeze([
  { value: "abuse", label: "Abuse or harassment" },
  { value: "hate", label: "Hate" },
  { value: "violence", label: "Threats or violence" },
  { value: "self_harm", label: "Suicide or self-harm" },
  { value: "spam", label: "Spam" },
  { value: "impersonation", label: "Pretends to be somebody else" },
  { value: "illegal", label: "Something illegal" },
  { value: "other", label: "Something else" },
]);

/**
 * @param {string} spaceId
 * @param {import("../api.js").Person | null} person Null reports the whole Space.
 */
export function openReport(spaceId, person) {
  openSheet(person ? `Report ${person.display_name}` : "Report this Space", {
    testid: "report-sheet",
    content: (close) => [
      reportForm(spaceId, person, () => {
        close();
        toast("Thank you", { text: "The operators will look into it.", symbol: "check" });
      }),
    ],
  });
}

/**
 * @param {string} spaceId
 * @param {import("../api.js").Person | null} person
 * @param {() => void} ondone
 */
function reportForm(spaceId, person, ondone) {
  const key = randomKey();
  const error = formError();
  const comment = h("textarea", {
    id: "report-comment", name: "comment", class: "field__area", rows: 2, maxlength: COMMENT_LENGTH,
    placeholder: "What happened? (optional)", "aria-label": "What happened? Optional.",
  });
  const go = h("button", { class: "button button--primary button--wide", "data-testid": "report-submit" }, h("span", {}, "Send report"));
  const form = h("form", { class: "start" }, reasons(), comment, error.element, go);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const report = {
      reason: String(data.get("reason")),
      comment: String(data.get("comment")).trim(),
      ...(person && { user_id: person.uid }),
    };
    void busyWhile(go, () => error.guard(() => reportSpace(spaceId, report, key).then(ondone)));
  });
  return form;
}

function reasons() {
  const options = REASONS.map(({ value, label }, index) => {
    const input = h("input", { type: "radio", name: "reason", value, id: `reason-${value}`, required: true, autofocus: index === 0 });
    return h("label", { class: "choice choice--line", for: input.id, "data-testid": `reason-${value}` }, input, h("span", { class: "choice__text" }, label));
  });
  return h("fieldset", { class: "choices choices--lines" }, h("legend", { class: "visually-hidden" }, "What is wrong"), ...options);
}
