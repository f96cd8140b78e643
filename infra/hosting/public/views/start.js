// @ts-check
/** Opening a Space, now or later: one sheet, one tap. */

import { createSpace, startSpace } from "../api.js";
import { moment } from "../format.js";
import { busyWhile } from "../components/button.js";
import { h, icon, setAttribute, setIcon, setText } from "../components/dom.js";
import { formError } from "../components/form_error.js";
import { randomKey } from "../components/random.js";
import { openSheet } from "../components/sheet.js";
import { whenField } from "../components/when.js";
import { policyField } from "./policy.js";
import { titleField } from "./title_field.js";

const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh"];

/** @param {(space: import("../api.js").Space) => void} onmade Live, or scheduled. */
export function openStartSheet(onmade) {
  openSheet("New Space", {
    testid: "start-sheet",
    content: (close) => [
      startForm((space) => {
        close();
        onmade(space);
      }),
    ],
  });
}

/** @param {(space: import("../api.js").Space) => void} onmade */
function startForm(onmade) {
  const error = formError();
  const { element: go, draw } = submitButton();
  const when = whenField(null, (at) => draw(later(), at));
  const tabs = timing(() => {
    setAttribute(when.element, "hidden", !later());
    for (const input of when.element.querySelectorAll("input")) input.disabled = !later();
    error.clear();
    draw(later(), when.value());
  });
  const form = h("form", { class: "start", novalidate: true }, tabs, titleField(), when.element, policyField("everyone"), languageField(), error.element, go);
  const later = () => new FormData(form).get("timing") === "later";
  // One key for one draft: a second tap after a lost answer makes no second Space.
  const keys = keysByDraft();
  const send = async () => {
    if (later() && when.trouble()) return error.say(when.trouble());
    const draft = draftOf(new FormData(form), later() ? when.value() : null);
    await error.guard(async () => {
      const space = await createSpace(draft, keys(draft));
      onmade(draft.scheduled_start ? space : await startSpace(space.id));
    });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busyWhile(go, send);
  });
  tabs.dispatchEvent(new Event("change"));
  return form;
}

/** @returns {(draft: import("../api.js").Draft) => string} The same for equal drafts. */
function keysByDraft() {
  const keys = new Map();
  return (draft) => {
    const text = JSON.stringify(draft);
    if (!keys.has(text)) keys.set(text, randomKey());
    return keys.get(text);
  };
}

function submitButton() {
  const symbol = icon("mic");
  const text = h("span", {});
  const element = h(
    "button",
    { class: "button button--primary button--wide", "data-testid": "start-submit" },
    symbol,
    text,
  );
  const draw = (/** @type {boolean} */ later, /** @type {Date | null} */ at) => {
    setIcon(symbol, later ? "calendar" : "mic");
    if (!later) return setText(text, "Start now");
    setText(text, at ? `Schedule · ${moment(at)}` : "Schedule");
  };
  return { element, draw };
}

/** @param {() => void} onchange */
function timing(onchange) {
  const option = (/** @type {string} */ value, /** @type {string} */ label) => {
    const input = h("input", { type: "radio", name: "timing", value, class: "visually-hidden", id: `timing-${value}` });
    input.checked = value === "now";
    return h("label", { class: "segment", for: input.id, "data-testid": `timing-${value}` }, input, label);
  };
  const element = h(
    "fieldset",
    { class: "segments" },
    h("legend", { class: "visually-hidden" }, "When"),
    option("now", "Start now"),
    option("later", "Schedule"),
  );
  element.addEventListener("change", onchange);
  return element;
}

/**
 * @param {FormData} data
 * @param {Date | null} at
 * @returns {import("../api.js").Draft}
 */
function draftOf(data, at) {
  const title = String(data.get("title")).trim();
  const lang = String(data.get("lang"));
  return {
    ...(title && { title }),
    ...(lang && { lang }),
    ...(at && { scheduled_start: at.toISOString() }),
    speaker_policy: /** @type {import("../api.js").SpeakerPolicy} */ (data.get("policy")),
  };
}

function languageField() {
  const names = new Intl.DisplayNames([navigator.language, "en"], { type: "language" });
  const select = h(
    "select",
    { id: "space-lang", name: "lang", class: "start__lang" },
    h("option", { value: "" }, "Any"),
    ...LANGUAGES.map((code) => h("option", { value: code }, names.of(code) ?? code)),
  );
  return h(
    "div",
    { class: "start__row" },
    h("label", { for: select.id, class: "field__label" }, "Language"),
    select,
  );
}
