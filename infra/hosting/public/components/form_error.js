// @ts-check
/** Where a form tells what went wrong with it. */

import { Problem } from "../http.js";
import { explain } from "../problems.js";
import { h, setText } from "./dom.js";

/** @param {string} [id] For the fields that it describes. */
export function formError(id) {
  const element = h("p", { id, class: "field__error", role: "alert" });
  const clear = () => setText(element, "");
  const say = (/** @type {string} */ text) => {
    setText(element, text);
    element.scrollIntoView({ block: "center" }); // a long form may hide its end
  };
  return {
    element,
    clear,
    say,
    /**
     * Run `act`; a refusal is told here.
     *
     * @param {() => Promise<unknown>} act
     * @returns {Promise<boolean>} Whether it went well.
     */
    guard: async (act) => {
      clear();
      try {
        await act();
        return true;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        const { title, text } = explain(problem);
        say(`${title}${/[.!?]$/.test(title) ? "" : "."} ${text}`);
        return false;
      }
    },
  };
}
