// @ts-check
/** Ten times a second: who is talking, and how loud. */

import { talkers } from "./roster.js";

const INTERVAL_MS = 100;
const HOLD_MS = 350; // a ring that flickers between syllables is noise
const UNMETERED_LEVEL = 0.4; // HLS: who talks is known, how loud is not
const OWN_TALK_LEVEL = 0.3; // of 1, about -43 dBFS: louder than a quiet room

/**
 * @typedef {object} Beat
 * @property {ReadonlySet<string>} talking uids.
 * @property {(uid: string) => number} level 0 to 1.
 */

export class Pulse {
  /**
   * @param {import("./session.js").RoomSession} session Asked at every beat.
   * @param {(beat: Beat) => void} onbeat
   */
  constructor(session, onbeat) {
    this.session = session;
    this.onbeat = onbeat;
    /** @type {Map<string, number>} uid to when it was last heard, in ms. */
    this.heard = new Map();
    this.csrcSeen = false;
    this.timer = 0;
  }

  start() {
    this.timer = window.setInterval(() => this.#beat(performance.now()), INTERVAL_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  /** @param {number} nowMs */
  #beat(nowMs) {
    const { room, uid: ownUid, voice, player } = this.session;
    if (!room) return;
    const ownLevel = voice.level(); // 0 while muted
    for (const uid of this.#others(room)) if (uid !== ownUid) this.heard.set(uid, nowMs);
    if (ownLevel >= OWN_TALK_LEVEL) this.heard.set(ownUid, nowMs);
    for (const member of room.stage) if (member.muted) this.heard.delete(member.uid);
    for (const [uid, atMs] of this.heard) if (nowMs - atMs > HOLD_MS) this.heard.delete(uid);
    const mixLevel = player.meter?.level() ?? UNMETERED_LEVEL;
    this.onbeat({
      talking: new Set(this.heard.keys()),
      level: (uid) => (uid === ownUid ? ownLevel : mixLevel),
    });
  }

  /** @param {import("./roster.js").Room} room */
  #others(room) {
    const csrcs = this.session.connection.whep?.contributing() ?? null;
    this.csrcSeen ||= Boolean(csrcs?.length);
    return talkers(room, this.csrcSeen ? csrcs : null);
  }
}
