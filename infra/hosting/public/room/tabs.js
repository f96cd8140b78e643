// @ts-check
/** One tab per person and Space: the newest one wins, as the worker sees it too. */

/**
 * Tell other tabs that this one has the Space now.
 *
 * Without it two tabs would take the one session from each other for ever.
 *
 * @param {string} spaceId
 * @param {string} uid
 * @param {() => void} onlost Another tab took it.
 * @returns {() => void} Gives the claim up.
 */
export function claim(spaceId, uid, onlost) {
  const channel = new BroadcastChannel(`parley.${spaceId}.${uid}`);
  channel.onmessage = () => onlost();
  channel.postMessage("claimed");
  return () => channel.close();
}
