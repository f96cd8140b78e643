// @ts-check
/** A short tone, so that the start of a recording is heard as well as seen. */

const HERTZ = 880;
const SECONDS = 0.25;
const LOUD = 0.12;

/** Play it; silent where the browser has not been tapped yet. */
export function playTone() {
  try {
    const context = new AudioContext();
    const source = new OscillatorNode(context, { frequency: HERTZ });
    const gain = new GainNode(context, { gain: 0 });
    // Faded in and out: a tone that begins at once clicks.
    gain.gain.linearRampToValueAtTime(LOUD, context.currentTime + 0.03);
    gain.gain.linearRampToValueAtTime(0, context.currentTime + SECONDS);
    source.connect(gain).connect(context.destination);
    source.onended = () => void context.close();
    source.start();
    source.stop(context.currentTime + SECONDS);
  } catch {
    return; // no audio output: the badge has to do
  }
}
