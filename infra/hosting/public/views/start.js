// @ts-check
/** Starting a Space: one sheet, one tap. */

import { createSpace, startSpace } from "../api.js";
import { Problem } from "../http.js";
import { explain } from "../problems.js";
import { busyWhile } from "../components/button.js";
import { h, icon, setText } from "../components/dom.js";
import { openSheet } from "../components/sheet.js";

const TITLE_LENGTH = 70;
const WARN_AT = 60;

/** @type {readonly {value: import("../api.js").SpeakerPolicy, label: string, hint: string, symbol: string}[]} */
const POLICIES = Object.freeze([
  { value: "everyone", label: "Everyone", hint: "Anybody may come up", symbol: "globe" },
  { value: "following", label: "People I follow", hint: "Others listen", symbol: "heart-link" },
  { value: "invited", label: "People I invite", hint: "You bring them up", symbol: "envelope" },
]);

const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh"];

/** @param {(space: import("../api.js").Space) => void} onlive */
export function openStartSheet(onlive) {
  openSheet("Start a Space", {
    testid: "start-sheet",
    content: (close) => [
      startForm((space) => {
        close();
        onlive(space);
      }),
    ],
  });
}

/** @param {(space: import("../api.js").Space) => void} onlive */
function startForm(onlive) {
  // One key for the whole sheet: a second tap after a lost answer makes no second Space.
  const idempotencyKey = randomKey();
  const error = h("p", { class: "field__error", role: "alert" });
  const go = h(
    "button",
    { class: "button button--primary button--wide", "data-testid": "start-submit" },
    icon("mic"),
    h("span", {}, "Start now"),
  );
  const form = h("form", { class: "start" }, titleField(), policyField(), languageField(), error, go);
  const send = async () => {
    error.textContent = "";
    try {
      const space = await createSpace(draftOf(new FormData(form)), idempotencyKey);
      onlive(await startSpace(space.id));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const { title, text } = explain(problem);
      error.textContent = `${title}. ${text}`;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busyWhile(go, send);
  });
  return form;
}

/** @param {FormData} data */
function draftOf(data) {
  const title = String(data.get("title")).trim();
  const lang = String(data.get("lang"));
  return {
    ...(title && { title }),
    ...(lang && { lang }),
    speaker_policy: /** @type {import("../api.js").SpeakerPolicy} */ (data.get("policy")),
  };
}

function titleField() {
  const counter = h("span", { class: "field__counter", "aria-hidden": "true" }, `${TITLE_LENGTH}`);
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
  input.addEventListener("input", () => {
    // The limit is in characters as people count them, not in UTF-16 units.
    const left = TITLE_LENGTH - [...input.value].length;
    setText(counter, String(left));
    counter.dataset.low = String(left <= TITLE_LENGTH - WARN_AT);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // titles have one line; Enter starts
    input.form?.requestSubmit();
  });
  return h(
    "div",
    { class: "field" },
    h("label", { for: input.id, class: "field__label" }, "Title", h("small", {}, "optional"), counter),
    input,
  );
}

function policyField() {
  const options = POLICIES.map(({ value, label, hint, symbol }, index) => {
    const input = h("input", { type: "radio", name: "policy", value, id: `policy-${value}` });
    input.checked = index === 0;
    return h(
      "label",
      { class: "choice", for: input.id, "data-testid": `policy-${value}` },
      input,
      icon(symbol),
      h("span", { class: "choice__text" }, h("strong", {}, label), h("small", {}, hint)),
    );
  });
  return h("fieldset", { class: "choices" }, h("legend", { class: "field__label" }, "Who may speak"), ...options);
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

/** Not randomUUID: that needs https even where nothing secret is made. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
