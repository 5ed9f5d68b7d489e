// Arithmetic of grid, time axis and loop, without a page: tested by node. The first part is cells.py once more, for the echo of a gesture.

export function unpack(bytes, count) {
  const mask = new Uint8Array(count);
  for (let i = 0; i < count; i++) mask[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  return mask;
}

export function pack(mask) {
  const bytes = new Uint8Array(Math.ceil(mask.length / 8));
  for (let i = 0; i < mask.length; i++) if (mask[i]) bytes[i >> 3] |= 128 >> (i & 7);
  return bytes;
}

export function toText(mask, rows, frames) {
  const lines = [];
  for (let row = 0; row < rows; row++) {
    const spans = [];
    for (let t = 0, from = -1; t <= frames; t++) {
      const on = t < frames && mask[row * frames + t];
      if (on && from < 0) from = t;
      if (!on && from >= 0) { spans.push(`${from}:${t}`); from = -1; }
    }
    lines.push(spans.join(" "));
  }
  const blocks = [];
  for (let row = 1, first = 0; row <= rows; row++) {
    if (row < rows && lines[row] === lines[first]) continue;
    if (lines[first]) blocks.push(`${first}:${row} ${lines[first]}`);
    first = row;
  }
  return blocks.join("; ");
}

export function line([r0, f0], [r1, f1]) {
  const n = Math.max(Math.abs(r1 - r0), Math.abs(f1 - f0));
  if (!n) return [[r0, f0]];
  return Array.from({ length: n + 1 }, (_, i) => [Math.floor((2 * (r0 * n + (r1 - r0) * i) + n) / (2 * n)), Math.floor((2 * (f0 * n + (f1 - f0) * i) + n) / (2 * n))]);
}

// points: sorted frames, first 0, last the number of frames; null is every frame.
export function segment(points, frame) {
  if (!points) return [frame, frame + 1];
  let low = 1, high = points.length - 1;
  while (low < high) { const middle = (low + high) >> 1; if (points[middle] > frame) high = middle; else low = middle + 1; }
  return [points[low - 1], points[low]];
}

export function nearest(points, frame) {
  if (!points) return frame;
  const [before, after] = segment(points, frame);
  return frame - before <= after - frame ? before : after;
}

export function snapRange(points, first, end) {
  const a = nearest(points, first), b = nearest(points, end);
  return a < b ? [a, b] : segment(points, first);
}

// Changes `mask` as Python will; `free[row]` says which rows may change. False where only Python can know the result.
export function apply(mask, rows, frames, op, free, points) {
  const before = mask.slice(), set = (row, t, on) => { if (row >= 0 && row < rows && t >= 0 && t < frames && free[row]) mask[row * frames + t] = on; };
  const box = (top, bottom, first, end, on) => {
    for (let row = Math.max(0, top); row < Math.min(rows, bottom); row++) if (free[row]) mask.fill(on, row * frames + Math.max(0, first), row * frames + Math.max(0, Math.min(frames, end)));
  };
  if (op.type === "paint") {
    const up = (op.height - 1) >> 1, left = (op.width - 1) >> 1, snap = op.snap ? points : null, on = op.hidden ? 1 : 0;
    let last = null;
    for (const cell of op.path) {
      for (const [row, t] of last ? line(last, cell) : [cell]) {
        let first = t - left, end = first + op.width;
        if (snap && end > 0 && first < frames) { first = segment(snap, Math.max(0, first))[0]; end = segment(snap, Math.min(frames - 1, end - 1))[1]; }
        box(row - up, row - up + op.height, first, end, on);
      }
      last = cell;
    }
  } else if (op.type === "rectangle") {
    const [first, end] = op.snap ? snapRange(points, ...op.frames) : op.frames;
    box(op.codebooks[0], op.codebooks[1], first, end, op.hidden ? 1 : 0);
  } else if (op.type === "column") {
    box(0, rows, ...(op.snap ? segment(points, op.frame) : [op.frame, op.frame + 1]), op.hidden ? 1 : 0);
  } else if (op.type === "invert") {
    for (let row = 0; row < rows; row++) for (let t = 0; t < frames; t++) set(row, t, 1 - before[row * frames + t]);
  } else if (op.type === "clear" || op.type === "fill") {
    box(0, rows, 0, frames, op.type === "fill" ? 1 : 0);
  } else if (op.type === "roll") {
    for (let row = 0; row < rows; row++) for (let t = 0; t < frames; t++) set(row, t, before[row * frames + ((((t - op.by) % frames) + frames) % frames)]);
  } else if (op.type === "repeat") {
    const { first, end } = op, length = end - first;
    for (let row = 0; row < rows; row++) for (let t = 0; t < frames; t++) set(row, t, before[row * frames + first + ((((t - first) % length) + length) % length)]);
  } else return false;
  return true;
}

// A view of the time axis: the frame at the left edge, and pixels a frame.
export function clampView(view, frames, width) {
  const least = width / frames, scale = Math.min(Math.max(view.scale, least), Math.max(least, 48));
  return { scale, first: Math.min(Math.max(view.first, 0), Math.max(0, frames - width / scale)) };
}
export const fit = (frames, width) => ({ first: 0, scale: width / frames });
export const frameAt = (view, x) => view.first + x / view.scale;
export const xOf = (view, frame) => (frame - view.first) * view.scale;
export function zoom(view, factor, x, frames, width) {
  const anchor = frameAt(view, x), scale = clampView({ first: 0, scale: view.scale * factor }, frames, width).scale;
  return clampView({ scale, first: anchor - x / scale }, frames, width);
}
export const pan = (view, pixels, frames, width) => clampView({ scale: view.scale, first: view.first + pixels / view.scale }, frames, width);
export function fitRange(first, end, frames, width) {
  const scale = clampView({ first: 0, scale: (0.9 * width) / Math.max(1, end - first) }, frames, width).scale;
  return clampView({ scale, first: (first + end) / 2 - width / scale / 2 }, frames, width);
}
export function reveal(view, frame, frames, width) {
  const shown = width / view.scale, margin = Math.min(4, shown / 8);
  if (frame < view.first + margin) return clampView({ ...view, first: frame - margin }, frames, width);
  if (frame + 1 > view.first + shown - margin) return clampView({ ...view, first: frame + 1 + margin - shown }, frames, width);
  return view;
}

export function tickStep(pixelsASecond, apart = 72) {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
  return steps.find((step) => step * pixelsASecond >= apart) ?? 1800;
}
export const clock = (s) => `${Math.floor(s / 60)}:${(s % 60).toFixed(2).padStart(5, "0")}`;
export const seconds = (s, step) => `${s.toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0)} s`;

// Sound: where a loop [start, end) stands after `elapsed` seconds from `from`, and how long until the next bar line inside it.
export function placeInLoop(from, elapsed, start, end, length) {
  const place = from + elapsed;
  if (!(end > start)) return Math.min(place, length);
  return place < end ? place : start + ((place - start) % (end - start));
}
export function untilBar(place, bars, start, end) {
  const inside = bars.filter((bar) => bar > start + 1e-6 && bar < end - 1e-6);
  const next = inside.find((bar) => bar > place + 1e-6);
  return (next ?? end) - place;
}

// The curve of a lane, bytes [rows, frames] from low to high, as Python will change it by a tap or a stroke of the pen; in the harmony but for the length of its frames. Empty without a curve.
export function changedCurve(bytes, { rows, low, high, frames, seconds }, op) {
  const code = (value) => Math.round((255 * (Math.min(high, Math.max(low, value)) - low)) / (high - low)), curve = bytes.length ? bytes.slice() : new Uint8Array(rows * frames).fill(code(0));
  if (op.type === "tap") {
    const place = Math.floor(op.time / seconds);
    for (const [t, part] of [[place - 1, 0.3], [place, 1], [place + 1, 0.5]]) for (let row = 0; row < rows && t >= 0 && t < frames; row++) curve[row * frames + t] = Math.max(curve[row * frames + t], code(part * (op.strength ?? 3)));
    return curve;
  }
  op.path.forEach((to, i) => {
    const from = op.path[Math.max(0, i - 1)], way = Math.sign(to[0] - from[0]) || 1;
    for (let t = from[0]; ; t += way) {
      const value = to[0] === from[0] ? to[1] : from[1] + ((to[1] - from[1]) * (t - from[0])) / (to[0] - from[0]);
      if (rows === 12) curve[Math.round(value) * frames + t] = op.erase ? 0 : 255;
      else for (let row = 0; row < rows; row++) curve[row * frames + t] = code(op.erase ? 0 : value);
      if (t === to[0]) break;
    }
  });
  return curve;
}

// Where the audio clock was for the sound that is heard at the moment `at` of the page's clock, which shows `now`. `stamp` is what the browser says has just left the speaker; without it, the sound is late by `latency` seconds.
export function heardAt(at, now, current, stamp, latency) {
  if (stamp?.performanceTime > 0) return stamp.contextTime + (at - stamp.performanceTime) / 1000;
  return current - latency - (now - at) / 1000;
}

// Short clicks at [second, height], samples at `rate`: high strokes are louder.
export function clicks(strokes, seconds, rate) {
  const samples = new Float32Array(Math.ceil(seconds * rate)), short = Math.round(0.03 * rate);
  for (const [second, height] of strokes) {
    const first = Math.round(second * rate), gain = 0.25 + 0.45 * Math.min(1, height / 6);
    for (let i = 0; i < short && first + i < samples.length; i++) samples[first + i] += gain * Math.exp((-200 * i) / rate) * Math.sin((2 * Math.PI * 1600 * i) / rate);
  }
  return samples;
}

export function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length)), text = (at, letters) => [...letters].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt "); view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((v, i) => view.setInt16(44 + 2 * i, Math.round(32767 * Math.min(1, Math.max(-1, v))), true));
  return new Uint8Array(view.buffer);
}
