// @ts-check
/** Events with typed details. */

/**
 * @typedef {object} RoomEvents What a session tells, with the details.
 * @property {null} change Anything to draw has changed.
 * @property {import("./pulse.js").Beat} beat
 * @property {null} hands Another set of hands is up.
 * @property {string} said For the announcer.
 * @property {import("../http.js").Problem} problem For a toast; the session goes on.
 * @property {null} over The Space has ended.
 * @property {import("../http.js").Problem} refused The session has failed.
 */

/**
 * @template {Record<string, any>} Events Names to details.
 */
export class Emitter {
  #target = new EventTarget();

  /**
   * Hear of one kind of event.
   *
   * @template {keyof Events & string} K
   * @param {K} name
   * @param {(detail: Events[K]) => void} listener
   * @param {AbortSignal} signal Ends it.
   */
  on(name, listener, signal) {
    const handler = (/** @type {Event} */ event) =>
      listener(/** @type {CustomEvent<Events[K]>} */ (event).detail);
    this.#target.addEventListener(name, handler, { signal });
  }

  /**
   * @template {keyof Events & string} K
   * @param {K} name
   * @param {Events[K]} detail
   */
  emit(name, detail) {
    this.#target.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
