// @ts-check
/** How long to wait before the next attempt. */

export const FIRST_DELAY_MS = 250;
export const MAX_DELAY_MS = 4000;
const FIRST_UNHURRIED_MS = 60_000;
const MAX_UNHURRIED_MS = 600_000;

/**
 * Doubles from 250 ms to 4 s; half of it is jitter, so that a crowd that lost its
 * worker does not come back in one instant.
 *
 * @param {number} attempt 0 for the first retry.
 * @param {{retryAfterMs?: number, random?: () => number}} [options]
 *   `retryAfterMs` is the least to wait, as the server asked.
 * @returns {number} Milliseconds.
 */
export function backoffMs(attempt, { retryAfterMs = 0, random = Math.random } = {}) {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return Math.max(retryAfterMs, ceiling / 2 + (random() * ceiling) / 2);
}

/**
 * While one hears by another way, and each attempt costs a join: from one minute to ten,
 * half of it jitter.
 *
 * @param {number} attempt 0 for the first retry.
 * @param {() => number} [random]
 * @returns {number} Milliseconds.
 */
export function unhurriedMs(attempt, random = Math.random) {
  const ceiling = Math.min(MAX_UNHURRIED_MS, FIRST_UNHURRIED_MS * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}

/**
 * Wait, unless `signal` ends the wait early.
 *
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>} Resolves in both cases; ask the signal which it was.
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener("abort", done);
  });
}
