// @ts-check
/** A recording drawn: its outline, and a lane for each speaker. */

import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
const HEIGHT = 100;

/** @typedef {{uid: string, display_name: string, heard: [number, number][]}} Speaker */

export class Waveform {
  /**
   * @param {object} drawn
   * @param {number[]} drawn.peaks 0 to 100 each, at equal distances.
   * @param {Speaker[]} drawn.speakers Intervals in ms.
   * @param {number} drawn.durationMs
   * @param {(ms: number) => void} drawn.onseek
   */
  constructor({ peaks, speakers, durationMs, onseek }) {
    this.durationMs = Math.max(1, durationMs);
    this.cursors = /** @type {SVGElement[]} */ ([]);
    this.element = h(
      "div",
      { class: "wave", on: { click: (event) => onseek(this.#at(event)) } },
      this.#outline(peaks),
      ...speakers.map((speaker) => this.#lane(speaker, speakers.length > 1)),
    );
  }

  /** @param {number} ms Where the playing is. */
  move(ms) {
    const x = String((WIDTH * Math.min(ms, this.durationMs)) / this.durationMs);
    for (const cursor of this.cursors) {
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
    }
  }

  /** @param {number[]} peaks */
  #outline(peaks) {
    const step = WIDTH / Math.max(1, peaks.length);
    const upper = peaks.map((peak, n) => `L${(n * step).toFixed(1)} ${50 - peak / 2}`);
    const lower = peaks.map((peak, n) => `L${(n * step).toFixed(1)} ${50 + peak / 2}`).reverse();
    const path = svg("path", { d: `M0 50${upper.join("")}${lower.join("")}Z`, class: "wave__outline" });
    return this.#picture("wave__all", path);
  }

  /**
   * @param {Speaker} speaker
   * @param {boolean} among Others; of one alone the outline says when they talk.
   */
  #lane({ display_name: name, heard }, among) {
    const label = h("span", { class: "wave__name" }, name);
    if (!among) return h("div", { class: "wave__lane", "data-testid": "lane" }, label);
    const bars = heard.map(([from, to]) =>
      svg("rect", {
        x: (WIDTH * from) / this.durationMs,
        width: Math.max(1, (WIDTH * (to - from)) / this.durationMs),
        y: 0,
        height: HEIGHT,
        class: "wave__heard",
      }),
    );
    return h("div", { class: "wave__lane", "data-testid": "lane" }, label, this.#picture("wave__bars", ...bars));
  }

  /**
   * @param {string} className
   * @param {...SVGElement} shapes
   */
  #picture(className, ...shapes) {
    const cursor = svg("line", { x1: 0, x2: 0, y1: 0, y2: HEIGHT, class: "wave__cursor" });
    const picture = svg("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: className, "aria-hidden": "true",
    });
    picture.append(...shapes, cursor);
    this.cursors.push(cursor);
    return picture;
  }

  /** @param {MouseEvent} event */
  #at(event) {
    const outline = /** @type {Element} */ (this.element.firstElementChild).getBoundingClientRect();
    const share = (event.clientX - outline.left) / outline.width;
    return Math.min(1, Math.max(0, share)) * this.durationMs;
  }
}

/**
 * When somebody else begins after `ms`; the next beginning at all where nobody talks.
 *
 * @param {Speaker[]} speakers
 * @param {number} ms
 * @returns {number | null}
 */
export function nextSpeaker(speakers, ms) {
  const talking = new Set(
    speakers.filter(({ heard }) => heard.some(([from, to]) => from <= ms && ms < to)).map(({ uid }) => uid),
  );
  const starts = speakers
    .filter(({ uid }) => !talking.has(uid))
    .flatMap(({ heard }) => heard.map(([from]) => from))
    .filter((from) => from > ms);
  return starts.length ? Math.min(...starts) : null;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElement}
 */
function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return /** @type {SVGElement} */ (element);
}
