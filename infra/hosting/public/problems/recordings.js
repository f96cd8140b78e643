// @ts-check
/** Problems of recordings: what one is asked, and what can be played. */

/** @type {Readonly<Record<string, import("../problems.js").Explanation>>} */
export const RECORDINGS = Object.freeze({
  "recording-not-found": {
    title: "No recording",
    text: "This Space was not recorded, or its recording is gone.",
    icon: "search",
    remedy: "feed",
  },
  "consent-not-found": {
    title: "Nothing to take back",
    text: "You have not agreed to this recording, so your voice is not in it.",
    icon: "info",
  },
  "clip-not-found": {
    title: "No such clip",
    text: "It was deleted, or somebody in it took their voice back.",
    icon: "search",
  },
  "not-in-recording": {
    title: "Not for you to do",
    text: "Clips are made by hosts, and by those who are heard in the recording.",
    icon: "ban",
  },
  "clip-not-consented": {
    title: "No clip from here",
    text: "Not everybody who is heard in these seconds agreed to clips. Try another place.",
    icon: "info",
  },
  "nothing-to-clip": {
    title: "Nobody talks there",
    text: "Choose a place where somebody is heard.",
    icon: "info",
  },
  "clip-not-ready": {
    title: "Not ready yet",
    text: "The clip is being made, or could not be made.",
    icon: "hourglass",
    remedy: "retry",
  },
  "recording-private": {
    title: "Private recording",
    text: "Its host keeps this recording to themselves.",
    icon: "ban",
    remedy: "feed",
  },
  "wrong-recording-state": {
    title: "Not possible just now",
    text: "The recording has moved on meanwhile. Look at what it does now.",
    icon: "info",
  },
  "recording-closed": {
    title: "The recording is over",
    text: "A Space has one recording, and this one has ended.",
    icon: "info",
  },
  "recording-not-ready": {
    title: "Not ready yet",
    text: "The recording is being made, or there is nothing left to play.",
    icon: "hourglass",
    remedy: "retry",
  },
  "not-asked": {
    title: "Only speakers are asked",
    text: "Listeners are never recorded, so there is nothing to answer.",
    icon: "info",
  },
  "notice-outdated": {
    title: "The notice has changed",
    text: "Please read it again, and answer then.",
    icon: "info",
    remedy: "reload",
  },
  "recording-notice-required": {
    title: "This Space is recorded",
    text: "Read the notice first, then join.",
    icon: "info",
    remedy: "retry",
  },
  "answered-too-often": {
    title: "Changed too often",
    text: "You have said yes to this recording too many times. You can still say no.",
    icon: "info",
  },
});
