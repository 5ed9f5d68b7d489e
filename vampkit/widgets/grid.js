// The token grid in the page: ruler, sound, cells and an overview on canvases, drawn on by pointer. Knows the store (see editor.js) and nothing of Python.
import { own } from "./dom.js";
import { clampView, fit, frameAt, xOf, zoom, pan, fitRange, reveal, snapRange, segment } from "./geometry.js";
import { INK, theme, fitCanvas, CellPainter, melPicture, paintMel, paintWave, paintTime } from "./draw.js";

const RULER = 24, SOUND = 88, GAP = 8, OVERVIEW = 16;

export function createGrid(store, signal) {
  const make = (tag, props) => own(Object.assign(document.createElement(tag), props));
  const el = make("div", { className: "vk-stage" }), labels = make("div", { className: "vk-labels" });
  const stage = make("div", { className: "vk-canvas", tabIndex: 0 });
  const [base, middle, top] = ["base", "cells", "top"].map((name) => make("canvas", { className: `vk-layer vk-${name}` }));
  stage.append(base, middle, top);
  el.append(labels, stage);
  const painter = new CellPainter();
  let width = 600, view = { first: 0, scale: 1 }, name = "light", mel = null, dirty = 7, frame = 0, whole = true;
  const cursor = { row: 0, frame: 0, shown: false };
  let hover = null, drag = null;

  const rows = () => store.sheet.codebooks, frames = () => store.sheet.frames;
  const rowHeight = () => (rows() <= 5 ? 30 : rows() <= 20 ? 17 : Math.max(4, 300 / rows()));
  const hasSound = () => !!(store.sheet.wave && store.sheet.columns);
  const layout = () => {
    const sound = hasSound() ? SOUND : 0, y = RULER + sound + (sound ? GAP : 0), high = Math.round(rows() * rowHeight());
    return { ruler: { x: 0, y: 0, width, height: RULER }, sound: { x: 0, y: RULER, width, height: sound }, cells: { x: 0, y, width, height: high }, overview: { x: 0, y: y + high + GAP, width, height: OVERVIEW }, height: y + high + GAP + OVERVIEW };
  };
  const soundFrames = () => store.sheet.sound / store.sheet.frame;

  // 1: everything below the cells, 2: cells, 4: what moves above them. Drawn once a frame, whatever happened in between.
  function redraw(layers = 7) { dirty |= layers; if (!frame) frame = requestAnimationFrame(draw); }
  function draw() {
    frame = 0;
    const layers = dirty, began = performance.now();
    dirty = 0;
    if (!frames() || !el.isConnected) return;
    const now = theme(el);
    if (now !== name || !painter.ink) { name = now; mel = null; painter.palette(name); }
    painter.palette(name);
    const places = layout();
    stage.style.height = `${places.height}px`;
    if (layers & 1) drawBase(places);
    if (layers & 2) drawCells(places);
    if (layers & 4) drawTop(places);
    store.beside?.(layers, name);
    store.timings?.push({ layers, ms: performance.now() - began });
  }
  function drawBase(places) {
    const context = fitCanvas(base, width, places.height), ink = INK[name], { sheet } = store;
    context.fillStyle = ink.ground; context.fillRect(0, 0, width, places.height);
    context.fillStyle = ink.strip; context.fillRect(0, places.sound.y, width, places.sound.height);
    if (hasSound() && store.tools.sound === "mel") paintMel(context, (mel ??= melPicture(store.spectrum, sheet.bands, sheet.columns, name)), view, places.sound, soundFrames());
    else if (hasSound()) paintWave(context, store.wave, sheet.wave, view, places.sound, soundFrames(), ink);
    paintTime(context, view, places.ruler, sheet.frame, { onsets: [], beats: [], bars: [], ...sheet.times }, ink, places.cells.y);
  }
  function drawCells(places) {
    const context = fitCanvas(middle, width, places.height), grid = { rows: rows(), frames: frames(), mask: store.shown ?? store.mask, codes: store.tokens ?? store.codes, made: store.made, entries: 1024, coarse: store.sheet.coarse };
    context.clearRect(0, 0, width, places.height);
    painter.paint(context, grid, view, places.cells);
    painter.paint(context, { ...grid, coarse: -1 }, fit(frames(), width), places.overview);
    context.strokeStyle = INK[name].strong; context.lineWidth = 1.5;
    const left = (view.first / frames()) * width, shown = (width / view.scale / frames()) * width;
    context.strokeRect(left + 0.75, places.overview.y + 0.75, Math.min(width - left, shown) - 1.5, places.overview.height - 1.5);
  }
  function drawTop(places) {
    const context = fitCanvas(top, width, places.height), ink = INK[name], high = rowHeight(), y = places.cells.y;
    context.clearRect(0, 0, width, places.height);
    paintLines(context, ink, places);
    const region = store.region;
    if (region.length) {
      const left = xOf(view, region[2]), wide = (region[3] - region[2]) * view.scale;
      context.fillStyle = ink.select; context.globalAlpha = 0.14; context.fillRect(left, 0, wide, y); context.fillRect(left, y + region[0] * high, wide, (region[1] - region[0]) * high);
      context.globalAlpha = 1; context.fillRect(left, 0, wide, 3); context.strokeStyle = ink.select; context.lineWidth = 1.5; context.setLineDash([5, 3]);
      context.strokeRect(left + 0.75, y + region[0] * high + 0.75, wide - 1.5, (region[1] - region[0]) * high - 1.5); context.setLineDash([]);
    }
    const at = document.activeElement === stage && cursor.shown ? cursor : hover;
    if (at) {
      const [w, h] = store.tools.tool === "brush" ? [store.tools.width, Math.min(store.tools.height, rows())] : [1, 1];
      const first = at.frame - ((w - 1) >> 1), row = at.row - ((h - 1) >> 1);
      context.strokeStyle = ink.ground; context.lineWidth = 4;
      const box = [xOf(view, first) - 1, y + row * high - 1, Math.max(3, w * view.scale) + 2, h * high + 2];
      context.save(); context.beginPath(); context.rect(0, y - 3, width, places.cells.height + 6); context.clip();
      context.strokeRect(...box); context.strokeStyle = ink.strong; context.lineWidth = 2; context.strokeRect(...box); context.restore();
    }
    if (store.head !== null) {
      const x = xOf(view, store.head / store.sheet.frame);
      context.fillStyle = ink.ground; context.fillRect(x - 2, 0, 4, places.overview.y - 2); context.fillStyle = ink.head; context.fillRect(x - 1, 0, 2, places.overview.y - 2);
      context.beginPath(); context.moveTo(x - 6, 0); context.lineTo(x + 6, 0); context.lineTo(x, 9); context.fill();
      context.fillRect((store.head / store.sheet.frame / frames()) * width - 1, places.overview.y, 2, OVERVIEW);
    }
  }
  // Bars and beats run through the cells as well, above them.
  function paintLines(context, ink, places) {
    const times = { beats: [], bars: [], ...store.sheet.times };
    const draw = (list, colour, least) => {
      if (list.length > 1 && ((list[list.length - 1] - list[0]) / (list.length - 1) / store.sheet.frame) * view.scale < least) return;
      context.fillStyle = colour;
      for (const s of list) { const x = xOf(view, s / store.sheet.frame); if (x > 0 && x < width) context.fillRect(Math.round(x) - 0.5, places.sound.y, 1, places.cells.y + places.cells.height - places.sound.y); }
    };
    draw(times.beats, ink.beat, 6); draw(times.bars, ink.bar, 4);
  }
  function drawLabels() {
    const high = rowHeight(), places = layout(), shown = high >= 12;
    labels.replaceChildren(make("span", { className: "vk-label", textContent: "time" }), make("span", { className: "vk-label", textContent: hasSound() ? (store.tools.sound === "mel" ? "mel spectrogram" : "waveform") : "" }));
    labels.children[0].style.top = "4px"; labels.children[1].style.top = `${places.sound.y + 4}px`;
    for (let row = 0; shown && row < rows(); row++) {
      const locked = store.state.locked?.includes(row), off = locked || (store.state.coarse_only && row >= store.sheet.coarse), text = store.sheet.names[row];
      const button = make("button", { type: "button", className: "vk-row", tabIndex: -1, title: `${locked ? "Free" : "Lock"} codebook ${row + 1}` });
      button.append(make("span", { textContent: text }), make("span", { className: "vk-lock", textContent: locked ? "locked" : "lock" }));
      button.setAttribute("aria-pressed", String(!!locked)); button.setAttribute("aria-label", `Lock ${text}`); button.dataset.off = off ? "1" : "0";
      button.style.top = `${places.cells.y + row * high}px`; button.style.height = `${high}px`;
      button.onclick = () => store.lock(row);
      labels.append(button);
    }
    const note = make("span", { className: "vk-label", textContent: "overview" });
    note.style.top = `${places.overview.y}px`; labels.append(note);
  }

  const setView = (next) => { view = clampView(next, frames(), width); whole = view.scale * frames() <= width * 1.001; redraw(); };
  const cellAt = (x, y) => ({ row: Math.floor((y - layout().cells.y) / rowHeight()), frame: Math.floor(frameAt(view, x)) });
  const clampCell = (c) => ({ row: Math.min(rows() - 1, Math.max(0, c.row)), frame: Math.min(frames() - 1, Math.max(0, c.frame)) });
  const zone = (y) => { const p = layout(); return y < p.sound.y ? "ruler" : y < p.cells.y - GAP / 2 && hasSound() ? "sound" : y < p.overview.y - GAP / 2 ? "cells" : "overview"; };

  // The brush, which is no larger than the grid.
  const brush = () => ({ width: Math.min(store.tools.width, frames()), height: Math.min(store.tools.height, rows()) });
  // The gesture that a drag from one cell to another makes with the tool that is chosen.
  function gestureOf(from, to, ink, path) {
    const { tool } = store.tools, hidden = ink, snap = store.state.snap !== "frames";
    const a = clampCell(from), b = clampCell(to), span = [Math.min(a.frame, b.frame), Math.max(a.frame, b.frame) + 1], all = [0, rows()];
    if (tool === "brush") return { type: "paint", path, ...brush(), hidden, snap };
    if (tool === "column") return { type: "paint", path: path.map((c) => [(rows() - 1) >> 1, c[1]]), width: 1, height: rows(), hidden, snap };
    const tall = [Math.min(a.row, b.row), Math.max(a.row, b.row) + 1];
    return { type: "rectangle", codebooks: tool === "time" ? all : tall, frames: tool === "row" ? [0, frames()] : span, hidden, snap: snap && tool !== "row" };
  }
  const regionOf = (a, b, tall) => {
    const points = store.state.points, span = [Math.max(0, Math.min(a, b)), Math.min(frames(), Math.max(a, b) + 1)];
    return [...tall, ...(points ? snapRange(points, ...span) : span)];
  };
  const place = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  stage.addEventListener("pointerdown", (event) => {
    const [x, y] = place(event), where = zone(y);
    if (event.button === 1 || (event.button === 0 && drag)) return;
    stage.focus({ preventScroll: true });
    cursor.shown = false;
    stage.setPointerCapture(event.pointerId);
    if (where === "cells" && (event.button === 0 || event.button === 2)) {
      const cell = cellAt(x, y), ink = (store.tools.ink ?? "hide") === "hide" ? !(event.altKey || event.ctrlKey || event.button === 2) : event.altKey || event.ctrlKey || event.button === 2;
      const straight = event.shiftKey && store.last ? [store.last] : [];
      drag = { kind: "draw", from: cell, ink, path: [...straight, [cell.row, cell.frame]] };
      store.preview(gestureOf(cell, cell, ink, drag.path));
    } else if (event.button === 0) {
      drag = { kind: where, x, from: Math.floor(frameAt(view, x)), moved: false };
      if (where === "overview") setView({ ...view, first: (x / width) * frames() - width / view.scale / 2 });
      if (where === "sound" && store.seek) store.seek(Math.max(0, frameAt(view, x) * store.sheet.frame));
    }
    redraw(4);
  }, { signal });
  stage.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    hover = zone(y) === "cells" ? clampCell(cellAt(x, y)) : null;
    if (drag?.kind === "draw") {
      for (const each of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
        const cell = cellAt(...place(each)), last = drag.path[drag.path.length - 1];
        if (last[0] !== cell.row || last[1] !== cell.frame) drag.path.push([cell.row, cell.frame]);
      }
      store.preview(gestureOf(drag.from, cellAt(x, y), drag.ink, drag.path));
    } else if (drag) {
      drag.moved ||= Math.abs(x - drag.x) > 3;
      if (drag.kind === "overview") setView({ ...view, first: (x / width) * frames() - width / view.scale / 2 });
      else if (drag.kind === "sound" && store.seek) store.seek(Math.max(0, frameAt(view, x) * store.sheet.frame));
      else if (drag.moved) store.setRegion(regionOf(drag.from, Math.floor(frameAt(view, x)), [0, rows()]), false);
    }
    redraw(4);
  }, { signal });
  const finish = (event) => {
    if (!drag) return;
    const [x, y] = place(event), done = drag;
    drag = null;
    if (done.kind === "draw") {
      store.last = done.path[done.path.length - 1];
      const op = gestureOf(done.from, cellAt(x, y), done.ink, done.path);
      store.preview(null);
      if (event.type !== "pointercancel") store.gesture(op);
    } else if (done.kind === "ruler" && !done.moved) store.seek ? store.seek(Math.max(0, frameAt(view, x) * store.sheet.frame)) : store.setRegion([], true);
    else if (done.moved && done.kind !== "overview") store.setRegion(store.region, true);
  };
  stage.addEventListener("pointerup", finish, { signal });
  stage.addEventListener("pointercancel", finish, { signal });
  stage.addEventListener("pointerleave", () => { hover = null; redraw(4); }, { signal });
  stage.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  stage.addEventListener("wheel", (event) => {
    const [x] = place(event), flat = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (event.altKey) store.setTool({ width: Math.min(99, Math.max(1, store.tools.width - Math.sign(event.deltaY))) });
    else if (event.ctrlKey || event.metaKey) setView(zoom(view, Math.exp(-event.deltaY * 0.004), x, frames(), width));
    else if (flat || event.shiftKey) setView(pan(view, flat ? event.deltaX : event.deltaY, frames(), width));
    else return; // the page scrolls
    event.preventDefault();
  }, { signal, passive: false });
  for (const kind of ["focus", "blur"]) stage.addEventListener(kind, () => redraw(4), { signal });

  const resized = new ResizeObserver(() => {
    const now = Math.max(120, stage.clientWidth);
    if (now === width && painter.ink) return;
    width = now;
    setView(whole ? fit(frames(), width) : view);
  });
  resized.observe(stage);
  signal.addEventListener("abort", () => { resized.disconnect(); cancelAnimationFrame(frame); });

  return {
    el, stage, cursor, redraw, drawLabels,
    refresh() { mel = null; drawLabels(); setView(fit(frames(), width)); },
    repicture() { mel = null; drawLabels(); redraw(1); },
    retheme() { painter.name = ""; mel = null; redraw(); },
    view: () => ({ ...view, width, ...layout(), rowHeight: rowHeight() }),
    zoom: (factor) => setView(zoom(view, factor, cursor.shown ? xOf(view, cursor.frame) : width / 2, frames(), width)),
    pan: (part) => setView(pan(view, part * width, frames(), width)),
    fit: () => setView(fit(frames(), width)),
    fitRegion: () => setView(store.region.length ? fitRange(store.region[2], store.region[3], frames(), width) : fit(frames(), width)),
    follow: (s) => { const t = s / store.sheet.frame, shown = width / view.scale; if (!whole && !drag && (t < view.first || t > view.first + shown)) setView({ ...view, first: t - shown * 0.05 }); },
    moveTo(row, at) { Object.assign(cursor, clampCell({ row, frame: at }), { shown: true }); view = reveal(view, cursor.frame, frames(), width); redraw(); },
    reveal(at) { view = reveal(view, at, frames(), width); redraw(); },
    beat: () => segment(store.state.points, cursor.frame),
    brush, gestureOf, regionOf,
  };
}
