// Fades without clicks, for the listening cell and for the studio.
export const FADE = 0.025; // seconds: short enough to compare, long enough not to click
const shape = (from, to) => Float32Array.from({ length: 33 }, (_, i) => from + (to - from) * (0.5 - 0.5 * Math.cos((Math.PI * i) / 32)));

// A gain that is faded along a raised cosine, also from the middle of another fade; `at` may lie ahead.
export class Fader {
  constructor(context, value) { this.node = context.createGain(); this.node.gain.value = value; this.context = context; this.from = this.to = value; this.start = -1; }
  value(at) { const u = Math.min(1, Math.max(0, (at - this.start) / FADE)); return this.from + (this.to - this.from) * (0.5 - 0.5 * Math.cos(Math.PI * u)); }
  fade(to, at = this.context.currentTime) {
    const value = this.value(at), gain = this.node.gain;
    Object.assign(this, { from: value, to, start: at });
    gain.cancelScheduledValues(at);
    gain.setValueAtTime(value, at);
    gain.setValueCurveAtTime(shape(value, to), at, FADE);
  }
}
