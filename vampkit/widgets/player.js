// Sounds that run together: switching keeps the place, a loop runs without a gap, and a new sound may come in at a bar line.
import { heardAt, placeInLoop, untilBar } from "./geometry.js";
import { FADE, Fader } from "./fade.js";

const KEPT = 16; // decoded sounds; the one unused longest goes first

export class Deck {
  constructor(onmove) { this.buffers = new Map(); this.position = 0; this.chosen = null; this.playing = null; this.wanted = false; this.loop = null; this.looping = true; this.length = 0; this.beside = null; this.onmove = onmove; }

  async context() {
    window.vampkitSound ??= new AudioContext(); // one for the page, as the listening cells have
    await window.vampkitSound.resume();
    return window.vampkitSound;
  }
  has(id) { return this.buffers.has(String(id)); }
  async add(id, bytes) {
    const audio = window.vampkitSound ?? new OfflineAudioContext(1, 1, 44100), buffer = await audio.decodeAudioData(bytes.slice().buffer);
    this.buffers.delete(String(id)); this.buffers.set(String(id), buffer);
    for (const old of [...this.buffers.keys()]) if (this.buffers.size > KEPT && old !== String(this.chosen) && old !== "0" && !this.playing?.lanes.has(old)) this.buffers.delete(old);
    return buffer;
  }
  drop(id) { this.buffers.delete(String(id)); const lane = this.playing?.lanes.get(String(id)); if (lane && String(id) !== String(this.chosen)) this.end(String(id), lane); }
  bounds() { return this.looping ? (this.loop ?? [0, this.length]) : [0, 0]; }
  now(at = this.playing?.context.currentTime) {
    if (!this.playing) return this.position;
    return placeInLoop(this.playing.from, Math.max(0, at - this.playing.zero), ...this.bounds(), this.length);
  }
  // Where the sound is that is heard at a moment of the page's clock, such as the time of a key: what the audio clock counts now is on its way to the ear.
  heard(at) {
    const context = this.playing?.context;
    return context ? this.now(heardAt(at, performance.now(), context.currentTime, context.getOutputTimestamp?.(), context.outputLatency || context.baseLatency || 0)) : this.position;
  }
  // Starts a sound so that it is where all others are at the time `when`.
  lane(id, when, gain) {
    const { context, lanes, master } = this.playing, buffer = id === "beside" ? this.beside : this.buffers.get(id), fader = new Fader(context, gain);
    const source = new AudioBufferSourceNode(context, { buffer }), [start, end] = this.bounds();
    if (end > start) Object.assign(source, { loop: true, loopStart: start, loopEnd: Math.min(end, buffer.duration) });
    source.connect(fader.node); fader.node.connect(master.node);
    source.start(when, Math.min(this.now(when), buffer.duration));
    const lane = { source, fader };
    lanes.set(id, lane);
    return lane;
  }
  end(id, lane, when = this.playing.context.currentTime) { lane.fader.fade(0, when); lane.source.stop(when + FADE + 0.02); lane.source.onended = () => lane.fader.node.disconnect(); if (this.playing?.lanes.get(id) === lane) this.playing.lanes.delete(id); }

  // `wanted` is so from the call on, `playing` once the browser lets sound begin: who pauses in between does not want it any more.
  async play() {
    if (this.playing || !this.has(this.chosen)) return;
    this.wanted = true;
    const context = await this.context(), [start, end] = this.bounds();
    if (this.playing || !this.wanted || !this.has(this.chosen)) return;
    document.dispatchEvent(new CustomEvent("vampkit-play", { detail: this }));
    if (this.position >= this.length - 0.01 || (end > start && (this.position < start || this.position >= end))) this.position = end > start ? start : 0;
    const master = new Fader(context, 0);
    master.node.connect(context.destination);
    this.playing = { context, master, lanes: new Map(), zero: context.currentTime + 0.03, from: this.position };
    this.lane(String(this.chosen), this.playing.zero, 1);
    if (this.beside) this.lane("beside", this.playing.zero, 1);
    master.fade(1);
    this.tick();
  }
  tick() {
    if (!this.playing) return;
    if (!this.looping && this.now() >= this.length) { this.halt(); this.position = this.length; }
    this.onmove(this.now());
    if (this.playing) this.frame = requestAnimationFrame(() => this.tick());
  }
  halt() {
    this.wanted = false;
    if (!this.playing) return;
    this.position = this.now();
    const { context, master, lanes } = this.playing;
    this.playing = null;
    cancelAnimationFrame(this.frame);
    master.fade(0);
    for (const lane of lanes.values()) lane.source.stop(context.currentTime + FADE + 0.02);
    setTimeout(() => master.node.disconnect(), 200);
    this.onmove(this.position);
  }
  seek(to) {
    const was = this.wanted;
    this.halt();
    this.position = Math.min(this.length, Math.max(0, to));
    this.onmove(this.position);
    if (was) this.play();
  }
  setLoop(loop, looping = this.looping) {
    const place = this.now(), was = this.wanted;
    if (was) this.halt();
    Object.assign(this, { loop, looping, position: place });
    if (was) this.play();
  }
  // Switches at the playhead; while it plays one sound fades into the other.
  choose(id) {
    const key = String(id);
    if (key === String(this.chosen) || !this.has(id)) { if (this.has(id) || !this.playing) this.chosen = id; return; }
    const before = String(this.chosen);
    this.chosen = id;
    if (!this.playing) return;
    const at = this.playing.context.currentTime + 0.01, old = this.playing.lanes.get(before);
    this.lane(key, at, 0).fader.fade(1, at);
    if (old) this.end(before, old, at);
  }
  // Live: the sound comes in at the next bar line. Calls `heard` then; at once where nothing plays.
  enter(id, bars, heard) {
    if (!this.playing) { this.chosen = id; return heard(); }
    const { context, lanes } = this.playing, before = String(this.chosen), key = String(id), soon = context.currentTime + 0.06;
    const at = soon + untilBar(this.now(soon), bars, ...(this.looping ? this.bounds() : [0, this.length])), old = lanes.get(before), playing = this.playing;
    if (before !== key) { this.lane(key, at, 0).fader.fade(1, at); if (old) this.end(before, old, at); }
    this.chosen = id;
    setTimeout(() => this.playing === playing && heard(), Math.max(0, (at - context.currentTime) * 1000));
  }
  // A sound that runs along with whatever is heard, such as clicks; null for none.
  setBeside(buffer) {
    const at = this.playing?.context.currentTime + 0.01, old = this.playing?.lanes.get("beside");
    if (old) this.end("beside", old, at);
    this.beside = buffer;
    if (this.playing && buffer) this.lane("beside", at, 0).fader.fade(1, at);
  }
  close() { this.halt(); this.buffers.clear(); }
}
