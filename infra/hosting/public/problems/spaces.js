// @ts-check
/** Problems of Spaces: whether one may come in, and what one may do there. */

/** @type {Readonly<Record<string, import("../problems.js").Explanation>>} */
export const SPACES = Object.freeze({
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
  "no-show": {
    title: "This Space did not take place",
    text: "Its host did not start it in time. See who else is talking.",
    icon: "hourglass",
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
    remedy: "here",
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
  "too-many-live": { title: "Ten of your Spaces are live", text: "End one of them, then start this one." },
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
  "not-scheduled": {
    title: "No longer scheduled",
    text: "This Space has begun or was called off. Reload to see how it stands.",
    remedy: "reload",
  },
  "schedule-out-of-range": {
    title: "That time won’t do",
    text: "Choose one between five minutes and a year ahead.",
  },
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
});
