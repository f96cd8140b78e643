// @ts-check
/** How loud a stream is, for the rings around people. */

const FLOOR_DB = -55;
const CEILING_DB = -15;

/** @type {AudioContext | null} One for the page: browsers allow few. */
let shared = null;

export class Meter {
  /** @param {MediaStream} stream */
  constructor(stream) {
    shared ??= new AudioContext();
    this.context = shared;
    this.analyser = new AnalyserNode(shared, { fftSize: 1024 });
    this.source = new MediaStreamAudioSourceNode(shared, { mediaStream: stream });
    this.source.connect(this.analyser);
    this.samples = new Float32Array(this.analyser.fftSize);
  }

  resume() {
    return this.context.state === "suspended" ? this.context.resume() : undefined;
  }

  /** @returns {number} 0 (silence) to 1 (loud speech). */
  level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    return levelOf(this.samples);
  }

  close() {
    this.source.disconnect();
  }
}

/**
 * @param {Float32Array} samples -1 to 1.
 * @returns {number} 0 to 1, linear in decibels between -55 and -15 dBFS.
 */
export function levelOf(samples) {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  const db = 10 * Math.log10(energy / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}
