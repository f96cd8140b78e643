// @ts-check
/** Events with typed details. */

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
