// @ts-check
/** The bell of a Space that is to come: be told when it starts. */

import { askReminded, isReminded, remind } from "../reminders.js";
import { registerDevice } from "../device.js";
import { noteAwaited } from "../news.js";
import { titleOf } from "../format.js";
import { busyWhile } from "./button.js";
import { h, icon, setAttribute, setIcon, setText } from "./dom.js";
import { toast, toastProblem } from "./toast.js";

/**
 * @param {import("../api.js").Space} space
 * @param {object} options
 * @param {import("../router.js").Routes} options.routes
 * @param {boolean} [options.round] Shows the bell only.
 * @param {(wanted: boolean) => void} [options.onchange]
 */
export function bell(space, { routes, round = false, onchange }) {
  const symbol = icon("bell");
  const text = h("span", {});
  const element = h(
    "button",
    { type: "button", class: `button bell${round ? " button--round" : " button--primary"}`, "data-testid": "bell" },
    symbol,
    !round && text,
  );
  const draw = () => {
    const on = isReminded(space.id);
    setAttribute(element, "aria-pressed", String(on));
    setAttribute(element, "aria-label", round && `Remind me of ${titleOf(space)}`);
    setIcon(symbol, on ? "bell-on" : "bell");
    setText(text, on ? "You’ll be reminded" : "Remind me");
  };
  const toggle = async () => {
    const wanted = !isReminded(space.id);
    const pushes = wanted ? registerDevice({ ask: true }) : Promise.resolve();
    try {
      await remind(space.id, wanted);
      noteAwaited(space);
      draw();
      onchange?.(wanted);
      void pushes.catch(() => undefined); // the inbox tells of it, too
      if (wanted) toast("Reminder set", { text: "We tell you when it starts, or if it moves.", symbol: "bell-on" });
    } catch (problem) {
      toastProblem(problem);
    }
  };
  element.addEventListener("click", (event) => {
    event.preventDefault();
    void routes.signInThen(() => void busyWhile(element, toggle));
  });
  draw();
  void askReminded(space.id).then((wanted) => {
    if (String(wanted) === element.getAttribute("aria-pressed")) return;
    draw();
    onchange?.(wanted);
  });
  return element;
}
