// @ts-check
/** Elements from data; no markup is ever parsed, so nothing can be injected. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @typedef {object} Props Anything else becomes an attribute; false and null leave it out.
 * @property {Record<string, string>} [data]
 * @property {Record<string, (event: any) => void>} [on]
 */

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props & Record<string, unknown>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, { data = {}, on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  Object.assign(element.dataset, data);
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener);
  element.append(...present(children));
  return element;
}

/**
 * Set, or with false and null remove; leaves an equal value alone, so that screen
 * readers are not told of what did not change.
 *
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Child[]} children */
export const present = (children) =>
  /** @type {(Node | string)[]} */ (children.filter((child) => child || child === ""));

const SVG = "http://www.w3.org/2000/svg";

/** Put the symbols of `/icons.svg` into the page, where being offline cannot lose them. */
export async function loadIcons() {
  const text = await (await fetch("/icons.svg")).text();
  const sprite = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  sprite.setAttribute("hidden", "");
  document.body.append(document.importNode(sprite, true));
}

/**
 * A symbol of `/icons.svg`, hidden from screen readers: its button has the name.
 *
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {SVGElement} svg From `icon`.
 * @param {string} name
 */
export const setIcon = (svg, name) =>
  setAttribute(/** @type {Element} */ (svg.firstChild), "href", `#${name}`);

/**
 * The element of `index.html` with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
