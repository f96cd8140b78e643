// @ts-check
/** The embedded stack's pushes, as they would be on one's phone. */

import { received, registerDevice } from "../device.js";
import { ago } from "../format.js";
import { account } from "../session.js";
import { h, setText } from "../components/dom.js";

const LOOK_MS = 2000;

/** @returns {import("../router.js").View} */
export function phoneView() {
  const time = h("p", { class: "phone__time" });
  const day = h("p", { class: "phone__day" });
  const list = h("ul", { class: "phone__pushes", "aria-label": "Notifications", "data-testid": "pushes" });
  const note = h("p", { class: "phone__note" }, "Nothing was pushed yet. Ring the bell of a Space to come, or have somebody invite you.");
  const element = h(
    "div",
    { class: "phone-page" },
    h("div", { class: "phone", "data-testid": "phone" }, h("h1", { tabindex: -1, class: "visually-hidden" }, "Your phone"), h("div", { class: "phone__clock", "aria-hidden": "true" }, day, time), list, note),
    h("p", { class: "muted phone-page__caption" }, `Pushes to @${account()?.handle ?? "nobody"}, caught by the embedded stack.`),
  );
  let shown = "";
  const look = async () => {
    const now = new Date();
    setText(time, now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }));
    setText(day, now.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" }));
    const pushes = await received().catch(() => null);
    const text = JSON.stringify(pushes?.map(({ tag, at }) => [tag, at]));
    if (!pushes || text === shown) return;
    shown = text;
    note.hidden = pushes.length > 0;
    list.replaceChildren(...pushes.map(pushOf));
  };
  const timer = setInterval(look, LOOK_MS);
  void registerDevice().then(look);
  return { element, title: "Your phone", destroy: () => clearInterval(timer) };
}

/** @param {import("../device.js").Shown} push */
function pushOf({ title, body, link, tag, at }) {
  return h(
    "li",
    { class: "push", "data-testid": "push", data: { tag } },
    h("img", { src: "/favicon.svg", alt: "", width: 38, height: 38 }),
    h("div", { class: "push__text" },
      h("p", { class: "push__app" }, h("span", {}, "Parley"), h("time", { datetime: at.toISOString() }, ago(at))),
      h("a", { href: link, class: "card__link" }, h("strong", {}, title)),
      h("p", {}, body)),
  );
}
