// @ts-check
/** Which Spaces one asked to be reminded of, as far as this browser knows. */

import { setReminder } from "./api/schedule.js";
import { account } from "./session.js";

const keyOf = () => `parley.reminders.${account()?.uid}`;

/** @returns {string[]} Ids of Spaces, the latest wish last. */
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
 * @param {string} id
 * @param {boolean} wanted
 * @throws {import("./http.js").Problem}
 */
export async function remind(id, wanted) {
  await setReminder(id, wanted);
  const others = reminded().filter((each) => each !== id);
  localStorage.setItem(keyOf(), JSON.stringify(wanted ? [...others, id] : others));
}
