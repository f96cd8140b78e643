// @ts-check
/** Problems of signing in, and of what was entered. */

/** A request that this client should not have made: an old page, most often. */
const OUTDATED = Object.freeze({
  title: "This page is out of date",
  text: "Parley did not understand it. Reload to get the newest version.",
  icon: "info",
  remedy: /** @type {import("../problems.js").Remedy} */ ("reload"),
});

/** @type {Readonly<Record<string, import("../problems.js").Explanation>>} */
export const ACCOUNTS = Object.freeze({
  "sign-in-needed": {
    title: "Sign in first",
    text: "It takes a few seconds.",
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
  "email-invalid": { title: "That is no e-mail address", text: "Check how it is spelled." },
  "sign-in-link-invalid": {
    title: "This link signs nobody in any more",
    text: "It works once, for an hour, and for the address that it was sent to. Have another one sent.",
  },
  "sign-in-failed": { title: "Signing in did not work", text: "Try again in a moment." },
  "app-check-required": {
    title: "This page cannot prove itself",
    text: "Parley takes calls from its own apps only. Reload, or use the app.",
    icon: "info",
    remedy: "reload",
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
  "report-not-found": { title: "No such report", text: "It may have been closed." },
  "report-closed": { title: "Closed already", text: "Somebody else has handled this report." },
  "invalid-operator-key": { title: "For operators only", text: "This needs an operator’s key." },
  "account-suspended": { title: "Account suspended", text: "The operator of this service has suspended it." },
  "erasure-running": { title: "Not just yet", text: "Your earlier account is still being erased." },
  "handle-taken": { title: "That handle is taken", text: "Try another one." },
  "invalid-handle": { title: "Not a handle", text: "Use 1 to 15 letters, digits or _." },
  "cannot-follow": { title: "You can’t follow them", text: "One of you blocks the other." },
  "not-yourself": { title: "That is you", text: "Choose somebody else." },
  "device-not-found": { title: "No such device", text: "It was signed out already." },
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
});
