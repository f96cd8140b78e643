// @ts-check
/** Pull down at the top of the page to refresh. */

const THRESHOLD_PX = 72;

/**
 * @param {HTMLElement} element
 * @param {() => Promise<unknown>} refresh
 * @returns {() => void} Stops it.
 */
export function pullToRefresh(element, refresh) {
  let startY = -1;
  const controller = new AbortController();
  const options = { passive: true, signal: controller.signal };
  const shift = (/** @type {number} */ px) => element.style.setProperty("--pull", `${px}px`);
  element.addEventListener(
    "touchstart",
    (event) => (startY = window.scrollY === 0 ? event.touches[0].clientY : -1),
    options,
  );
  element.addEventListener(
    "touchmove",
    (event) => {
      if (startY < 0) return;
      const distance = Math.max(0, event.touches[0].clientY - startY);
      shift(Math.min(distance / 2, THRESHOLD_PX));
    },
    options,
  );
  element.addEventListener(
    "touchend",
    (event) => {
      if (startY < 0) return;
      const pulled = event.changedTouches[0].clientY - startY;
      startY = -1;
      shift(0);
      if (pulled / 2 >= THRESHOLD_PX) void refresh();
    },
    options,
  );
  return () => controller.abort();
}
