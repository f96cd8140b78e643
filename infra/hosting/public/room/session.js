// @ts-check
/** One person in one Space: what they are, what they see, and what they may do. */

import * as api from "../api.js";
import { Problem } from "../http.js";
import { Connection } from "../media/connection.js";
import { Player } from "../media/player.js";
import { comeIn, goOut, renewListening } from "./doorway.js";
import { Emitter } from "./events.js";
import { RoomFeed } from "./feed.js";
import { Pulse } from "./pulse.js";
import { happenings, isNewer } from "./roster.js";
import { claim } from "./tabs.js";
import { Voice } from "./voice.js";

/** @typedef {import("../api.js").Role} Role */

/** @extends {Emitter<import("./events.js").RoomEvents>} */
export class RoomSession extends Emitter {
  role = /** @type {Role} */ ("listener");
  promoted = /** @type {"invited" | "asked" | null} the server put us on stage, we have not answered yet */ (null);
  blockedOnStage = false;
  room = /** @type {import("./roster.js").Room | null} */ (null);
  networks = /** @type {import("../media/whip.js").StageNetwork[]} told to hosts */ ([]);
  peakListeners = 0;
  #wish = /** @type {"speaker" | "listener"} */ ("listener");
  #gone = false;
  #release = () => {};

  /**
   * @param {import("../api.js").Space} space
   * @param {{uid: string, anonymous: boolean}} who
   */
  constructor(space, { uid, anonymous }) {
    super();
    this.space = space;
    this.uid = uid;
    this.anonymous = anonymous;
    this.voice = new Voice({
      tell: (muted) => api.changeParticipant(this.space.id, this.uid, { muted }),
      onlost: () => this.#microphoneLost(),
    });
    this.player = new Player();
    this.player.onblocked = () => this.emit("change", null);
    this.connection = new Connection({
      join: () => this.#join(),
      track: () => this.voice.track,
      player: this.player,
      renew: () => renewListening(this.space.id, this.anonymous),
      moved: () => this.#moved(),
      told: (message) => this.#told(message),
      refused: (problem) => this.#refuse(problem),
    });
    const needed = () => !this.connection.informed;
    this.feed = new RoomFeed({ needed, onroom: (room) => this.#seen(room) });
    this.pulse = new Pulse(this, (beat) => this.emit("beat", beat));
  }

  get state() {
    return this.connection.state;
  }

  get muted() {
    return this.voice.muted;
  }

  get onStage() {
    return this.role !== "listener";
  }

  get manages() {
    return this.role === "host" || this.role === "co_host";
  }

  /** Whether one may end the Space and appoint co-hosts. */
  get leads() {
    return this.role === "host" || this.room?.acting_host_id === this.uid;
  }

  /**
   * Enter, and stay until left, ended or refused.
   *
   * @param {Role} wish Somebody who is to talk is asked for the microphone.
   */
  async enter(wish) {
    if (wish === "host") this.role = wish;
    this.#wish = wish === "listener" ? "listener" : "speaker";
    this.#release = claim(this.space.id, this.uid, () =>
      this.#refuse(new Problem({ code: "replaced", status: 409 })),
    );
    this.pulse.start();
    void this.connection.run();
    if (wish !== "listener") await this.#openMicrophone();
  }

  /** Leave; the server learns of it even while the page goes away. */
  leave() {
    if (this.state !== "idle") void goOut(this.space.id);
    this.#quit();
  }

  /** End the Space for everyone. @throws {Problem} */
  async end() {
    this.space = await api.endSpace(this.space.id);
    this.#over();
  }

  /** @param {boolean} muted Oneself: heard at once, told to the server after, however slow. */
  async setMuted(muted) {
    if (!muted && !(await this.#openMicrophone())) return;
    if (this.#gone) return;
    this.voice.change(muted).catch((problem) => {
      this.emit("problem", problem);
      this.emit("change", null);
    });
    this.emit("change", null);
    this.emit("said", muted ? "You are muted." : "Your microphone is on.");
  }

  /** Go on stage where the Space lets us. @throws {Problem} */
  async takeStage() {
    await this.#openMicrophone();
    this.#wish = "speaker";
    const role = await this.connection.addStage().catch((problem) => {
      this.#demoted();
      throw problem;
    });
    if (role !== "listener") return;
    this.#demoted();
    throw new Problem({ code: "stage-by-invitation", status: 403 });
  }

  /** Step down; hearing goes on. @throws {Problem} */
  async leaveStage() {
    await api.changeParticipant(this.space.id, this.uid, { role: "listener" });
    this.#demoted();
  }

  /** @returns {Promise<import("../api.js").JoinAnswer>} */
  async #join() {
    const answer = await comeIn(this.space.id, { role: this.#wish, anonymous: this.anonymous });
    if (this.#gone) return answer; // whoever left has seen to it
    this.space = answer.space;
    this.feed.follow(answer.room_url);
    if (answer.muted || answer.role === "listener") this.voice.mute(true);
    // A microphone opens by a tap alone; until then the others should see that it is off.
    else if (this.muted) void this.setMuted(true);
    this.#set({ role: answer.role, blockedOnStage: answer.blocked_on_stage });
    return answer;
  }

  async #openMicrophone() {
    try {
      const track = await this.voice.open();
      if (this.#gone) this.voice.close(); // left while the browser asked
      await this.connection.whip?.use(track);
      return true;
    } catch (problem) {
      this.emit("problem", /** @type {Problem} */ (problem));
      return false;
    }
  }

  #moved() {
    if (this.state === "ended") this.#over();
    else this.emit("change", null);
  }

  /** @param {import("../media/whip.js").StageMessage} message */
  #told(message) {
    if (message.type === "room") this.#seen(message.room);
    if (message.type === "you") this.#standing(message);
    if (message.type === "network") this.#set({ networks: message.people });
    if (message.type === "closing" && message.reason === "demoted") this.#demoted();
  }

  /** @param {{role: Role, muted: boolean}} mine As the server has it. */
  #standing({ role, muted }) {
    if (role !== "listener") this.role = role;
    this.voice.obey(muted, () => {
      this.emit("problem", new Problem({ code: "muted-by-host", status: 0 }));
      this.emit("change", null);
    });
    this.emit("change", null);
  }

  /** @param {import("./roster.js").Room} room */
  #seen(room) {
    if (!isNewer(this.room, room)) return;
    const before = this.room;
    this.room = room;
    this.connection.understudy.follow(room);
    this.peakListeners = Math.max(this.peakListeners, room.listener_count);
    for (const sentence of happenings(before, room, this.uid)) this.emit("said", sentence);
    if (room.state === "ended") return this.#over();
    const staged = room.stage.some(({ uid }) => uid === this.uid);
    if (staged && !this.onStage && !this.promoted) void this.#askStanding();
    if (!staged) this.promoted = null;
    this.emit("change", null);
  }

  async #askStanding() {
    const mine = await api.myStanding(this.space.id).catch(() => null);
    if (mine?.on_stage && !this.onStage) this.#set({ promoted: mine.speak_request === "accepted" ? "asked" : "invited" });
  }

  #demoted() {
    this.#wish = "listener";
    this.connection.dropStage();
    this.voice.close();
    this.#set({ role: "listener", promoted: null });
  }

  #microphoneLost() {
    this.voice.close();
    void this.setMuted(true);
    this.emit("problem", new Problem({ code: "mic-missing", status: 0 }));
  }

  #over() {
    if (this.#gone) return;
    this.#quit();
    this.emit("over", null);
  }

  /** @param {Problem} problem */
  #refuse(problem) {
    this.#quit();
    this.emit("refused", problem);
  }

  /** Free everything; the server is not told. */
  #quit() {
    this.#gone = true;
    this.#release();
    this.pulse.stop();
    this.feed.stop();
    this.connection.close();
    this.voice.close();
    this.player.close();
  }

  /** @param {Partial<Pick<RoomSession, "role" | "promoted" | "blockedOnStage" | "networks">>} values */
  #set(values) {
    const before = this.onStage;
    Object.assign(this, values);
    if (before !== this.onStage) this.emit("said", this.onStage ? "You are on stage." : "You are in the audience.");
    this.emit("change", null);
  }
}
