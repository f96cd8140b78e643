// @ts-check
/** A recording's page: how far it is, and when it is there, the recording itself. */

import { deleteRecording, editRecording, getRecording, playback } from "../api/recordings.js";
import { getSpace } from "../api.js";
import { Problem, jsonOf, nearby, request } from "../http.js";
import { account } from "../session.js";
import { clock, titleOf } from "../format.js";
import { button } from "../components/button.js";
import { h, setText } from "../components/dom.js";
import { confirmSheet } from "../components/sheet.js";
import { Waveform } from "../components/waveform.js";
import { attempt } from "./controls.js";
import { ClipShelf } from "./replay_clips.js";
import { problemPanel } from "./problem.js";
import { replayControls } from "./replay_controls.js";

const LOOK_MS = 2000;

/** @typedef {import("../api/recordings.js").Recording} Recording */

/**
 * @param {string} id
 * @param {import("../router.js").Routes} routes
 * @returns {import("../router.js").View}
 */
export function replayView(id, routes) {
  const page = new ReplayPage(id, routes);
  page.open();
  return { element: page.element, title: "Recording", destroy: () => page.destroy() };
}

class ReplayPage {
  element = h("div", { class: "replay-page" });
  #timer = 0;
  #gone = false;
  /** @type {HTMLAudioElement | null} */
  #audio = null;
  /** @type {ClipShelf | null} */
  #clips = null;

  /**
   * @param {string} id
   * @param {import("../router.js").Routes} routes
   */
  constructor(id, routes) {
    this.id = id;
    this.routes = routes;
  }

  /** Whoever closes the question is told what the page waits for. */
  open() {
    if (!account()) this.#refuse(new Problem({ code: "sign-in-needed", status: 401 }));
    this.#signIn();
  }

  #signIn() {
    void this.routes.signInThen(() => void this.load());
  }

  async load() {
    try {
      const [space, recording] = await Promise.all([getSpace(this.id), getRecording(this.id)]);
      if (this.#gone) return;
      this.routes.setTitle(titleOf(space));
      if (recording.state === "ready") return void (await this.#play(space, recording));
      this.#show(waiting(titleOf(space), recording));
      if (recording.state === "finishing") this.#timer = window.setTimeout(() => void this.load(), LOOK_MS);
    } catch (problem) {
      this.#refuse(problem);
    }
  }

  destroy() {
    this.#gone = true;
    clearTimeout(this.#timer);
    this.#audio?.pause();
    this.#clips?.destroy();
  }

  /** @param {unknown} problem */
  #refuse(problem) {
    const acts = { retry: () => this.load(), feed: () => this.routes.go("/"), "sign-in": () => this.#signIn() };
    this.#show(problemPanel(problem, acts));
  }

  /**
   * @param {import("../api.js").Space} space
   * @param {Recording} recording
   */
  async #play(space, recording) {
    const urls = await playback(this.id);
    const [outline, markers] = await Promise.all([fetched(urls.waveform_url), fetched(urls.markers_url)]);
    if (this.#gone) return;
    const audio = h("audio", { preload: "metadata", "data-testid": "replay-audio" });
    this.#audio = audio;
    audio.src = nearby(urls.audio_url);
    audio.addEventListener("error", () => void this.#renew(audio, recording), { once: true });
    const seek = (/** @type {number} */ ms) => (audio.currentTime = ms / 1000);
    const wave = new Waveform({ peaks: outline.peaks, speakers: markers.speakers, durationMs: urls.duration_ms, onseek: seek });
    const now = h("span", { class: "replay__clock", "data-testid": "replay-clock" });
    const draw = () => {
      wave.move(audio.currentTime * 1000);
      setText(now, `${clock(audio.currentTime * 1000)} / ${clock(urls.duration_ms)}`);
    };
    audio.addEventListener("timeupdate", draw);
    audio.addEventListener("loadedmetadata", () => seek(startMs()), { once: true });
    draw();
    this.#clips?.destroy();
    const clips = (this.#clips = new ClipShelf(this.id, { version: urls.version, hosts: space.host_ids }));
    const clip = () => clips.ask(Math.floor(audio.currentTime * 1000));
    this.#show(
      h(
        "section",
        { class: "panel replay", data: { testid: "replay", version: String(urls.version) } },
        h("h1", { tabindex: -1 }, titleOf(space)),
        h("p", { class: "muted" }, about(space, recording)),
        audio,
        wave.element,
        replayControls(this.id, { audio, speakers: markers.speakers, now, clip }),
        space.host_ids.includes(account()?.uid ?? "") && this.#hostActions(recording, audio),
        clips.element,
      ),
    );
    void attempt(() => clips.load());
  }

  /**
   * @param {Recording} recording
   * @param {HTMLAudioElement} audio
   */
  #hostActions({ private: hidden, trim_start_ms: cut }, audio) {
    const then = (/** @type {() => Promise<unknown>} */ act) =>
      attempt(async () => {
        await act();
        await this.load();
      });
    const remove = () => then(() => deleteRecording(this.id));
    const trim = () => then(() => editRecording(this.id, { trim_start_ms: cut + Math.round(audio.currentTime * 1000) }));
    return h(
      "div",
      { class: "panel__actions" },
      button("Let it begin here", { testid: "replay-trim", onclick: trim }),
      button(hidden ? "Make it public" : "Make it private", {
        icon: hidden ? "globe" : "lock",
        testid: "replay-private",
        onclick: () => then(() => editRecording(this.id, { private: !hidden })),
      }),
      button("Delete the recording", {
        look: "danger",
        testid: "replay-delete",
        onclick: () =>
          confirmSheet("Delete the recording?", {
            text: "Every voice in it is deleted, for everybody and for good.",
            choices: [{ label: "Delete", look: "danger", testid: "delete-yes", act: remove }],
          }),
      }),
    );
  }

  /**
   * A URL is good for a quarter of an hour; somebody may have paused for longer.
   *
   * @param {HTMLAudioElement} audio
   * @param {Recording} recording
   */
  async #renew(audio, recording) {
    const at = audio.currentTime;
    try {
      const urls = await playback(this.id);
      if (urls.version !== recording.version) return void (await this.load());
      audio.src = nearby(urls.audio_url);
      audio.currentTime = at;
    } catch (problem) {
      this.#refuse(problem);
    }
  }

  /** @param {HTMLElement} panel */
  #show(panel) {
    if (!this.#gone) this.element.replaceChildren(panel);
  }
}

/**
 * @param {string} title
 * @param {Recording} recording
 */
function waiting(title, { state, progress_percent: percent }) {
  const words = {
    off: "This Space was not recorded.",
    pending: "Nobody has agreed to be recorded yet.",
    recording: "It is being recorded right now.",
    paused: "The recording is paused.",
    finishing: "The recording is being made.",
    ready: "",
    failed: "The recording could not be made.",
    erased: "The recording is deleted.",
  };
  return h(
    "section",
    { class: "panel replay", data: { testid: "replay-state", state } },
    h("h1", { tabindex: -1 }, title),
    h("p", { role: "status" }, words[state]),
    state === "finishing" && h("progress", { max: 100, value: percent ?? 0, "aria-label": "How far it is" }),
  );
}

/**
 * @param {import("../api.js").Space} space
 * @param {Recording} recording
 */
function about(space, { partial, private: hidden, expires_at: until }) {
  const parts = [`Hosted by ${space.host.display_name}`];
  if (hidden) parts.push("private");
  if (until) parts.push(`kept until ${new Date(until).toLocaleDateString()}`);
  if (partial) parts.push("parts are missing");
  return parts.join(" · ");
}

/**
 * @param {string} url Signed.
 * @returns {Promise<any>}
 * @throws {Problem}
 */
const fetched = async (url) => jsonOf(await request("GET", nearby(url)));

/** Where `?t=` says to begin, in ms. */
const startMs = () => (Number(new URLSearchParams(location.search).get("t")) || 0) * 1000;
