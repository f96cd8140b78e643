// @ts-check
/** WHIP (RFC 9725) and WHEP seen from the client: one POST opens, one DELETE closes. */

import { nearby, Problem, request } from "../http.js";
import { backoffMs, pause } from "./backoff.js";

const GATHER_MS = 400;
const CONNECT_MS = 8000;
const PATIENCE = 8;
/** Refusals that pass within seconds, while the grant is still good. */
const SOON = new Set(["worker-starting", "not-on-stage"]);

/** What the worker answers about the session of somebody who came in elsewhere since. */
export const REPLACED = "session-replaced";

/** @typedef {{location: string, grant: string}} Resource A session's URL and its key. */

/**
 * Send the offer of `pc` and apply the answer.
 *
 * @param {RTCPeerConnection} pc With its transceivers in place.
 * @param {string} url
 * @param {string} grant
 * @param {AbortSignal} signal
 * @returns {Promise<Resource>}
 * @throws {Problem} The server refused.
 */
export async function openResource(pc, url, grant, signal) {
  await pc.setLocalDescription();
  await gathered(pc);
  const sdp = /** @type {RTCSessionDescription} */ (pc.localDescription).sdp;
  const response = await insist(
    () => request("POST", nearby(url), { sdp, bearer: grant, signal }),
    signal,
  );
  const location = new URL(response.headers.get("Location") ?? "", url).href;
  await pc.setRemoteDescription({ type: "answer", sdp: await response.text() });
  return { location, grant };
}

/**
 * @param {() => Promise<Response>} attempt
 * @param {AbortSignal} signal
 */
async function insist(attempt, signal) {
  for (let tried = 0; ; tried += 1) {
    try {
      return await attempt();
    } catch (problem) {
      const passes = problem instanceof Problem && SOON.has(problem.code);
      if (!passes || tried >= PATIENCE || signal.aborted) throw problem;
      await pause(backoffMs(tried, { retryAfterMs: problem.retryAfterMs }), signal);
    }
  }
}

/**
 * Close a session; what is gone already, or cannot be reached, is left alone: the
 * worker ends sessions that fall silent.
 *
 * @param {Resource | null} resource
 * @returns {Promise<boolean>} Whether another device of ours had taken its place.
 */
export async function closeResource(resource) {
  if (!resource) return false;
  const options = { bearer: resource.grant, keepalive: true };
  try {
    await request("DELETE", nearby(resource.location), options);
  } catch (problem) {
    return problem instanceof Problem && problem.code === REPLACED;
  }
  return false;
}

/**
 * Resolve when media can flow.
 *
 * @param {RTCPeerConnection} pc
 * @param {AbortSignal} signal
 * @throws {Error} Not within 8 s, or the connection failed.
 */
export function connected(pc, signal) {
  return new Promise((resolve, reject) => {
    const settle = (/** @type {(value?: any) => void} */ done, /** @type {Error} */ error) => {
      clearTimeout(timer);
      pc.removeEventListener("connectionstatechange", look);
      done(error);
    };
    const fail = (/** @type {string} */ why) => settle(reject, new Error(why));
    const look = () => {
      if (pc.connectionState === "connected") settle(resolve, new Error());
      if (["failed", "closed"].includes(pc.connectionState)) fail(pc.connectionState);
    };
    const timer = setTimeout(() => fail("no connection in time"), CONNECT_MS);
    pc.addEventListener("connectionstatechange", look);
    signal.addEventListener("abort", () => fail("abandoned"), { once: true });
    look();
  });
}

/**
 * Call `onlost` when a connection that was up is up no more.
 *
 * @param {RTCPeerConnection} pc
 * @param {RTCDtlsTransport | null} transport Its only one. Where the worker says
 *   good-bye, Chromium tells so here at once, and the connection stays "connected".
 * @param {() => void} onlost
 */
export function watchConnection(pc, transport, onlost) {
  pc.addEventListener("connectionstatechange", () => {
    if (pc.connectionState !== "connected") onlost();
  });
  transport?.addEventListener("statechange", () => {
    if (transport.state !== "connected") onlost();
  });
}

/**
 * Wait for our candidates, briefly: the worker is ICE-lite and learns our address
 * from our checks, so a late candidate is no loss.
 *
 * @param {RTCPeerConnection} pc
 * @returns {Promise<void>}
 */
function gathered(pc) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    const look = () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
    pc.addEventListener("icegatheringstatechange", look);
    look();
  });
}
