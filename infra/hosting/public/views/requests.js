// @ts-check
/** Those who ask to speak, with the host's two answers. */

import { ago } from "../format.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";
import { personRow } from "../components/person_row.js";
import { toast } from "../components/toast.js";
import { attempt } from "./controls.js";

/**
 * @param {import("../room/hands.js").Hands} hands
 * @returns {HTMLElement | null} Null where no hand is up.
 */
export function requestsSection(hands) {
  if (!hands.up.length) return null;
  return h(
    "section",
    { class: "people__section people__section--asking", "data-testid": "requests" },
    h("h3", {}, `Asking to speak · ${hands.up.length}`),
    h("ul", { class: "people__list" }, ...hands.up.map((request) => rowOf(hands, request))),
  );
}

/**
 * @param {import("../room/hands.js").Hands} hands
 * @param {import("../room/hands.js").SpeakRequest} request
 */
function rowOf(hands, request) {
  const name = request.display_name;
  const answer = (/** @type {"accept" | "decline"} */ how) => () =>
    attempt(async () => {
      await hands.answer(request.uid, how);
      if (how === "accept") toast(`${name} is coming up`, { symbol: "stage-up" });
    });
  return personRow(request, {
    testid: "request",
    note: ago(new Date(request.requested_at)),
    actions: [
      button(`Decline ${name}`, { icon: "close", round: true, testid: "request-decline", onclick: answer("decline") }),
      button(`Accept ${name}`, { look: "primary", icon: "check", round: true, testid: "request-accept", onclick: answer("accept") }),
    ],
  });
}
