// Painting on canvases: palettes for light and dark, and one function for each layer. What is drawn where is arithmetic of geometry.js.
import { xOf, frameAt, tickStep, seconds } from "./geometry.js";

export const INK = {
  light: {
    ground: "#ffffff", strip: "#f4f6f8", line: "rgba(30,41,59,.13)", beat: "rgba(30,41,59,.22)", bar: "rgba(30,41,59,.5)", text: "#475569", strong: "#0f172a", wave: "#64748b",
    kept: [[205, 214, 226], [109, 126, 150]], made: [[253, 226, 170], [222, 160, 70]], fresh: [[244, 140, 80], [190, 60, 10]], hidden: "rgba(15,139,141,.30)", hatch: "#0f8b8d", blank: [226, 231, 238], lane: "#0b6b6d",
    select: "#b4530a", head: "#c2410c", mel: [[244, 246, 248], [176, 196, 214], [78, 110, 148], [30, 42, 84], [15, 15, 40]],
  },
  dark: {
    ground: "#14171c", strip: "#1b2027", line: "rgba(226,232,240,.12)", beat: "rgba(226,232,240,.22)", bar: "rgba(226,232,240,.5)", text: "#a8b3c2", strong: "#f1f5f9", wave: "#8b9bb0",
    kept: [[62, 75, 94], [150, 167, 190]], made: [[130, 88, 34], [214, 160, 86]], fresh: [[235, 110, 50], [255, 170, 110]], hidden: "rgba(34,178,176,.20)", hatch: "#2bb3b1", blank: [44, 51, 61], lane: "#2bb3b1",
    select: "#fbbf24", head: "#fb923c", mel: [[20, 23, 28], [42, 44, 86], [112, 60, 120], [226, 120, 88], [254, 226, 160]],
  },
};

// Light or dark, from the colour the page writes in.
export function theme(element) {
  const [r, g, b] = (getComputedStyle(element).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  return 0.3 * r + 0.59 * g + 0.11 * b > 127 ? "dark" : "light";
}

export function ramp(stops, u) {
  const place = Math.min(0.9999, Math.max(0, u)) * (stops.length - 1), i = Math.floor(place), w = place - i;
  return stops[i].map((v, c) => Math.round(v + (stops[i + 1][c] - v) * w));
}
const packed = ([r, g, b], a = 255) => ((a << 24) | (b << 16) | (g << 8) | r) >>> 0;
const table = (stops, count) => Uint32Array.from({ length: count }, (_, i) => packed(ramp(stops, i / (count - 1))));

// A canvas that follows its size in the page at the screen's resolution; `context` draws in page pixels.
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1, w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; canvas.style.width = `${width}px`; canvas.style.height = `${height}px`; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

// Cells of a stretch of frames as two small pictures, one pixel a cell (or a few frames of a row, where cells are narrower than a pixel): colours, and how much is hidden.
export class CellPainter {
  constructor() { this.colours = document.createElement("canvas"); this.hidden = document.createElement("canvas"); this.layer = document.createElement("canvas"); }

  palette(name) {
    if (this.name === name) return;
    const ink = INK[name];
    Object.assign(this, { name, ink, kept: table(ink.kept, 64), made: table(ink.made, 64), fresh: table(ink.fresh, 64), heat: table(ink.mel, 256), blank: packed(ink.blank) });
    const tile = document.createElement("canvas"), ratio = window.devicePixelRatio || 1, size = Math.round(7 * ratio);
    tile.width = tile.height = size;
    const context = tile.getContext("2d");
    context.fillStyle = ink.hidden; context.fillRect(0, 0, size, size);
    context.strokeStyle = ink.hatch; context.lineWidth = 1.5 * ratio; context.beginPath();
    for (const shift of [-size, 0, size]) { context.moveTo(shift - 1, size + 1); context.lineTo(shift + size + 1, -1); }
    context.stroke();
    this.tile = tile;
  }

  build({ rows, frames, mask, codes, made, values, entries }, first, end, stride) {
    const columns = Math.ceil((end - first) / stride), count = columns * rows;
    if (this.colours.width !== columns || this.colours.height !== rows || !this.cells) {
      for (const canvas of [this.colours, this.hidden]) { canvas.width = columns; canvas.height = rows; }
      this.cells = new ImageData(columns, rows); this.veil = new ImageData(columns, rows);
      this.cellWords = new Uint32Array(this.cells.data.buffer); this.veilWords = new Uint32Array(this.veil.data.buffer);
    }
    const { cellWords, veilWords, kept, blank } = this, shift = entries > 64 ? Math.log2(entries / 64) | 0 : 0;
    for (let row = 0, i = 0; row < rows; row++) {
      for (let column = 0, t = row * frames + first; column < columns; column++, i++) {
        const stop = Math.min(t + stride, row * frames + end);
        let hidden = 0, shown = -1;
        for (let at = t; at < stop; at++) { if (mask[at]) hidden++; else if (shown < 0) shown = at; }
        cellWords[i] = shown < 0 ? 0 : values ? this.heat[values[shown]] : !codes ? blank : (!made?.[shown] ? kept : made[shown] === 2 ? this.fresh : this.made)[Math.min(63, codes[shown] >> shift)];
        veilWords[i] = (((255 * hidden) / (stop - t)) << 24) >>> 0;
        t = stop;
      }
    }
    this.colours.getContext("2d").putImageData(this.cells, 0, 0);
    this.hidden.getContext("2d").putImageData(this.veil, 0, 0);
    return count;
  }

  // Draws the grid into the box (x, y, width, height) of `context`.
  paint(context, grid, view, box) {
    const ratio = window.devicePixelRatio || 1, { rows, frames } = grid;
    const first = Math.max(0, Math.floor(view.first)), end = Math.min(frames, Math.ceil(view.first + box.width / view.scale));
    if (end <= first) return;
    const stride = Math.max(1, Math.floor(1 / (view.scale * ratio)));
    this.build(grid, first, end, stride);
    const left = box.x + xOf(view, first), wide = Math.ceil((end - first) / stride) * stride * view.scale;
    const layer = fitCanvas(this.layer, box.width, box.height);
    layer.globalCompositeOperation = "copy"; layer.imageSmoothingEnabled = false;
    layer.drawImage(this.hidden, left - box.x, 0, wide, box.height);
    layer.globalCompositeOperation = "source-in"; layer.setTransform(1, 0, 0, 1, 0, 0);
    layer.fillStyle = layer.createPattern(this.tile, "repeat"); layer.fillRect(0, 0, this.layer.width, this.layer.height);
    context.save(); context.beginPath(); context.rect(box.x, box.y, box.width, box.height); context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(this.colours, left, box.y, wide, box.height);
    context.drawImage(this.layer, box.x, box.y, box.width, box.height);
    context.fillStyle = this.ink.ground;
    const high = box.height / rows;
    if (high > 5) for (let row = 1; row < rows; row++) { const thick = row === grid.coarse ? 3 : 1; context.fillRect(box.x, Math.round(box.y + row * high) - (thick >> 1), box.width, thick); }
    if (view.scale >= 5) for (let t = first + 1; t < end; t++) context.fillRect(Math.round(box.x + xOf(view, t)) - 0.5, box.y, 1, box.height);
    context.restore();
  }
}

export function melPicture(bytes, bands, columns, name) {
  const canvas = document.createElement("canvas"), colours = table(INK[name].mel, 256), image = new ImageData(columns, bands), words = new Uint32Array(image.data.buffer);
  canvas.width = columns; canvas.height = bands;
  for (let i = 0; i < words.length; i++) words[i] = colours[bytes[i]];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

export function paintMel(context, picture, view, box, framesOfSound) {
  const scale = picture.width / framesOfSound, from = view.first * scale, width = (box.width / view.scale) * scale;
  const shown = Math.min(width, picture.width - from);
  context.imageSmoothingEnabled = true;
  context.drawImage(picture, from, 0, shown, picture.height, box.x, box.y, (box.width * shown) / width, box.height);
}

export function paintWave(context, wave, columns, view, box, framesOfSound, ink) {
  const middle = box.y + box.height / 2, reach = box.height / 2 - 3, scale = columns / framesOfSound;
  context.fillStyle = ink.wave;
  for (let x = 0; x < box.width; x++) {
    const a = Math.floor(frameAt(view, x) * scale), b = Math.min(columns, Math.max(a + 1, Math.floor(frameAt(view, x + 1) * scale)));
    let low = 127, high = -127;
    for (let i = a; i < b; i++) { low = Math.min(low, wave[i]); high = Math.max(high, wave[columns + i]); }
    if (high >= low) context.fillRect(box.x + x, middle - (reach * high) / 127, 1, Math.max(1, (reach * (high - low)) / 127));
  }
}

// Seconds on a ruler, bars and beats as lines through everything below it.
export function paintTime(context, view, box, frame, times, ink, bottom) {
  const step = tickStep(view.scale / frame), x = (s) => box.x + xOf(view, s / frame), last = frameAt(view, box.width) * frame;
  const lines = (list, colour, width, top) => { context.fillStyle = colour; for (const s of list) { const at = x(s); if (at >= box.x && at <= box.x + box.width) context.fillRect(Math.round(at) - width / 2, top, width, bottom - top); } };
  const far = (list, least) => list.length < 2 || ((x(list[list.length - 1]) - x(list[0])) / (list.length - 1)) > least;
  if (far(times.onsets, 6) && !times.beats.length) lines(times.onsets, ink.beat, 1, box.y + box.height);
  if (far(times.beats, 6)) lines(times.beats, ink.beat, 1, box.y + box.height);
  lines(times.bars, ink.bar, 1, box.y + box.height - 7);
  context.font = "11px system-ui, sans-serif"; context.textBaseline = "middle"; context.fillStyle = ink.text; context.textAlign = "left";
  for (let n = Math.ceil((view.first * frame) / step - 1e-6); n * step <= last + 1e-9; n++) {
    const at = x(n * step), label = seconds(n * step, step);
    context.fillRect(Math.round(at) - 0.5, box.y + box.height - 5, 1, 5);
    if (at + 4 + context.measureText(label).width < box.x + box.width) context.fillText(label, at + 4, box.y + box.height / 2 - 1);
  }
}
