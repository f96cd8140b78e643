// @ts-check
/** Who may speak: the choice, wherever it is made. */

import { h, icon } from "../components/dom.js";

/** @typedef {import("../api.js").SpeakerPolicy} SpeakerPolicy */

/** @type {readonly {value: SpeakerPolicy, label: string, hint: string, symbol: string}[]} */
const POLICIES = Object.freeze([
  { value: "everyone", label: "Everyone", hint: "Anybody may come up", symbol: "globe" },
  { value: "following", label: "People I follow", hint: "Others ask for the mic", symbol: "heart-link" },
  { value: "invited", label: "People I invite", hint: "Others ask for the mic", symbol: "envelope" },
]);

/**
 * Radio buttons named "policy".
 *
 * @param {SpeakerPolicy} chosen
 * @param {(value: SpeakerPolicy) => void} [onchange]
 */
export function policyField(chosen, onchange) {
  const options = POLICIES.map(({ value, label, hint, symbol }) => {
    const input = h("input", { type: "radio", name: "policy", value, id: `policy-${value}` });
    input.checked = value === chosen;
    input.addEventListener("change", () => onchange?.(value));
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
