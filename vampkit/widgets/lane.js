// One lane under the grid: its curve on a canvas, drawn by pointer or by keys. It shares the grid's view, so that frames stand below frames.
import { h } from "./dom.js";
import { changedCurve, frameAt, xOf } from "./geometry.js";
import { INK, fitCanvas } from "./draw.js";

export const HIGH = 84, CLASSES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const EDGE = 3, STROKE = 3, STEP = { rhythm: 0.5, loudness: 0.25 };

export function createLane(word, store, grid, signal, facts) {
  const base = h("canvas", { className: "vk-layer" }), top = h("canvas", { className: "vk-layer vk-top" });
  const pad = h("div", { className: "vk-pad", tabIndex: 0, role: "application", "aria-roledescription": "lane", "data-lane": word }, base, top);
  const harmony = word === "harmony", lane = () => facts().lanes[word], frames = () => store.sheet.frames;
  const cursor = { frame: 0, row: 0 };
  let curve = new Uint8Array(), pen = null, name = "light";
  pad.style.height = `${HIGH}px`;

  const span = () => lane().high - lane().low;
  const yOf = (value) => HIGH - EDGE - ((value - lane().low) / span()) * (HIGH - 2 * EDGE);
  const valueAt = (y) => (harmony ? Math.min(11, Math.max(0, Math.floor((HIGH - y) / (HIGH / 12)))) : Math.min(lane().high, Math.max(lane().low, lane().low + ((HIGH - EDGE - y) / (HIGH - 2 * EDGE)) * span())));
  const at = (row, frame) => (curve.length ? lane().low + (curve[row * frames() + frame] / 255) * span() : 0);
  const value = (frame) => (harmony ? at(cursor.row, frame) : Math.max(...Array.from({ length: lane().rows }, (_, row) => at(row, frame))));

  // A frame's column in whole pixels, so that no seams show between columns.
  const column = (view, t) => { const x = Math.round(xOf(view, t)); return [x, Math.max(1, Math.round(xOf(view, t + 1)) - x)]; };
  function drawBase() {
    const view = grid.view(), { width } = view, context = fitCanvas(base, width, HIGH), ink = INK[name], count = frames();
    context.fillStyle = ink.strip; context.fillRect(0, 0, width, HIGH);
    const first = Math.max(0, Math.floor(view.first)), end = Math.min(count, Math.ceil(view.first + width / view.scale));
    if (harmony) for (const row of [1, 3, 6, 8, 10]) { context.fillStyle = ink.line; context.fillRect(0, HIGH - ((row + 1) * HIGH) / 12, width, HIGH / 12); } // the black keys
    if (word === "loudness") { context.fillStyle = ink.line; context.fillRect(0, Math.round(yOf(0)), width, 1); }
    const times = { beats: [], bars: [], ...store.sheet.times };
    for (const [list, colour, least] of [[times.beats, ink.beat, 6], [times.bars, ink.bar, 4]]) {
      if (list.length > 1 && ((list[list.length - 1] - list[0]) / (list.length - 1) / store.sheet.frame) * view.scale < least) continue;
      context.fillStyle = colour;
      for (const s of list) { const x = xOf(view, s / store.sheet.frame); if (x > 0 && x < width) context.fillRect(Math.round(x) - 0.5, 0, 1, HIGH); }
    }
    if (curve.length) {
      context.fillStyle = lane().on ? ink.lane : ink.wave;
      if (harmony) {
        for (let row = 0; row < 12; row++) for (let t = first; t < end; t++) { const v = curve[row * count + t]; if (v > 12) { context.globalAlpha = v / 255; const [x, wide] = column(view, t); context.fillRect(x, HIGH - ((row + 1) * HIGH) / 12 + 0.5, wide, HIGH / 12 - 1); } }
      } else {
        // The bands one behind another, the highest palest.
        for (let row = lane().rows - 1; row >= 0; row--) { context.globalAlpha = [0.85, 0.4, 0.25][row]; for (let t = first; t < end; t++) { const y = yOf(at(row, t)); const [x, wide] = column(view, t); if (y < HIGH - EDGE) context.fillRect(x, y, wide, HIGH - y); } }
      }
      context.globalAlpha = 1;
    }
  }
  function trace(context, view, ink, path) {
    const y = (v) => (harmony ? HIGH - ((v + 0.5) * HIGH) / 12 : yOf(v)), x = (t) => xOf(view, t + 0.5);
    context.strokeStyle = context.fillStyle = ink.select; context.lineWidth = 2; context.lineJoin = "round";
    context.beginPath(); context.moveTo(x(path[0][0]), y(path[0][1]));
    for (const [t, v] of path.slice(1)) context.lineTo(x(t), y(v));
    context.stroke();
    context.beginPath(); context.arc(x(path[path.length - 1][0]), y(path[path.length - 1][1]), 3, 0, 7); context.fill();
  }
  function drawTop() {
    const view = grid.view(), context = fitCanvas(top, view.width, HIGH), ink = INK[name];
    context.clearRect(0, 0, view.width, HIGH);
    if (store.region.length) { context.fillStyle = ink.select; context.globalAlpha = 0.14; context.fillRect(xOf(view, store.region[2]), 0, (store.region[3] - store.region[2]) * view.scale, HIGH); context.globalAlpha = 1; }
    if (pen) trace(context, view, ink, pen.path);
    if (document.activeElement === pad) {
      const x = xOf(view, cursor.frame), wide = Math.max(3, view.scale), [y, high] = harmony ? [HIGH - ((cursor.row + 1) * HIGH) / 12, HIGH / 12] : [1, HIGH - 2];
      context.strokeStyle = ink.ground; context.lineWidth = 4; context.strokeRect(x - 1, y, wide + 2, high);
      context.strokeStyle = ink.strong; context.lineWidth = 2; context.strokeRect(x - 1, y, wide + 2, high);
    }
    if (store.head !== null) { const x = xOf(view, store.head / store.sheet.frame); context.fillStyle = ink.ground; context.fillRect(x - 2, 0, 4, HIGH); context.fillStyle = ink.head; context.fillRect(x - 1, 0, 2, HIGH); }
  }
  // As the grid's layers: 1 is what lies below, 4 what moves above.
  function draw(layers = 5, theme = name) {
    name = theme;
    if (!pad.offsetParent || !frames()) return;
    if (layers & 1) drawBase();
    if (layers & 4) drawTop();
  }

  // A click puts one stroke into the rhythm; a drag draws a line. Ctrl, Alt, the right button and the ink Erase take away.
  const put = (path, erase) => store.gesture({ type: "lane_draw", word, path, erase });
  const point = (event) => { const box = pad.getBoundingClientRect(); return [Math.min(frames() - 1, Math.max(0, Math.floor(frameAt(grid.view(), event.clientX - box.left)))), valueAt(event.clientY - box.top)]; };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button === 1 || pen) return;
    pad.focus({ preventScroll: true });
    pad.setPointerCapture(event.pointerId);
    pen = { path: [point(event)], erase: event.ctrlKey || event.altKey || event.button === 2 || store.tools.ink === "keep" };
    draw(4);
  }, { signal });
  pad.addEventListener("pointermove", (event) => {
    if (!pen) return;
    for (const each of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
      const next = point(each), last = pen.path[pen.path.length - 1];
      if (last[0] === next[0] && pen.path.length > 1) last[1] = next[1];
      else if (last[0] !== next[0] || last[1] !== next[1]) pen.path.push(next);
    }
    draw(4);
  }, { signal });
  const finish = (event) => {
    if (!pen) return;
    const { path, erase } = pen;
    pen = null;
    [cursor.frame] = path[path.length - 1];
    if (harmony) cursor.row = path[path.length - 1][1];
    if (event.type === "pointercancel") return draw(4);
    const still = path.every(([t]) => t === path[0][0]);
    if (still && word === "rhythm" && !erase) store.gesture({ type: "tap", time: (path[0][0] + 0.5) * store.sheet.frame, strength: Math.max(0.5, path[path.length - 1][1]) });
    else if (still && word === "rhythm") unstroke(path[0][0]);
    else put(path, erase);
    draw();
  };
  pad.addEventListener("pointerup", finish, { signal });
  pad.addEventListener("pointercancel", finish, { signal });
  // The grid zooms and scrolls for the lanes too.
  pad.addEventListener("wheel", (event) => { if (!grid.stage.dispatchEvent(new WheelEvent("wheel", event))) event.preventDefault(); }, { signal, passive: false });
  pad.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  // A stroke is three frames wide.
  const unstroke = (frame) => put([[Math.max(0, frame - 1), 0], [Math.min(frames() - 1, frame + 1), 0]], true);

  function say() {
    const s = (cursor.frame * store.sheet.frame).toFixed(2), v = value(cursor.frame);
    const words = harmony ? `${CLASSES[cursor.row]}, ${v > 0.1 ? "sounds" : "silent"}` : word === "rhythm" ? `height ${v.toFixed(1)}` : `${(10 * v).toFixed(0)} decibels`;
    store.announce(`frame ${cursor.frame}, ${s} seconds, ${words}`);
  }
  const set = (v) => put([[cursor.frame, Math.min(lane().high, Math.max(lane().low, v))]], false);
  const acts = {
    " "() {
      if (harmony) put([[cursor.frame, cursor.row]], value(cursor.frame) > 0.1);
      else if (word === "loudness") put([[cursor.frame, 0]], true);
      else if (value(cursor.frame) > 0.5) unstroke(cursor.frame);
      else store.gesture({ type: "tap", time: (cursor.frame + 0.5) * store.sheet.frame, strength: STROKE });
    },
    Delete: () => put([[cursor.frame, harmony ? cursor.row : 0]], true),
    ArrowUp: () => (harmony ? (cursor.row = Math.min(11, cursor.row + 1)) : set(value(cursor.frame) + STEP[word])),
    ArrowDown: () => (harmony ? (cursor.row = Math.max(0, cursor.row - 1)) : set(value(cursor.frame) - STEP[word])),
    Escape: () => pad.blur(),
  };
  Object.assign(acts, { Enter: acts[" "], Backspace: acts.Delete });
  pad.addEventListener("keydown", (event) => {
    if (event.altKey) return;
    const far = event.ctrlKey || event.metaKey ? 10 : 1, moves = { ArrowLeft: -far, ArrowRight: far, Home: -frames(), End: frames() };
    if (event.key in moves) { cursor.frame = Math.min(frames() - 1, Math.max(0, cursor.frame + moves[event.key])); grid.reveal(cursor.frame); }
    else if (acts[event.key] && far === 1) acts[event.key]();
    else if (!store.press(event)) return;
    if (event.key in moves || acts[event.key]) say();
    draw(4);
    event.preventDefault();
    event.stopPropagation();
  }, { signal });
  for (const kind of ["focus", "blur"]) pad.addEventListener(kind, () => draw(4), { signal });

  // What was drawn and not yet answered is seen at once.
  const mine = (op) => (op.type === "lane_draw" && op.word === word) || (op.type === "tap" && word === "rhythm");
  return { pad, draw, read(bytes) {
    const shape = { ...lane(), frames: frames(), seconds: store.sheet.frame };
    curve = store.pending.filter(({ op }) => mine(op)).reduce((all, { op }) => changedCurve(all, shape, op), bytes);
    pad.setAttribute("aria-label", `${word} that takes follow: ${lane().given ? `${lane().words}, ${lane().on ? "on" : "off"}` : "empty"}; arrows move and change it`);
  } };
}
