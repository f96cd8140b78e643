// @ts-check
/** The inbox: invites to answer, and the Spaces one waits for. */

import { answerInvite } from "../api/stage.js";
import { ago, moment, titleOf } from "../format.js";
import { markSeen, readNews } from "../news.js";
import { account } from "../session.js";
import { avatar } from "../components/avatar.js";
import { bell } from "../components/bell.js";
import { button } from "../components/button.js";
import { h, icon } from "../components/dom.js";
import { liveChip } from "../components/live_chip.js";
import { toast } from "../components/toast.js";
import { attempt } from "./controls.js";
import { problemPanel } from "./problem.js";

const REFRESH_MS = 8000;

/** @typedef {import("../router.js").Routes} Routes */
/** @typedef {import("../api/inbox.js").Message} Message */
/** @typedef {import("../api.js").Space} Space */

const OFFERS = Object.freeze({ speaker: "to speak", co_host: "to co-host", listener: "to listen" });

const STATES = Object.freeze({
  pending: "",
  accepted: "You accepted",
  declined: "You declined",
  revoked: "Taken back",
  expired: "Expired",
});

/**
 * @param {Routes} routes
 * @returns {import("../router.js").View}
 */
export function inboxView(routes) {
  const body = h("div", { class: "inbox", "aria-busy": "true", "data-testid": "inbox" });
  const element = h("div", { class: "page" }, h("h1", { tabindex: -1 }, "Inbox"), body);
  let shown = "";
  let closed = false;
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const news = await readNews();
      if (closed) return;
      markSeen(news);
      const text = JSON.stringify(news);
      if (text !== shown) body.replaceChildren(...sections(news, routes, refresh));
      shown = text;
    } catch (problem) {
      if (!shown && !closed) body.replaceChildren(problemPanel(problem, { retry: refresh, feed: () => routes.go("/"), "sign-in": () => routes.signInThen(refresh) }));
    }
    body.removeAttribute("aria-busy");
  };
  const timer = setInterval(refresh, REFRESH_MS);
  void refresh();
  const destroy = () => {
    closed = true;
    clearInterval(timer);
  };
  return { element, title: "Inbox", destroy };
}

/**
 * @param {import("../news.js").News} news
 * @param {Routes} routes
 * @param {() => unknown} onchanged
 */
function sections({ invites, awaited }, routes, onchanged) {
  if (!invites.length && !awaited.length) return [emptyState(routes)];
  return [
    ...(awaited.length ? [section("Reminders", awaited.map(({ space }) => awaitedItem(space, routes)))] : []),
    ...(invites.length ? [section("Invites", invites.map((message) => inviteItem(message, routes, onchanged)))] : []),
  ];
}

/**
 * @param {string} title
 * @param {HTMLElement[]} items
 */
const section = (title, items) => h("section", { class: "inbox__section" }, h("h2", {}, title), h("ul", {}, ...items));

/**
 * @param {Message} message
 * @param {Routes} routes
 * @param {() => unknown} onchanged
 */
function inviteItem(message, routes, onchanged) {
  const { space, invited_by: by, role, state } = message;
  const answer = (/** @type {"accept" | "decline"} */ how) => () =>
    attempt(async () => {
      await answerInvite(space.id, account()?.uid ?? "", how);
      if (how === "decline") await onchanged();
      else if (space.state === "live" && role === "listener") routes.go(`/s/${space.id}`);
      else if (space.state === "live") routes.enter(space);
      else {
        toast("You’re in", { text: "Be there when it starts.", symbol: "check" });
        await onchanged();
      }
    });
  return h(
    "li",
    { class: "message", "data-testid": "message", data: { state, spaceId: space.id } },
    h("div", { class: "message__from" }, avatar(by, "m"),
      h("p", {}, h("strong", {}, by.display_name), ` invites you ${OFFERS[role]}`, h("span", { class: "muted" }, ago(new Date(message.created_at))))),
    spaceLine(space),
    state === "pending"
      ? h("div", { class: "panel__row" },
          button("Decline", { testid: "message-decline", onclick: answer("decline") }),
          button("Accept", { look: "primary", testid: "message-accept", onclick: answer("accept") }))
      : h("p", { class: "message__state muted" }, STATES[state]),
  );
}

/**
 * @param {Space} space
 * @param {Routes} routes
 */
function awaitedItem(space, routes) {
  const gone = space.state === "cancelled";
  return h(
    "li",
    { class: "message message--line", "data-testid": "awaited", data: { state: space.state, spaceId: space.id } },
    avatar(space.host, "m"),
    spaceLine(space),
    gone && h("span", { class: "message__gone" }, icon("ban"), "Cancelled"),
    space.state === "live" && button("Listen", { look: "primary", testid: "awaited-listen", onclick: () => routes.go(`/s/${space.id}`) }),
    space.state === "scheduled" && bell(space, { routes, round: true }),
  );
}

/** @param {Space} space */
function spaceLine(space) {
  const at = space.scheduled_start && space.state === "scheduled" ? moment(new Date(space.scheduled_start)) : "";
  return h(
    "a",
    { href: `/s/${space.id}`, class: "message__space" },
    space.state === "live" && liveChip(),
    h("strong", {}, titleOf(space)),
    h("span", { class: "muted" }, [at, `@${space.host.handle}`].filter(Boolean).join(" · ")),
  );
}

/** @param {Routes} routes */
function emptyState(routes) {
  return h(
    "div",
    { class: "panel", "data-testid": "inbox-empty" },
    h("div", { class: "panel__icon" }, icon("inbox")),
    h("h2", {}, "Nothing here yet"),
    h("p", { class: "muted" }, "Invites to speak come here, and news of Spaces whose bell you rang."),
    h("div", { class: "panel__actions" }, button("See what is on", { look: "primary", icon: "headphones", onclick: () => routes.go("/") })),
  );
}
