// @ts-check
/** This browser as a device that pushes go to: Firebase's, or the embedded stack's sink. */

import { deleteDevice, putDevice } from "./api/people.js";
import { mayPush, pushToken, stopPushes } from "./identity/web_push.js";
import { account } from "./session.js";
import { randomKey } from "./components/random.js";

const KEY = "parley.device";
const VERSION = "1.0";
const FRESH_MS = 7 * 86_400_000; // tokens change now and then; Firebase forgets silent ones

/** @typedef {{id: string, uid: string, atMs?: number}} Device `uid` is whose pushes come here. */

/** @type {Promise<boolean> | null} */
let local = null;

/** Whether this is the embedded stack, whose sink shows what would be pushed. */
export function isLocal() {
  local ??= fetch("/local/", { method: "HEAD" }).then(({ ok }) => ok, () => false);
  return local;
}

/** @returns {Device} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "") ?? { id: randomKey(), uid: "" };
  } catch {
    return { id: randomKey(), uid: "" };
  }
}

/** @param {Device} device */
const keep = (device) => localStorage.setItem(KEY, JSON.stringify(device));

/**
 * Have pushes for whoever is signed in sent here, where they may be shown.
 *
 * @param {{ask?: boolean}} [options] `ask`: whether they may, where nobody has said so
 *   yet; from a tap only.
 */
export async function registerDevice({ ask = false } = {}) {
  const me = account();
  const device = stored();
  const fresh = Date.now() - (device.atMs ?? 0) < FRESH_MS;
  if (!me || (device.uid === me.uid && fresh)) return;
  const token = (await isLocal()) ? `web-${device.id}` : await browserToken(ask);
  if (!token) return;
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const facts = { platform: /** @type {const} */ ("web"), app_version: VERSION, locale: navigator.language, time_zone: timeZone };
  keep({ ...device, uid: me.uid, atMs: Date.now() });
  // What is registered already stays so where this fails, and the next page tries again.
  await putDevice(device.id, { ...facts, token }).catch(() => keep({ ...device, uid: me.uid, atMs: 0 }));
}

/** @param {boolean} ask */
async function browserToken(ask) {
  if (ask && !(await mayPush())) return null;
  return pushToken().catch(() => null); // pushes are no reason for a message
}

/** Get no more pushes for who is about to sign out. */
export async function forgetDevice() {
  const device = stored();
  if (!device.uid) return;
  localStorage.removeItem(KEY);
  await stopPushes().catch(() => undefined);
  await deleteDevice(device.id).catch(() => undefined); // the next to sign in takes the token over
}

/**
 * @typedef {object} Shown A push as a phone shows it.
 * @property {string} title
 * @property {string} body
 * @property {string} tag A later push replaces an earlier one of the same tag.
 * @property {string} link Path to open.
 * @property {Date} at
 */

/**
 * What the embedded sink has for this person, the newest first.
 *
 * @returns {Promise<Shown[]>}
 */
export async function received() {
  const answer = await fetch(`/local/push?uid=${encodeURIComponent(account()?.uid ?? "")}`);
  if (!answer.ok) return [];
  const { messages } = await answer.json();
  /** @type {Map<string, Shown>} */
  const byTag = new Map();
  for (const { received_at: at, message } of messages) {
    const { webpush, android, apns, data = {} } = message;
    const { title = "", body = "", tag = apns?.headers?.["apns-collapse-id"] ?? at } =
      webpush?.notification ?? android?.notification ?? apns?.payload?.aps?.alert ?? {};
    byTag.delete(tag); // the newest of a tag comes last
    byTag.set(tag, { tag, title, body, link: pathOf(data.link ?? "/"), at: new Date(at) });
  }
  return [...byTag.values()].reverse();
}

/** @param {string} link */
function pathOf(link) {
  const { pathname } = new URL(link, location.origin);
  return pathname;
}
