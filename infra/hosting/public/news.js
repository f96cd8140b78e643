// @ts-check
/** What waits in one's inbox: invites, and what became of awaited Spaces. */

import { getSpace } from "./api.js";
import { inbox } from "./api/inbox.js";
import { reminded } from "./reminders.js";
import { account } from "./session.js";

const LOOK_MS = 60_000; // what cannot wait comes by push
const MAX_AWAITED = 5;

/** @typedef {import("./api.js").Space} Space */
/** @typedef {import("./api/inbox.js").Message} Message */
/** @typedef {{key: string, space: Space}} Awaited A Space that one asked to be reminded of. */
/** @typedef {{invites: (Message & {key: string})[], awaited: Awaited[]}} News */

const seenKey = () => `parley.seen.${account()?.uid}`;

/** @returns {Set<string>} */
function seen() {
  try {
    return new Set(JSON.parse(localStorage.getItem(seenKey()) ?? "[]"));
  } catch {
    return new Set();
  }
}

/**
 * @returns {Promise<News>} The newest invites first.
 * @throws {import("./http.js").Problem}
 */
export async function readNews() {
  const ids = reminded().slice(-MAX_AWAITED).reverse();
  const [page, ...spaces] = await Promise.all([inbox(), ...ids.map((id) => getSpace(id).catch(() => null))]);
  const invites = page.messages.map((message) => ({ ...message, key: `invite ${message.space.id} ${message.created_at}` }));
  const awaited = spaces
    .filter((space) => space !== null)
    .filter(({ state }) => state !== "ended")
    .map((space) => ({ key: keyOf(space), space }));
  return { invites, awaited };
}

/**
 * How much of it is new: unanswered invites, and Spaces that began, moved or were
 * called off, each until it was looked at.
 *
 * @param {News} news
 */
export function unread({ invites, awaited }) {
  const known = seen();
  const fresh = [...invites.filter(({ state }) => state === "pending"), ...awaited];
  return fresh.filter(({ key }) => !known.has(key)).length;
}

/** @param {News} news Somebody looks at it. */
export function markSeen({ invites, awaited }) {
  localStorage.setItem(seenKey(), JSON.stringify([...invites, ...awaited].map(({ key }) => key)));
  changes.dispatchEvent(new Event("seen"));
}

/**
 * Of a Space whose bell one has just rung, only what follows is news.
 *
 * @param {Space} space
 */
export function noteAwaited(space) {
  localStorage.setItem(seenKey(), JSON.stringify([...seen(), keyOf(space)]));
}

/** @param {Space} space */
const keyOf = (space) => `${space.state} ${space.id} ${space.scheduled_start}`;

const changes = new EventTarget();

/**
 * Tell how much is new, now and whenever that changes.
 *
 * @param {(count: number) => void} tell
 * @returns {() => void} Stops it.
 */
export function watchUnread(tell) {
  const look = async () => {
    if (document.hidden || !account()) return;
    const news = await readNews().catch(() => null); // the next look may fare better
    if (news && account()) tell(unread(news));
  };
  const onSeen = () => tell(0);
  const timer = setInterval(look, LOOK_MS);
  changes.addEventListener("seen", onSeen);
  document.addEventListener("visibilitychange", look);
  void look();
  return () => {
    clearInterval(timer);
    changes.removeEventListener("seen", onSeen);
    document.removeEventListener("visibilitychange", look);
  };
}
