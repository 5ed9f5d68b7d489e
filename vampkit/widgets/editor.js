// The mask editor: toolbars around the grid, and the store between page and kernel. The kernel's mask is the truth; gestures not yet answered are echoed on it.
import { unpack, toText, apply } from "./geometry.js";
import { h, bytesOf, choice, button } from "./dom.js";
import { createGrid } from "./grid.js";
import { listenToKeys } from "./keys.js";

const PATIENCE = 3000; // milliseconds after which an unanswered gesture is worth a word

// What both sides know, and what the page may do about it.
export function createStore(model) {
  const view = Math.random().toString(36).slice(2, 10);
  const store = { view, model, mask: new Uint8Array(), made: null, codes: null, shown: null, tokens: null, head: null, region: [], tools: {}, state: {}, sheet: {}, pending: [], acts: {}, current: null, last: null, dead: false };
  let count = 0, changed = () => {};
  store.onchange = (f) => (changed = f);
  store.free = () => Array.from({ length: store.sheet.codebooks }, (_, row) => !store.state.locked?.includes(row) && !(store.state.coarse_only && row >= store.sheet.coarse));
  const echo = (op) => apply(store.mask, store.sheet.codebooks, store.sheet.frames, op, store.free(), store.state.points);
  store.rebuild = () => {
    store.mask = store.truth.slice();
    for (const { op } of store.pending) echo(op);
    if (store.current) echo(store.current);
  };
  store.read = (what) => {
    if (what.has("sheet")) {
      store.fresh = store.sheet.opened !== model.get("sheet").opened || !store.truth; // another sound, not only other beats
      store.sheet = { ...model.get("sheet") };
      const codes = bytesOf(model.get("codes"));
      store.codes = codes.length ? new Uint16Array(codes.slice().buffer) : null;
      store.wave = new Int8Array(bytesOf(model.get("wave")).slice().buffer);
      store.spectrum = bytesOf(model.get("spectrum"));
      if (store.fresh) Object.assign(store, { made: null, shown: null, tokens: null });
    }
    if (what.has("tools")) store.tools = { ...model.get("tools") };
    if (what.has("region")) store.region = model.get("region");
    if (what.has("bits") || what.has("sheet")) store.truth = unpack(bytesOf(model.get("bits")), store.sheet.codebooks * store.sheet.frames);
    if (what.has("state")) {
      store.state = model.get("state");
      const answered = store.state.acks?.[view] ?? -1;
      store.pending = store.pending.filter((p) => p.n > answered);
      store.dead = false;
    }
    store.rebuild();
    changed(what);
  };
  store.send = (content, buffers) => {
    try { model.send(content, undefined, buffers); } catch { store.dead = true; changed(new Set(["state"])); }
  };
  store.gesture = (op) => {
    if (!/^(lock|coarse_only|tap|lane_)/.test(op.type)) store.drew?.(); // those do not draw on the mask
    store.pending.push({ n: ++count, op, at: performance.now() });
    store.rebuild();
    store.send({ ...op, view, n: count });
    changed(new Set(["bits"]));
  };
  store.preview = (op) => {
    if (op && !store.current) store.drew?.();
    const grew = op?.type === "paint" && store.current?.type === "paint" && op.path.length >= store.current.path.length;
    if (grew) echo({ ...op, path: op.path.slice(Math.max(0, store.shown - 1)) });
    store.shown = op?.path?.length;
    store.current = op && { ...op, path: op.path?.slice() };
    if (!grew) store.rebuild();
    changed(new Set(["echo"]));
  };
  const set = (name, value) => { model.set(name, value); try { model.save_changes(); } catch { store.dead = true; } };
  store.setTool = (patch) => { store.tools = { ...store.tools, ...patch }; set("tools", store.tools); changed(new Set(["tools"])); };
  store.setRegion = (region, done) => { store.region = region; if (done) set("region", region); changed(new Set([done ? "region" : "selecting"])); };
  store.snapTo = (what) => store.ask({ type: "snap_to", what });
  store.nextSnap = () => { const all = store.sheet.snaps; store.snapTo(all[(all.indexOf(store.state.snap) + 1) % all.length]); };
  store.coarseOnly = () => store.gesture({ type: "coarse_only", on: !store.state.coarse_only });
  store.lock = (row) => store.gesture({ type: "lock", row, on: !store.state.locked.includes(row) });
  store.ask = (content, buffers) => store.send({ view, n: ++count, ...content }, buffers);
  store.roll = (way) => { const points = store.state.points; store.gesture({ type: "roll", by: way * (points && points.length > 2 ? points[2] - points[1] : 1) }); };
  store.repeat = () => (store.region.length ? store.gesture({ type: "repeat", first: store.region[2], end: store.region[3] }) : store.announce("Select a stretch of time to repeat first: drag on the ruler, or Shift and arrows."));
  store.late = () => store.pending.length && performance.now() - store.pending[0].at > PATIENCE;
  store.text = () => toText(store.mask, store.sheet.codebooks, store.sheet.frames);
  return store;
}

const group = (label, ...nodes) => h("div", { className: "vk-group", role: "group", "aria-label": label }, ...nodes);

function toolbar(store, grid) {
  const ink = choice("What drawing does", [["hide", "Hide", "What you draw is hidden and generated anew (H)"], ["keep", "Erase", "What you draw is kept (E); also with Ctrl or the right button"]], () => store.tools.ink ?? "hide", (v) => store.setTool({ ink: v }));
  const tool = choice("Tool", [["brush", "Brush", "Paint cells (B); Shift goes straight"], ["box", "Box", "A rectangle (R)"], ["time", "Time", "A stretch of time, all codebooks (T)"], ["row", "Row", "Whole codebooks (K)"], ["column", "Column", "Whole frames (C)"]], () => store.tools.tool, (v) => store.setTool({ tool: v }));
  const size = (name, most, text, title) => h("label", { className: "vk-size", title }, h("span", { textContent: text }), h("input", { type: "number", min: 1, max: most, "data-name": name, "aria-label": title, onchange: (e) => store.setTool({ [name]: Math.min(most, Math.max(1, Math.round(Number(e.target.value)) || 1)) }) }));
  const wide = size("width", 99, "Width", "Width of the brush in frames ( [ and ] )"), high = size("height", 99, "Height", "Height of the brush in codebooks ( { and } )");
  const snap = h("select", { "aria-label": "Snap to", title: "Where gestures snap to (S)", onchange: (e) => store.snapTo(e.target.value) }, ...store.sheet.snaps.map((v) => h("option", { value: v, textContent: v })));
  const coarse = button("Coarse only", "Draw on the coarse codebooks alone (O)", () => store.coarseOnly());
  const undo = button("Undo", "Take back the last gesture (Ctrl+Z)", () => store.gesture({ type: "undo" })), redo = button("Redo", "Do it again (Ctrl+Shift+Z)", () => store.gesture({ type: "redo" }));
  const sound = choice("Sound above the grid", [["mel", "Mel", "Mel spectrogram (V)"], ["wave", "Wave", "Waveform (V)"]], () => store.tools.sound, (v) => store.setTool({ sound: v }));
  const node = h("div", { className: "vk-bar" }, group("Ink", ink.node), group("Tool", tool.node), group("Brush", wide, high),
    group("Snapping", h("label", { className: "vk-size" }, h("span", { textContent: "Snap" }), snap), coarse),
    h("span", { className: "vk-space" }), group("History", undo, redo));
  const see = group("View", sound.node, button("−", "Zoom out (−)", () => grid.zoom(1 / 1.5), { "aria-label": "Zoom out" }), button("+", "Zoom in (+)", () => grid.zoom(1.5), { "aria-label": "Zoom in" }), button("Fit", "All in view (F)", () => grid.fit()));
  return { node, see, update() {
    [ink, tool, sound].forEach((c) => c.update());
    wide.lastChild.value = store.tools.width; high.lastChild.value = store.tools.height; snap.value = store.state.snap;
    coarse.setAttribute("aria-pressed", String(!!store.state.coarse_only)); undo.disabled = !store.state.undos && !store.pending.length; redo.disabled = !store.state.redos && !store.pending.length;
    undo.textContent = store.state.undos ? `Undo ${store.state.undos}` : "Undo";
    wide.hidden = high.hidden = store.tools.tool !== "brush"; sound.node.hidden = !store.sheet.wave;
  } };
}

function stamps(store, id) {
  const list = h("datalist", { id: `vk-presets-${id}` }), text = h("input", { type: "text", value: "periodic:7", "aria-label": "Prompt to stamp: words or a preset's name", spellcheck: false, className: "vk-prompt" });
  text.setAttribute("list", list.id);
  let how = "replace";
  const mode = choice("How the stamp combines", [["replace", "Replace", "The mask becomes the prompt's"], ["or", "Or", "Keep what either keeps"], ["and", "And", "Keep what both keep"]], () => how, (v) => { how = v; mode.update(); });
  const go = () => store.gesture({ type: "stamp", prompt: text.value, how });
  text.addEventListener("keydown", (e) => { if (e.key === "Enter") go(); });
  const act = (name, title, type) => button(name, title, () => store.gesture({ type }));
  const node = h("div", { className: "vk-bar" }, group("Stamp", h("label", { className: "vk-size" }, h("span", { textContent: "Prompt" }), text, list), mode.node, button("Stamp", "Lay the prompt on the mask", go, { className: "vk-main" })),
    group("Whole mask", act("Invert", "Hide what is kept, keep what is hidden (I)", "invert"), act("Keep all", "Nothing is hidden (Delete)", "clear"), act("Hide all", "Everything is hidden (A)", "fill"),
      button("‹ Roll", "One frame, or beat, earlier (<)", () => store.roll(-1), { "aria-label": "Roll earlier" }), button("Roll ›", "One frame, or beat, later (>)", () => store.roll(1), { "aria-label": "Roll later" }), button("Repeat", "Repeat the selected stretch over the whole length (M)", () => store.repeat())));
  return { node, update() { mode.update(); if (list.childElementCount !== store.sheet.presets.length) list.replaceChildren(...store.sheet.presets.map((value) => h("option", { value }))); } };
}

function papers(store, takes) {
  const area = h("textarea", { rows: 5, spellcheck: false, "aria-label": "The mask as text" });
  const put = (text) => { area.value = text; area.select(); navigator.clipboard?.writeText(text).then(() => store.announce("Copied."), () => {}); };
  const print = (form) => { if (store.dead || store.late()) put(own(form)); else store.send({ type: "print", form }); };
  // Without a kernel the page prints what it shows.
  const own = (form) => (form !== "json" ? `MaskModel(${store.sheet.codebooks}, ${store.sheet.frames}).draw("${store.text()}").mask` : JSON.stringify({ format: "vampkit.mask/1", codebooks: store.sheet.codebooks, frames: store.sheet.frames, hidden: store.text() }));
  const node = h("details", { className: "vk-fold" }, h("summary", { textContent: "Mask as text" }), h("div", { className: "vk-bar" }, button("Copy as Python", "The expression that makes this mask", () => print("python")), button("Copy as JSON", "The mask as data", () => print("json")), ...(takes ? [button("Copy the take as Python", "The call that makes the next take, with what it follows", () => print("take"))] : []), button("Draw this text", "Draw the mask that the text describes: JSON, or ranges such as 0:4 10:20", () => store.ask({ type: "read", data: area.value }))), area);
  return { node, printed: put };
}

export function mountEditor(model, el, extend) {
  const stop = new AbortController(), store = createStore(model);
  store.sheet = model.get("sheet");
  const grid = createGrid(store, stop.signal), id = store.view;
  const live = h("div", { className: "vk-live", role: "status", "aria-live": "polite" }), message = h("div", { className: "vk-message" }), facts = h("div", { className: "vk-facts" });
  store.announce = (text) => (live.textContent = text);
  const bar = toolbar(store, grid), stamp = stamps(store, id), paper = papers(store, !!extend);
  const legend = h("div", { className: "vk-legend" }, ...[["kept", "kept: the prompt"], ["hide", "hidden: generated"], ...(extend ? [["made", "newly generated"]] : [])].map(([name, text]) => h("span", {}, h("i", { className: `vk-is-${name}` }), text)));
  const keys = h("details", { className: "vk-fold" }, h("summary", { textContent: "Keys" }), h("dl", { id: `vk-keys-${id}` }, ...store.sheet.keys.flatMap((row) => [h("dt", { textContent: row.label }), h("dd", { textContent: row.text })])));
  const parts = { root: h("div", { className: "vampkit-editor", "data-lm-suppress-shortcuts": "true", role: "group" }), grid, store, signal: stop.signal, message, facts };
  for (const [key, value] of Object.entries({ role: "application", "aria-roledescription": "token grid", "aria-describedby": `vk-keys-${id}` })) grid.stage.setAttribute(key, value);
  const head = h("div", { className: "vk-readout" }, facts, bar.see);
  parts.root.append(bar.node, grid.el, head, h("div", { className: "vk-readout vk-under" }, message, legend), stamp.node, h("div", { className: "vk-folds" }, paper.node, keys), live);
  const more = extend?.(parts);
  el.append(parts.root);

  const update = () => {
    bar.update(); stamp.update(); more?.update?.();
    let hidden = 0;
    for (const v of store.mask) hidden += v;
    const ratio = hidden / (store.mask.length || 1);
    const pairs = [["Hidden", `${(100 * ratio).toFixed(1)} %`], ["Kept", `${Math.round(store.sheet.bits * (1 - ratio)).toLocaleString("en")} bits/s`], ...(store.state.estimate ? [["To generate", hidden ? store.state.estimate : "nothing"]] : [])];
    facts.replaceChildren(...pairs.map(([k, v]) => h("span", {}, h("small", { textContent: k }), h("b", { textContent: v }))));
    const gone = store.dead || store.late(), text = gone ? "The kernel does not answer: it is busy, or it was restarted. What you drew stays here; Mask as text copies it." : store.state.message?.text ?? "";
    message.replaceChildren(...(text ? [h("b", { textContent: gone || store.state.message.wrong ? "Note: " : "" }), text] : []));
    message.dataset.wrong = gone || store.state.message?.wrong ? "1" : "0"; message.setAttribute("role", message.dataset.wrong === "1" ? "alert" : "status");
    grid.stage.setAttribute("aria-label", `Mask of ${store.sheet.codebooks} codebooks and ${store.sheet.frames} frames over ${store.sheet.name || "the sound"}, ${(100 * ratio).toFixed(1)} percent hidden`);
    parts.root.dataset.version = store.state.version ?? 0;
  };
  store.onchange((what) => {
    if (what.has("echo")) return grid.redraw(2);
    if (what.has("selecting")) return grid.redraw(4);
    if (what.has("region")) { grid.redraw(4); more?.regionMoved?.(); }
    if (what.has("sheet")) { store.fresh ? grid.refresh() : grid.repicture(); if (store.fresh) more?.resetSound?.(); grid.redraw(); }
    if (what.has("tools")) grid.redraw(5);
    if (what.has("bits") || what.has("state")) grid.redraw(2);
    if (what.has("state") || what.has("tools")) grid.drawLabels();
    update();
  });
  parts.update = update;
  // One reading for all traits that came together.
  let waiting = null;
  const names = ["sheet", "bits", "state", "tools", "region", "codes", "wave", "spectrum", "panel", "lane_facts", "rhythm", "harmony", "loudness"];
  const heard = names.map((name) => { const f = () => { if (waiting) return waiting.add(name); waiting = new Set([name]); queueMicrotask(() => { const what = waiting; waiting = null; if (!stop.signal.aborted) store.read(what); }); }; model.on(`change:${name}`, f); return [`change:${name}`, f]; });
  const custom = (content, buffers) => { if (content.type === "printed") paper.printed(content.text); else more?.heard?.(content, buffers); };
  model.on("msg:custom", custom);
  const timer = setInterval(() => store.late() && update(), 1000);
  const themes = new MutationObserver(() => grid.retheme());
  for (const node of [document.body, document.documentElement]) themes.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-jp-theme-name", "data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => grid.retheme(), { signal: stop.signal });
  listenToKeys(store, grid, stop.signal);
  store.read(new Set(["sheet", "tools", "bits", "state", "region", "panel"]));
  parts.root.vampkit = { store, grid, deck: more?.deck }; // for tests and measurements in the page
  return () => { more?.close?.(); stop.abort(); clearInterval(timer); themes.disconnect(); for (const [name, f] of heard) model.off(name, f); model.off("msg:custom", custom); delete parts.root.vampkit; parts.root.remove(); };
}
