// @ts-check
/** The top of every page: the name of the place, one's inbox, and oneself. */

import { account } from "../session.js";
import { watchUnread } from "../news.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { byId, h, icon, setAttribute, setText } from "../components/dom.js";

let unwatch = () => {};

/** @param {{signIn: () => void}} acts */
export function drawTopbar({ signIn }) {
  const me = account();
  unwatch();
  unwatch = () => {};
  byId("topbar").replaceChildren(
    h("a", { href: "/", class: "brand", "aria-label": "Parley, the feed" }, h("img", { src: "/favicon.svg", alt: "", width: 32, height: 32 }), "Parley"),
    me
      ? h("nav", { class: "topbar__own", "aria-label": "Your pages" }, inboxLink(), accountLink(me))
      : button("Sign in", { onclick: signIn, testid: "sign-in-open" }),
  );
}

function inboxLink() {
  const badge = h("span", { class: "badge", "aria-hidden": "true", "data-testid": "unread", hidden: true });
  const link = h("a", { href: "/inbox", class: "button button--quiet button--round", "data-testid": "inbox-link" }, icon("bell"), badge);
  const draw = (/** @type {number} */ count) => {
    setText(badge, count > 9 ? "9+" : String(count));
    setAttribute(badge, "hidden", count === 0);
    setAttribute(link, "aria-label", count ? `Inbox, ${count} new` : "Inbox");
  };
  draw(0);
  unwatch = watchUnread(draw);
  return link;
}

/** @param {import("../session.js").Account} me */
function accountLink(me) {
  return h(
    "a",
    { href: "/me", class: "me", "aria-label": `Your account, ${me.displayName}`, "data-testid": "account" },
    avatar({ handle: me.handle, display_name: me.displayName }, "s"),
  );
}
