// @ts-check
/** The Space one is in, at hand while looking around. */

import { titleOf } from "../format.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { byId, h, setAttribute, setIcon, setText } from "../components/dom.js";

/** Ends what the dock of before listens to. */
let drawn = new AbortController();

/**
 * Draw the dock anew: for this path, and for this session.
 *
 * @param {import("../room/present.js").Present} present
 */
export function drawDock(present) {
  const dock = byId("dock");
  drawn.abort();
  drawn = new AbortController();
  const { session } = present;
  const hidden = !session || location.pathname === `/s/${session.space.id}`;
  setAttribute(dock, "hidden", hidden);
  document.body.dataset.docked = String(!hidden);
  if (hidden) return dock.replaceChildren();
  const status = h("span", { class: "muted" });
  const mic = button("Mute", {
    look: "quiet", icon: "mic", round: true, testid: "dock-mic", onclick: () => session.setMuted(!session.muted),
  });
  const symbol = /** @type {SVGElement} */ (mic.firstElementChild);
  const draw = () => {
    setText(status, statusOf(session));
    setAttribute(mic, "hidden", !session.onStage);
    const { muted } = session;
    setIcon(symbol, muted ? "mic-off" : "mic");
    for (const name of ["aria-label", "title"]) setAttribute(mic, name, muted ? "Unmute" : "Mute");
  };
  session.on("change", draw, drawn.signal);
  draw();
  dock.replaceChildren(
    h(
      "a",
      { href: `/s/${session.space.id}`, class: "dock__link", "data-testid": "dock" },
      avatar(session.space.host, "s"),
      h("span", { class: "dock__text" }, h("strong", {}, titleOf(session.space)), status),
    ),
    mic,
    button("Leave", { look: "quiet", icon: "close", round: true, testid: "dock-leave", onclick: () => present.leave() }),
  );
}

/** @param {import("../room/session.js").RoomSession} session */
function statusOf({ state, connection, onStage, muted }) {
  if (connection.blocked) return "No sound gets through";
  if (state !== "live") return "Reconnecting…";
  if (!onStage) return "Listening";
  return muted ? "Muted" : "Mic on";
}
