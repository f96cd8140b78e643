// @ts-check
/** HLS in an audio element: the browser's own player, or hls.js where that cannot. */

import { Problem } from "../http.js";

const NATIVE_TYPE = "application/vnd.apple.mpegurl";
/** Brought in when the client is built (infra/hosting/package.json), or absent. */
const LIBRARY_URL = "/vendor/hls.min.mjs";
const OPTIONS = Object.freeze({
  enableWorker: false, // audio alone is little work, and a blob is no script of ours
  backBufferLength: 10,
  maxLiveSyncPlaybackRate: 1.1, // catches up after a stall without a jump
});

/** Browsers whose own player has failed us get the library from then on. */
let nativeFailed = false;

/**
 * Load `url` into `element`; playing it is the caller's.
 *
 * @param {HTMLAudioElement} element
 * @param {string} url
 * @param {object} options
 * @param {() => void} options.onerror Nothing more comes; called once at most.
 * @param {AbortSignal} options.signal The element is wanted for something else: it is let alone.
 * @returns {Promise<() => void>} Takes it out again.
 * @throws {Problem} `hls-unplayable`: there is neither.
 * @throws {DOMException} Aborted.
 */
export async function attach(element, url, { onerror, signal }) {
  if (!nativeFailed && element.canPlayType(NATIVE_TYPE)) return attachNative(element, url, onerror);
  const library = await import(LIBRARY_URL).catch(() => null);
  signal.throwIfAborted(); // the import takes a while, and no signal
  const Hls = library?.default;
  if (Hls?.isSupported()) return attachLibrary(Hls, element, url, onerror);
  nativeFailed = false; // without another, it may as well try again
  throw new Problem({ code: "hls-unplayable", status: 0 });
}

/**
 * @param {HTMLAudioElement} element
 * @param {string} url
 * @param {() => void} onerror
 */
function attachNative(element, url, onerror) {
  let begun = false;
  const note = () => (begun = true);
  const fail = () => {
    nativeFailed ||= !begun; // it could not even begin: it knows no such playlists
    onerror();
  };
  element.addEventListener("playing", note, { once: true });
  element.addEventListener("error", fail, { once: true });
  element.srcObject = null;
  element.src = url;
  return () => {
    element.removeEventListener("playing", note);
    element.removeEventListener("error", fail);
    element.removeAttribute("src");
    if (!element.srcObject) element.load(); // lets go of the connection
  };
}

/**
 * @param {any} Hls The library's class.
 * @param {HTMLAudioElement} element
 * @param {string} url
 * @param {() => void} onerror
 */
function attachLibrary(Hls, element, url, onerror) {
  const hls = new Hls(OPTIONS);
  hls.on(Hls.Events.ERROR, (/** @type {string} */ _, /** @type {{fatal: boolean}} */ { fatal }) => {
    if (fatal) onerror();
  });
  element.srcObject = null;
  hls.loadSource(url);
  hls.attachMedia(element);
  return () => hls.destroy();
}
