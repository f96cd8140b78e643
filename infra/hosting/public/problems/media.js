// @ts-check
/** Problems of this device, and of the room that carries the sound. */

/** @type {Readonly<Record<string, import("../problems.js").Explanation>>} */
export const MEDIA = Object.freeze({
  // This device
  "mic-denied": {
    title: "Your microphone is blocked",
    text: "You can still listen. To talk, allow the microphone for this site in the browser’s settings, then tap the mic.",
  },
  "mic-missing": {
    title: "No microphone found",
    text: "You can still listen. Plug one in, then tap the mic.",
  },
  "mic-busy": {
    title: "The microphone is in use",
    text: "You can still listen. Close the app that holds it, then tap the mic.",
  },
  "mic-insecure": {
    title: "No microphone here",
    text: "Browsers allow it only over https. You can still listen.",
  },
  offline: {
    title: "You are offline",
    text: "Check the connection; we go on by ourselves as soon as it is back.",
    icon: "plug",
    remedy: "retry",
  },
  unreachable: {
    title: "Can’t reach Parley",
    text: "The server does not answer. It may be back in a moment.",
    icon: "plug",
    remedy: "retry",
  },
  "not-parley": {
    title: "Something is in the way",
    text: "The network answered instead of Parley. If this Wi-Fi has a sign-in page, open it first.",
    icon: "plug",
    remedy: "retry",
  },
  // The media worker
  "media-blocked": {
    title: "No sound gets through.",
    text: "Your network seems to block it. We keep trying; another Wi-Fi or mobile data may help.",
  },
  "worker-starting": { title: "Opening the room", text: "It takes a second or two." },
  "worker-unreachable": { title: "The room is not answering", text: "We keep trying." },
  "no-capacity": {
    title: "All rooms are taken",
    text: "Yours opens as soon as one is free.",
  },
  "worker-full": {
    title: "This Space is full",
    text: "It has all the listeners it can take. Try again when some have left.",
    remedy: "retry",
  },
  "worker-stopping": { title: "The room is moving", text: "We bring you along." },
  "stale-grant": { title: "The room has moved", text: "We bring you along." },
  "invalid-grant": { title: "Your pass has run out", text: "We get you a new one." },
  "grant-forbids": { title: "Not with this pass", text: "Join again to go on.", remedy: "rejoin" },
  "grant-missing": { title: "No pass", text: "Join again to go on.", remedy: "rejoin" },
  "grant-expired": { title: "Your pass has run out", text: "We get you a new one." },
  "grant-for-other-space": { title: "Wrong pass", text: "Join again to go on.", remedy: "rejoin" },
  "invalid-forward": { title: "The room refused us", text: "We keep trying." },
  "listen-token-missing": { title: "No pass", text: "Join again to go on.", remedy: "rejoin" },
  "invalid-listen-token": { title: "Your pass has run out", text: "We get you a new one." },
  "listen-token-expired": { title: "Your pass has run out", text: "We get you a new one." },
  "hls-unplayable": {
    title: "This browser can’t play it",
    text: "It knows no way to play this sound with your network. Another browser may, or another network.",
  },
  "session-replaced": {
    title: "You are listening on another device",
    text: "One device at a time has the sound. You can bring it back here.",
    icon: "headphones",
    remedy: "here",
  },
  "hls-starting": { title: "Tuning in", text: "It takes a second or two." },
  "hls-unavailable": {
    title: "This Space is full",
    text: "It can take no more listeners just now. Try again in a moment.",
    remedy: "retry",
  },
  "hls-key-not-found": { title: "You fell behind", text: "We bring you back to the live sound." },
  "session-not-found": { title: "That session is over", text: "We open a new one." },
});
