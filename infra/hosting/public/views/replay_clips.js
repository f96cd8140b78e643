// @ts-check
/** The clips of a recording: making one from where one listens, hearing and sharing them. */

import { clipPlayback, deleteClip, listClips, makeClip } from "../api/clips.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";
import { shareUrl } from "../components/share.js";
import { openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { clock } from "../format.js";
import { nearby } from "../http.js";
import { account } from "../session.js";
import { attempt } from "./controls.js";

const LENGTHS_S = [10, 20, 30, 60];
const USUAL_S = 30;
const LOOK_MS = 2000;

/** @typedef {import("../api/clips.js").Clip} Clip */

/** Below a replay; empty while there is no clip. */
export class ClipShelf {
  element = h("div", { class: "recordings", "data-testid": "clips" });
  #timer = 0;
  #gone = false;
  /** @type {Map<string, {shows: string, row: HTMLElement}>} By the clips' ids. */
  #rows = new Map();

  /**
   * @param {string} id Of the Space.
   * @param {object} options
   * @param {number} options.version Of the file that is heard.
   * @param {readonly string[]} options.hosts
   */
  constructor(id, { version, hosts }) {
    this.id = id;
    this.version = version;
    this.hosts = hosts;
  }

  async load() {
    const { clips } = await listClips(this.id);
    if (this.#gone) return;
    this.#draw(clips);
    clearTimeout(this.#timer);
    if (clips.some(({ state }) => state === "pending")) {
      this.#timer = window.setTimeout(() => void attempt(() => this.load()), LOOK_MS);
    }
  }

  destroy() {
    this.#gone = true;
    clearTimeout(this.#timer);
  }

  /** @param {number} startMs Where the clip begins. */
  ask(startMs) {
    const title = h("input", { maxlength: 70, "data-testid": "clip-title", autofocus: true });
    const length = h(
      "select",
      { "data-testid": "clip-length" },
      ...LENGTHS_S.map((s) => h("option", { value: s, selected: s === USUAL_S }, `${s} seconds`)),
    );
    const make = async () => {
      const wish = { version: this.version, start_ms: startMs, duration_ms: Number(length.value) * 1000 };
      await makeClip(this.id, { ...wish, title: title.value.trim() || null });
      toast("The clip is being made", { symbol: "check" });
      await this.load();
    };
    openSheet("Make a clip", {
      testid: "clip",
      content: (close) => [
        h("p", { class: "sheet__text" }, `From ${clock(startMs)}. Everybody who is heard in it must have agreed to clips.`),
        h("label", { class: "clip__field" }, "Length", length),
        h("label", { class: "clip__field" }, "Title", title),
        h(
          "div",
          { class: "sheet__actions" },
          button("Make the clip", {
            look: "primary",
            testid: "clip-make",
            onclick: () => attempt(async () => {
              await make();
              close();
            }),
          }),
        ),
      ],
    });
  }

  /** @param {Clip[]} clips Rows that show the same stay: one of them may be playing. */
  #draw(clips) {
    const before = this.#rows;
    this.#rows = new Map(clips.map((clip) => [clip.id, this.#kept(clip)]));
    const rows = [...this.#rows.values()].map(({ row }) => row);
    if (rows.every((row, index) => row === this.element.children[index + 1]) && clips.length === before.size) return;
    this.element.replaceChildren(...(clips.length ? [h("h2", {}, "Clips"), ...rows] : []));
    const wanted = new URLSearchParams(location.search).get("clip") ?? "";
    if (before.size === 0) this.#rows.get(wanted)?.row.scrollIntoView({ block: "center" });
  }

  /** @param {Clip} clip */
  #kept(clip) {
    const shows = JSON.stringify(clip);
    const old = this.#rows.get(clip.id);
    return old?.shows === shows ? old : { shows, row: this.#row(clip) };
  }

  /** @param {Clip} clip */
  #row(clip) {
    const uid = account()?.uid ?? "";
    const mine = clip.made_by === uid || this.hosts.includes(uid);
    return h(
      "article",
      { class: "recordings__row", data: { testid: "clip-row", state: clip.state } },
      h("h3", {}, clip.title ?? "A clip"),
      h("p", { class: "muted" }, about(clip)),
      h("div", { class: "recordings__acts" }, ...(clip.state === "ready" ? this.#play(clip) : []), mine && this.#delete(clip)),
    );
  }

  /** @param {Clip} clip */
  #play(clip) {
    const play = button("Play", {
      icon: "play",
      testid: "clip-play",
      onclick: () => attempt(async () => {
        const { audio_url: url } = await clipPlayback(this.id, clip.id);
        const audio = h("audio", { controls: true, "data-testid": "clip-audio" });
        audio.src = nearby(url);
        play.replaceWith(audio);
        await audio.play();
      }),
    });
    const share = () => shareUrl(`${location.origin}/s/${this.id}/recording?clip=${clip.id}`, clip.title ?? "A clip");
    return [play, button("Share the clip", { icon: "share", testid: "clip-share", onclick: share })];
  }

  /** @param {Clip} clip */
  #delete(clip) {
    const remove = () => attempt(async () => {
      await deleteClip(this.id, clip.id);
      await this.load();
    });
    return button("Delete the clip", { look: "quiet", testid: "clip-delete", onclick: remove });
  }
}

/** @param {Clip} clip */
function about({ state, start_ms: at, duration_ms: length }) {
  const words = { pending: "It is being made.", ready: "", failed: "It could not be made." };
  return [`${clock(at)}, ${Math.round(length / 1000)} seconds`, words[state]].filter(Boolean).join(" · ");
}
