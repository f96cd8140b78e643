// @ts-check
/** The top of every page: the name of the place, and one's own. */

import { account } from "../session.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { byId, h } from "../components/dom.js";
import { openSheet } from "../components/sheet.js";

/** @param {{signIn: () => void, signOut: () => void}} acts */
export function drawTopbar({ signIn, signOut }) {
  const me = account();
  byId("topbar").replaceChildren(
    h("a", { href: "/", class: "brand", "aria-label": "Parley, the feed" }, h("img", { src: "/favicon.svg", alt: "", width: 32, height: 32 }), "Parley"),
    me
      ? h(
          "button",
          {
            type: "button",
            class: "me",
            "aria-label": `Your account, ${me.displayName}`,
            "data-testid": "account",
            on: { click: () => accountSheet(signOut) },
          },
          avatar({ handle: me.handle, display_name: me.displayName }, "s"),
        )
      : button("Sign in", { onclick: signIn, testid: "sign-in-open" }),
  );
}

/** @param {() => void} signOut */
function accountSheet(signOut) {
  const me = account();
  if (!me) return;
  openSheet("Your account", {
    content: (close) => [
      h(
        "div",
        { class: "member" },
        avatar({ handle: me.handle, display_name: me.displayName }, "l"),
        h("p", {}, h("strong", {}, me.displayName), h("span", { class: "muted" }, ` @${me.handle}`)),
      ),
      button("Sign out", {
        icon: "leave",
        testid: "sign-out",
        onclick: () => {
          close();
          signOut();
        },
      }),
    ],
  });
}
