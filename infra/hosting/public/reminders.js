// @ts-check
/** Which Spaces one asked to be reminded of: the server knows, this browser remembers. */

import { myStanding } from "./api.js";
import { setReminder } from "./api/schedule.js";
import { account } from "./session.js";

let wishes = 0; // an answer from before the latest one is out of date

const keyOf = () => `parley.reminders.${account()?.uid}`;

/** @returns {string[]} Ids of Spaces, the latest wish last, as this browser last heard. */
export function reminded() {
  try {
    return JSON.parse(localStorage.getItem(keyOf()) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {string} id */
export const isReminded = (id) => reminded().includes(id);

/**
 * Ask the server, as the bell may have been rung on another device.
 *
 * @param {string} id Of a Space that is to come.
 * @returns {Promise<boolean>} What this browser knew, where nobody is signed in or the
 *   server cannot be asked.
 */
export async function askReminded(id) {
  const asked = `${keyOf()} ${wishes}`;
  const mine = account() && (await myStanding(id).catch(() => null));
  if (mine && asked === `${keyOf()} ${wishes}` && mine.subscribed !== isReminded(id)) remember(id, mine.subscribed);
  return isReminded(id);
}

/**
 * @param {string} id
 * @param {boolean} wanted
 * @throws {import("./http.js").Problem}
 */
export async function remind(id, wanted) {
  wishes += 1;
  await setReminder(id, wanted);
  wishes += 1;
  remember(id, wanted);
}

/**
 * @param {string} id
 * @param {boolean} wanted
 */
function remember(id, wanted) {
  const others = reminded().filter((each) => each !== id);
  localStorage.setItem(keyOf(), JSON.stringify(wanted ? [...others, id] : others));
}
