// @ts-check
/** What each problem code means to a person, and what they can do about it. */

/** @typedef {"retry" | "feed" | "sign-in" | "rejoin" | "reload"} Remedy */
/** @typedef {{title: string, text: string, icon?: string, remedy?: Remedy}} Explanation */

/** A request that this client should not have made: an old page, most often. */
const OUTDATED = Object.freeze({
  title: "This page is out of date",
  text: "Parley did not understand it. Reload to get the newest version.",
  icon: "info",
  remedy: /** @type {Remedy} */ ("reload"),
});

/** @type {Readonly<Record<string, Explanation>>} */
export const EXPLANATIONS = Object.freeze({
  // Spaces
  "space-not-found": {
    title: "No such Space",
    text: "The link may be mistyped, or this Space never was.",
    icon: "search",
    remedy: "feed",
  },
  "page-not-found": {
    title: "Nothing here",
    text: "There is no such page. The feed shows what is live.",
    icon: "search",
    remedy: "feed",
  },
  "not-live": {
    title: "Not live yet",
    text: "The host has not started this Space. Come back when it begins.",
    icon: "hourglass",
    remedy: "retry",
  },
  cancelled: {
    title: "This Space was cancelled",
    text: "The host called it off. See who else is talking.",
    icon: "ban",
    remedy: "feed",
  },
  blocked: {
    title: "You can’t join this Space",
    text: "Its host does not let this account in. Other Spaces are open to you.",
    icon: "ban",
    remedy: "feed",
  },
  removed: {
    title: "You were removed",
    text: "A host removed you from this Space. You can come back only if they let you.",
    icon: "ban",
    remedy: "feed",
  },
  replaced: {
    title: "You joined somewhere else",
    text: "This Space is open in another tab or on another device. You can bring it back here.",
    icon: "headphones",
    remedy: "rejoin",
  },
  left: {
    title: "You left this Space",
    text: "You left it from another place. You can come back at any time.",
    icon: "leave",
    remedy: "rejoin",
  },
  // What one may do
  "host-only": { title: "Only the host can do that", text: "Ask them to." },
  "moderator-only": { title: "Only hosts can do that", text: "Ask one of them to." },
  "host-stays": { title: "The host stays", text: "To leave, end the Space or just leave it." },
  "cannot-unmute-another": {
    title: "They have to unmute themselves",
    text: "Nobody can open somebody else’s microphone.",
  },
  "target-not-on-stage": { title: "They are not on stage", text: "They stepped down meanwhile." },
  "already-on-stage": { title: "They are on stage already", text: "Nothing to do." },
  "not-in-space": { title: "Join first", text: "Come in under your name, then try again." },
  "not-yours": { title: "That is theirs to do", text: "Only the person themselves can." },
  "cannot-invite": { title: "They can’t be invited", text: "One of these people can’t join here." },
  "user-not-found": { title: "No such person", text: "The account may be gone." },
  "invite-not-found": { title: "No such invite", text: "Ask the host to invite you again." },
  "invite-closed": { title: "This invite is over", text: "Ask the host for a new one." },
  "speak-request-closed": { title: "No longer asking", text: "They took their hand down." },
  "list-full": { title: "The list is full", text: "Somebody has to make room first." },
  "update-required": {
    title: "Update the app",
    text: "This needs a newer version. Reload the page, or update the app.",
    icon: "retry",
    remedy: "reload",
  },
  "co-hosts-full": { title: "Two co-hosts already", text: "One of them has to step down first." },
  "not-on-stage": { title: "You are not on stage", text: "Ask a host to invite you to speak." },
  "stage-full": {
    title: "The stage is full",
    text: "Thirteen people are up there. Somebody has to step down first.",
  },
  "stage-by-invitation": {
    title: "Speaking is by invitation",
    text: "The host decides who speaks here. They see you in the audience.",
  },
  "protected-account": {
    title: "Protected accounts can’t host",
    text: "You can listen to any Space. To host one, make your account public.",
  },
  "muted-by-host": { title: "A host muted you", text: "You can turn your mic on again yourself." },
  "participant-not-found": { title: "They have left", text: "That person is no longer here." },
  "illegal-transition": {
    title: "Too late for that",
    text: "This Space has moved on meanwhile. Reload to see how it stands.",
    remedy: "reload",
  },
  "stale-revision": {
    title: "It has changed meanwhile",
    text: "Reload to see how it stands.",
    remedy: "reload",
  },
  "dependency-unavailable": {
    title: "Parley is catching its breath",
    text: "Something that it needs does not answer. Try again in a moment.",
    icon: "plug",
    remedy: "retry",
  },
  contended: { title: "Many at once", text: "Others changed this at the same moment. Try again." },
  // Accounts
  "sign-in-needed": {
    title: "Sign in first",
    text: "Pick a handle; it takes a few seconds.",
    icon: "people",
    remedy: "sign-in",
  },
  "id-token-missing": {
    title: "Sign in again",
    text: "Your sign-in has run out.",
    icon: "people",
    remedy: "sign-in",
  },
  "invalid-id-token": {
    title: "Sign in again",
    text: "Your sign-in has run out.",
    icon: "people",
    remedy: "sign-in",
  },
  "id-token-expired": {
    title: "Sign in again",
    text: "Your sign-in has run out.",
    icon: "people",
    remedy: "sign-in",
  },
  "profile-not-found": {
    title: "One more step",
    text: "Choose the name that others will see.",
    icon: "people",
    remedy: "sign-in",
  },
  "profile-required": {
    title: "One more step",
    text: "Choose the name that others will see.",
    icon: "people",
    remedy: "sign-in",
  },
  "handle-taken": { title: "That handle is taken", text: "Try another one." },
  "invalid-handle": { title: "Not a handle", text: "Use 1 to 15 letters, digits or _." },
  // Input
  "invalid-field": { title: "Something is off", text: "Check what you entered and try again." },
  "unknown-field": OUTDATED,
  "malformed-json": OUTDATED,
  "invalid-header": OUTDATED,
  "invalid-page-token": OUTDATED,
  "unsupported-media-type": OUTDATED,
  "body-too-large": { title: "Too long", text: "Shorten it and try again." },
  "idempotency-key-reused": { title: "Already sent", text: "Close this and start afresh." },
  "rate-limited": { title: "Slow down a little", text: "Wait a moment, then try again." },
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
  // The media worker
  "worker-starting": { title: "Opening the room", text: "It takes a second or two." },
  "worker-unreachable": { title: "The room is not answering", text: "We keep trying." },
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
  "session-not-found": { title: "That session is over", text: "We open a new one." },
});

/** SDP refusals differ in detail; to a person they are one thing. */
const SDP = Object.freeze({
  title: "This browser can’t take part",
  text: "Its audio offer was refused. Update the browser, or try another one.",
  icon: "ban",
});
const DOWN = Object.freeze({
  title: "Something broke on our side",
  text: "It is not you. Try again in a moment.",
  icon: "plug",
  remedy: /** @type {Remedy} */ ("retry"),
});
const REFUSED = Object.freeze({
  title: "That did not work",
  text: "Parley refused it. Reload the page and try again.",
  icon: "info",
  remedy: /** @type {Remedy} */ ("reload"),
});

/**
 * @param {unknown} problem
 * @returns {Explanation}
 */
export function explain(problem) {
  const { code = "", status = 500 } = /** @type {import("./http.js").Problem} */ (problem);
  if (Object.hasOwn(EXPLANATIONS, code)) return EXPLANATIONS[code];
  if (code.startsWith("sdp-")) return SDP;
  return status >= 500 ? DOWN : REFUSED;
}
