// @ts-check
/** One person's media in one Space: joins, hears, talks, and comes back by itself. */

import { backoffMs, pause, unhurriedMs } from "./backoff.js";
import { REPLACED } from "./exchange.js";
import { nextState, WAITING } from "./states.js";
import { Understudy } from "./understudy.js";
import { endOf, FULL, verdictOf } from "./verdict.js";
import { Whep } from "./whep.js";
import { Whip } from "./whip.js";
import { Problem } from "../http.js";

const ASK_MS = 3000; // a rejoin waits for the worker to say whose the session is now
const BLOCKED_AFTER = 2; // sessions in a row without sound are no accident

/**
 * @typedef {object} Ports What a connection needs from its owner.
 * @property {() => Promise<import("../api.js").JoinAnswer>} join Called for every attempt.
 * @property {() => MediaStreamTrack | null} track The microphone, if there is one.
 * @property {import("./player.js").Player} player
 * @property {() => Promise<import("../api.js").ListenPass>} renew
 * @property {(state: import("./states.js").MediaState) => void} moved
 * @property {(message: import("./whip.js").StageMessage) => void} told
 * @property {(problem: Problem) => void} refused Ended for good; the state is "failed".
 */

export class Connection {
  /** @type {import("./states.js").MediaState} Of WebRTC. */
  #state = "idle";
  /** @type {Whep | null} */
  whep = null;
  /** @type {Whip | null} */
  whip = null;
  /** Of the latest join: shows that we were let in. */
  grant = "";
  #stop = new AbortController();
  #silent = 0; // sessions in a row that were granted and never carried anything
  /** @type {(error: Error) => void} Ends the present attempt. */
  #lose = () => undefined;
  #hurry = new AbortController(); // ends a wait for the next attempt
  #urgent = false;
  /** @type {import("../api.js").JoinAnswer | null} Of a join that nobody has used yet. */
  #answer = null;

  /** @param {Ports} ports */
  constructor(ports) {
    this.ports = ports;
    const { player, renew } = ports;
    const refused = () => this.#hurry.abort();
    this.understudy = new Understudy({ player, renew, changed: () => this.#relieved(), refused });
  }

  /** What a person notices: whether they hear, by whatever way. */
  get state() {
    return this.delayed ? "live" : this.#state;
  }

  /** Whether one hears by HLS, a few seconds late. */
  get delayed() {
    return this.understudy.playing && WAITING.has(this.#state);
  }

  /** Join, and keep joined until `close`, the end of the Space, or a refusal. */
  async run() {
    this.#move("join");
    // Another network may have what this one lacks.
    window.addEventListener("online", () => this.#tryNow(), { signal: this.#stop.signal });
    for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
      try {
        await this.#live(() => (attempt = -1));
      } catch (error) {
        if (await this.#over(error)) return;
        const { retryAfterMs } = error instanceof Problem ? error : {};
        const nth = this.blocked ? Infinity : Math.max(attempt, 0);
        const unhurried = this.delayed || error === FULL;
        const leastMs = unhurried ? unhurriedMs(Math.max(attempt, 0)) : retryAfterMs;
        await this.#wait(backoffMs(nth, { retryAfterMs: leastMs }));
      }
    }
  }

  /** Whether the worker tells us of changes at once, so that nobody need ask. */
  get informed() {
    return this.whip?.informed ?? false;
  }

  /** Whether requests get through and sound does not: a network without UDP, mostly. */
  get blocked() {
    return this.#silent >= BLOCKED_AFTER && !this.delayed;
  }

  /**
   * Go on stage: hearing goes on, talking comes on top.
   *
   * @returns {Promise<import("../api.js").Role>} "listener" where the Space says no.
   * @throws {Problem}
   */
  async addStage() {
    const answer = await this.#join();
    if (this.#state !== "live") {
      this.#answer = answer; // for the next attempt, which is now
      this.#lose(new Error("promoted"));
      this.#hurry.abort();
    } else if (answer.whip_url && !this.whip && !this.#stop.signal.aborted) {
      await this.#talk(answer).catch((error) => this.#lose(error));
    }
    return answer.role;
  }

  /** Leave the stage; hearing goes on. */
  dropStage() {
    void this.whip?.close();
    this.whip = null;
  }

  /** Leave; harmless in every state. */
  close() {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.understudy.stop();
    void this.#release();
    if (this.#state !== "idle") this.#move("leave");
  }

  /**
   * One attempt; rejects with why it ended.
   *
   * @param {() => void} onUp
   */
  async #live(onUp) {
    const lost = new Promise((_, reject) => (this.#lose = reject));
    lost.catch(() => undefined); // it may be lost before anybody waits
    const answer = this.#answer ?? (await this.#join());
    this.#answer = null;
    if (this.#stop.signal.aborted) return;
    this.#move("granted");
    await Promise.all([
      this.#hear(answer),
      answer.whip_url ? this.#talk(answer) : undefined,
    ]);
    if (this.#stop.signal.aborted) return;
    this.#silent = 0;
    this.#move("up");
    onUp();
    await lost;
  }

  async #join() {
    const answer = await this.ports.join();
    this.grant = answer.grant;
    // Whoever left meanwhile would have a player that nobody stops.
    if (!this.#stop.signal.aborted) this.understudy.offer(answer.hls_url, { alone: !answer.whep_url });
    return answer;
  }

  /** @param {import("../api.js").JoinAnswer} answer */
  async #hear(answer) {
    if (!answer.whep_url) throw FULL;
    const whep = new Whep(answer.ice_servers);
    this.whep = whep;
    whep.onlost = () => this.#lose(new Error("media stopped"));
    await whep.open(answer.whep_url, answer.grant, this.#stop.signal);
    this.understudy.stop();
    void this.ports.player.play(whep.receiver.track);
  }

  /** @param {import("../api.js").JoinAnswer} answer */
  async #talk(answer) {
    const whip = new Whip(answer.ice_servers, this.ports.track());
    this.whip = whip;
    whip.onlost = () => this.#lose(new Error("media stopped"));
    whip.onmessage = (message) => this.#told(message);
    await whip.open(answer.whip_url ?? "", answer.grant, this.#stop.signal);
  }

  /** @param {import("./whip.js").StageMessage} message */
  #told(message) {
    this.ports.told(message);
    if (message.type !== "closing") return;
    const end = endOf(message.reason);
    if (end) this.#lose(end);
    else this.dropStage();
  }

  /**
   * Free what a failed attempt held, and learn whether there will be another: where
   * another device took our place, a rejoin would take it back, and so for ever.
   *
   * @param {unknown} error
   */
  async #over(error) {
    const released = this.#release();
    if (this.#settled(error)) return true;
    const replaced = await Promise.race([released, pause(ASK_MS, this.#stop.signal)]);
    return replaced === true && this.#settled(new Problem({ code: REPLACED, status: 409 }));
  }

  /**
   * @param {unknown} error Of a failed attempt.
   * @returns {boolean} Whether there will be no other.
   */
  #settled(error) {
    if (this.#stop.signal.aborted) return true;
    if (this.#state !== "live" && !(error instanceof Problem)) this.#silent += 1;
    const verdict = verdictOf(error);
    if (verdict === "retry") this.#move("lost");
    if (verdict === "ended") this.#move("end");
    if (verdict === "refused") {
      this.#move("refuse");
      this.ports.refused(/** @type {Problem} */ (error));
    }
    return verdict !== "retry";
  }

  /** @returns {Promise<boolean>} Whether another device of ours has taken our place. */
  async #release() {
    const closing = [this.whep?.close(), this.whip?.close()];
    this.whep = null;
    this.whip = null;
    return (await Promise.all(closing)).includes(true);
  }

  /** @param {import("./states.js").MediaEvent} event */
  #move(event) {
    this.#state = nextState(this.#state, event);
    if (WAITING.has(this.#state)) this.understudy.need();
    else this.understudy.stop();
    this.ports.moved(this.state);
  }

  /** @param {number} ms Until the next attempt, unless something makes it urgent. */
  async #wait(ms) {
    const urgent = this.#urgent || this.#answer;
    this.#urgent = false;
    if (urgent) return;
    this.#hurry = new AbortController();
    await pause(ms, AbortSignal.any([this.#stop.signal, this.#hurry.signal]));
  }

  #tryNow() {
    this.#urgent = true;
    this.#hurry.abort();
  }

  /** The understudy began to play, or stopped: then WebRTC is urgent again. */
  #relieved() {
    if (!this.understudy.playing) this.#hurry.abort();
    if (!this.#stop.signal.aborted) this.ports.moved(this.state);
  }
}
