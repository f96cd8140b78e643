// @ts-check
/** Choosing a day and a time, in the reader's own zone, which is named. */

import { countdown, moment, zone } from "../format.js";
import { h, setAttribute, setText } from "./dom.js";

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
  const suggestions = suggested(now);
  const last = new Date(now.getTime() + MAX_AHEAD_MS);
  const date = input("date", { min: dateText(now), max: dateText(last) });
  const time = input("time", { step: 60 });
  const note = h("p", { id: "when-zone", class: "field__hint when__zone", "data-testid": "when-zone" });
  const picked = () => (date.value && time.value ? new Date(`${date.value}T${time.value}`) : null);
  const value = () => (troubleOf(picked()) ? null : picked());
  const show = (/** @type {Date} */ at) => {
    date.value = dateText(at);
    time.value = timeText(at);
    draw();
  };
  const draw = () => {
    setText(note, noteOf(picked()));
    setAttribute(note, "data-trouble", Boolean(troubleOf(picked())));
  };
  const tell = () => {
    draw();
    onchange(value());
  };
  date.addEventListener("input", tell);
  time.addEventListener("input", tell);
  show(chosen ?? suggestions[0].at);
  const chips = suggestions.map(({ label, at }) => chip(label, () => {
    show(at);
    tell();
  }));
  const element = h(
    "div",
    { class: "when" },
    h("div", { class: "when__chips", role: "group", "aria-label": "Suggested times" }, ...chips),
    h("div", { class: "when__fields" }, labelled("Day", date), labelled("Time", time)),
    note,
  );
  return { element, value, trouble: () => troubleOf(picked()) };
}

/**
 * @param {"date" | "time"} type
 * @param {Record<string, unknown>} limits
 */
const input = (type, limits) =>
  h("input", {
    type, id: `when-${type}`, name: type, class: "when__input", required: true,
    "aria-describedby": "when-zone", "data-testid": `when-${type}`, ...limits,
  });

/**
 * @param {string} label
 * @param {HTMLElement} field
 */
const labelled = (label, field) =>
  h("label", { class: "when__field", for: field.id }, h("span", { class: "field__label" }, label), field);

/**
 * @param {string} label
 * @param {() => void} choose
 */
const chip = (label, choose) =>
  h("button", { type: "button", class: "chip", on: { click: choose } }, label);

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
