// @ts-check
/** What one can do with a recording: play, skip to the next speaker, faster, share. */

import { button } from "../components/button.js";
import { h, setIcon, setText } from "../components/dom.js";
import { toast } from "../components/toast.js";
import { nextSpeaker } from "../components/waveform.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];

/**
 * @param {string} id Of the Space.
 * @param {object} options
 * @param {HTMLAudioElement} options.audio
 * @param {import("../components/waveform.js").Speaker[]} options.speakers
 * @param {HTMLElement} options.now Shows where the playing is.
 * @param {() => void} options.clip Asks for a clip from where the playing is.
 */
export function replayControls(id, { audio, speakers, now, clip }) {
  const speed = h(
    "select",
    { "aria-label": "Speed", "data-testid": "replay-speed", on: { change: () => (audio.playbackRate = Number(speed.value)) } },
    ...SPEEDS.map((rate) => h("option", { value: rate, selected: rate === 1 }, `${rate}×`)),
  );
  return h(
    "div",
    { class: "replay__controls" },
    playButton(audio),
    speed,
    now,
    speakers.length > 1 && button("Next speaker", {
      icon: "chevron-right",
      testid: "replay-next",
      onclick: () => {
        const next = nextSpeaker(speakers, audio.currentTime * 1000);
        if (next === null) toast("Nobody else after this", { symbol: "info" });
        else audio.currentTime = next / 1000;
      },
    }),
    button("Make a clip", { testid: "replay-clip", onclick: clip }),
    button("Share from here", { icon: "share", testid: "replay-share", onclick: () => shareFrom(id, audio.currentTime) }),
  );
}

/** @param {HTMLAudioElement} audio */
function playButton(audio) {
  const element = button("Play", {
    look: "primary",
    icon: "play",
    testid: "replay-play",
    onclick: () => (audio.paused ? audio.play() : audio.pause()),
  });
  const [symbol, label] = element.children;
  const draw = () => {
    setIcon(/** @type {SVGElement} */ (symbol), audio.paused ? "play" : "pause");
    setText(label, audio.paused ? "Play" : "Pause");
  };
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, draw);
  return element;
}

/**
 * @param {string} id
 * @param {number} seconds
 */
async function shareFrom(id, seconds) {
  const url = `${location.origin}/s/${id}/recording?t=${Math.floor(seconds)}`;
  try {
    await navigator.clipboard.writeText(url);
    toast("Link copied", { text: "It begins where you are.", symbol: "link" });
  } catch {
    toast("Copy this link", { text: url, symbol: "link" });
  }
}
