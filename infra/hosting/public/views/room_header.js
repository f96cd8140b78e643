// @ts-check
/** The top of a room: how long it has been live, who is there, and the way out. */

import { clock, plural } from "../format.js";
import { button } from "../components/button.js";
import { h, setAttribute, setText } from "../components/dom.js";
import { liveChip } from "../components/live_chip.js";
import { openRoomMenu } from "./room_menu.js";

/**
 * @param {import("../room/session.js").RoomSession} session
 * @param {object} options
 * @param {import("../room/hands.js").Hands} options.hands
 * @param {() => void} options.minimize
 * @param {() => void} options.showPeople
 */
export function roomHeader(session, { hands, minimize, showPeople }) {
  const elapsed = h("span", { class: "room__clock" });
  const listeners = h("span", { "data-testid": "listener-count" });
  const badge = h("span", { class: "badge", "aria-hidden": "true", "data-testid": "hands-badge", hidden: true });
  const people = button("People", { look: "quiet", icon: "people", round: true, testid: "people", onclick: showPeople });
  people.append(badge);
  const element = h(
    "header",
    { class: "room__header" },
    button("Keep listening and look around", {
      look: "quiet", icon: "chevron-down", round: true, testid: "minimize", onclick: minimize,
    }),
    h("div", { class: "room__status" }, liveChip(), elapsed, listeners),
    people,
    button("More", { look: "quiet", icon: "more", round: true, testid: "more", onclick: () => openRoomMenu(session) }),
  );
  const draw = () => {
    setText(elapsed, clock(Date.now() - Date.parse(session.space.started_at ?? "")));
    const count = session.room?.listener_count ?? 0;
    setText(listeners, `${plural(count, "listener")}`);
    listeners.dataset.count = String(count);
    const asking = hands.up.length;
    setText(badge, asking > 9 ? "9+" : String(asking));
    setAttribute(badge, "hidden", asking === 0);
    setAttribute(people, "aria-label", asking ? `People, ${asking} asking to speak` : "People");
  };
  return { element, draw };
}
