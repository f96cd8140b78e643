// @ts-check
/** Whom one follows and blocks: read once, then kept in step with one's own changes. */

import { related, setRelation } from "./api/people.js";
import { account } from "./session.js";

/** @typedef {import("./api/people.js").Relation} Relation */
/** @typedef {import("./api.js").Person} Person */

const MAX_PAGES = 5;

/** @type {Map<string, Promise<Map<string, Person>>>} By account and relation. */
const known = new Map();

/**
 * @param {Relation} relation
 * @returns {Promise<Map<string, Person>>} By uid.
 * @throws {import("./http.js").Problem}
 */
export function people(relation) {
  const key = `${account()?.uid} ${relation}`;
  const reading = known.get(key) ?? readAll(relation);
  known.set(key, reading);
  reading.catch(() => known.delete(key)); // the next one asks again
  return reading;
}

/**
 * @param {Relation} relation
 * @param {Person} person
 * @param {boolean} wanted
 * @throws {import("./http.js").Problem}
 */
export async function relate(relation, person, wanted) {
  await setRelation(relation, person.uid, wanted);
  if (relation === "blocks" && wanted) known.delete(`${account()?.uid} following`); // a block unfollows
  const found = await people(relation).catch(() => null);
  if (wanted) found?.set(person.uid, person);
  else found?.delete(person.uid);
}

/** @param {Relation} relation */
async function readAll(relation) {
  /** @type {Map<string, Person>} */
  const found = new Map();
  /** @type {string | null} */
  let next = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await related(relation, next);
    for (const person of answer.people) found.set(person.uid, person);
    next = answer.next_page_token;
    if (!next) break;
  }
  return found;
}
