// @ts-check
/** Choosing a day and a time, in the reader's own zone, which is named. */

import { countdown, moment, zone } from "../format.js";
import { h, setText } from "./dom.js";

const MINUTE_MS = 60_000;
const MIN_AHEAD_MS = 5 * MINUTE_MS;
const MAX_AHEAD_MS = 365 * 86_400_000;
const EVENING_HOURS = 19;

/**
 * @typedef {object} When
 * @property {HTMLElement} element
 * @property {() => Date | null} value Null where nothing is chosen, or nothing that will do.
 * @property {() => string} trouble Why it will not do; empty where it will.
 */

/**
 * @param {Date | null} chosen
 * @param {(at: Date | null) => void} onchange
 * @returns {When}
 */
export function whenField(chosen, onchange) {
  const now = new Date();
  const date = h("input", {
    type: "date", id: "when-date", name: "date", class: "when__input", required: true,
    min: dateText(now), max: dateText(new Date(now.getTime() + MAX_AHEAD_MS)), "aria-describedby": "when-zone",
    "data-testid": "when-date",
  });
  const time = h("input", {
    type: "time", id: "when-time", name: "time", class: "when__input", required: true, step: 60,
    "aria-describedby": "when-zone", "data-testid": "when-time",
  });
  const note = h("p", { id: "when-zone", class: "field__hint when__zone", "data-testid": "when-zone" });
  const picked = () => (date.value && time.value ? new Date(`${date.value}T${time.value}`) : null);
  const value = () => (troubleOf(picked()) ? null : picked());
  const show = (/** @type {Date} */ at) => {
    date.value = dateText(at);
    time.value = timeText(at);
    setText(note, noteOf(at));
  };
  const choose = (/** @type {Date} */ at) => {
    show(at);
    onchange(value());
  };
  const typed = () => {
    setText(note, noteOf(picked()));
    onchange(value());
  };
  date.addEventListener("input", typed);
  time.addEventListener("input", typed);
  const suggestions = suggested(now);
  show(chosen ?? suggestions[0].at);
  const element = h(
    "div",
    { class: "when" },
    h("div", { class: "when__chips", role: "group", "aria-label": "Suggested times" }, ...suggestions.map(({ label, at }) =>
      h("button", { type: "button", class: "chip", on: { click: () => choose(at) } }, label))),
    h("div", { class: "when__fields" },
      h("label", { class: "when__field", for: date.id }, h("span", { class: "field__label" }, "Day"), date),
      h("label", { class: "when__field", for: time.id }, h("span", { class: "field__label" }, "Time"), time)),
    note,
  );
  return { element, value, trouble: () => troubleOf(picked()) };
}

/** @param {Date | null} at */
function troubleOf(at) {
  if (!at || Number.isNaN(at.getTime())) return "Choose a day and a time.";
  const aheadMs = at.getTime() - Date.now();
  if (aheadMs < MIN_AHEAD_MS) return "That is too soon: choose a time at least five minutes ahead.";
  return aheadMs > MAX_AHEAD_MS ? "That is too far ahead: choose a time within a year." : "";
}

/** @param {Date | null} at */
function noteOf(at) {
  const trouble = troubleOf(at);
  if (trouble || !at) return trouble;
  return `${moment(at)} · in ${countdown(at.getTime() - Date.now())} · ${zone(at)}`;
}

/** @param {Date} now */
function suggested(now) {
  const hour = new Date(now.getTime() + 60 * MINUTE_MS);
  hour.setMinutes(Math.ceil(hour.getMinutes() / 15) * 15, 0, 0);
  const evening = (/** @type {number} */ days) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, EVENING_HOURS);
  const weekend = evening((6 - now.getDay() + 7) % 7 || 7);
  return [
    { label: "In an hour", at: hour },
    { label: "Tonight", at: evening(0) },
    { label: "Tomorrow evening", at: evening(1) },
    { label: "Saturday", at: weekend },
  ].filter(({ at }) => at.getTime() - now.getTime() > 2 * MIN_AHEAD_MS);
}

const two = (/** @type {number} */ value) => String(value).padStart(2, "0");

/** @param {Date} at */
const dateText = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

/** @param {Date} at */
const timeText = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;
