// The scrubber: passes of one run of the sampling loop on a slider, as pictures and as sound.
import { fit } from "./geometry.js";
import { INK, theme, fitCanvas, CellPainter, paintTime } from "./draw.js";
import { h, button, choice, bytesOf } from "./dom.js";
import { Deck } from "./player.js";

const PROMPT = 0, HIDDEN = 1, FRESH = 2, BEAT = 420; // milliseconds a pass is shown for

export function mountScrubber(model, el) {
  const stop = new AbortController(), sheet = model.get("sheet"), size = sheet.codebooks * sheet.frames, high = sheet.codebooks <= 5 ? 40 : 20, height = 24 + high * sheet.codebooks;
  const [codes, state, sure, entropy] = model.get("data").map(bytesOf), words = new Uint16Array(codes.slice().buffer), painter = new CellPainter();
  let width = 600, timer = null, wanted = null;
  const canvas = h("canvas", { role: "img" }), stage = h("div", { className: "vk-canvas", style: `height:${height}px` }, canvas), labels = h("div", { className: "vk-labels" });
  sheet.names.forEach((name, row) => labels.append(h("span", { className: "vk-label", textContent: name, style: `top:${24 + row * high + high / 2 - 8}px` })));
  const place = () => model.get("place"), last = sheet.passes;
  const go = (n, hold) => { if (hold) halt(); const next = Math.min(last, Math.max(1, n)); if (next !== place()) { model.set("place", next); model.save_changes(); } draw(); };
  const slider = h("input", { type: "range", min: 1, max: last, step: 1, "aria-label": "Pass", oninput: () => go(Number(slider.value), true) });
  const play = button("Play", "Play the passes as an animation", () => (timer ? halt() : begin()), { className: "vk-main vk-play" });
  const back = button("‹", "One pass back", () => go(place() - 1, true), { "aria-label": "One pass back" }), on = button("›", "One pass on", () => go(place() + 1, true), { "aria-label": "One pass on" });
  const count = h("b", { className: "vk-time" }), facts = h("div", { className: "vk-facts" }), legend = h("div", { className: "vk-legend" }), message = h("div", { className: "vk-message", role: "status" });
  const view = choice("What is shown", [["tokens", "Tokens", "Which tokens stay"], ["confidence", "Confidence", "Rank of the confidence: bright is sure in dark pages, dark in light ones"], ["entropy", "Entropy", "Bits of each distribution"]], () => model.get("view"), (v) => { model.set("view", v); model.save_changes(); draw(); });
  const deck = new Deck(() => { hear.textContent = deck.playing ? "Stop" : "Hear this pass"; });
  deck.looping = false;
  const hear = button("Hear this pass", "The sound of the tokens as they are after this pass", () => {
    if (deck.playing) return deck.halt();
    wanted = place();
    if (deck.has(wanted)) return sound(wanted);
    hear.textContent = "Making the sound …";
    model.send({ type: "sound", id: wanted });
  });
  const sound = (id) => { deck.chosen = id; deck.position = 0; deck.play(); };
  function begin() { if (place() >= last) go(1); timer = setInterval(() => (place() >= last ? halt() : go(place() + 1)), BEAT); play.textContent = "Pause"; }
  function halt() { clearInterval(timer); timer = null; play.textContent = "Play"; }

  function draw() {
    const index = place() - 1, cut = (data) => data.subarray(index * size, (index + 1) * size), now = cut(state), shown = model.get("view"), name = theme(el);
    painter.palette(name);
    const grid = { rows: sheet.codebooks, frames: sheet.frames, entries: 1024, coarse: -1, codes: cut(words) };
    if (shown === "tokens") Object.assign(grid, { mask: now.map((v) => (v === HIDDEN ? 1 : 0)), made: now.map((v) => (v === PROMPT ? 0 : v === FRESH ? 2 : 1)) });
    else Object.assign(grid, { mask: new Uint8Array(size), values: cut(shown === "confidence" ? sure : entropy) });
    const context = fitCanvas(canvas, width, height), ink = INK[name], whole = fit(sheet.frames, width);
    context.fillStyle = ink.ground; context.fillRect(0, 0, width, height);
    paintTime(context, whole, { x: 0, y: 0, width, height: 24 }, sheet.frame, { onsets: [], beats: [], bars: [] }, ink, 24);
    painter.paint(context, grid, whole, { x: 0, y: 24, width, height: height - 24 });
    const f = sheet.facts[index], pairs = [["Guessed", f.guessed], ["Newly kept", f.kept], ["Hidden again", f.hidden], ["Entropy of the guesses", `${f.entropy.toFixed(2)} of ${sheet.most.toFixed(0)} bits`]];
    facts.replaceChildren(...pairs.map(([k, v]) => h("span", {}, h("small", { textContent: k }), h("b", { textContent: v }))));
    count.textContent = `pass ${f.pass} of ${f.passes}`; slider.value = f.pass; slider.setAttribute("aria-valuetext", `${count.textContent}, ${f.kept} newly kept, ${f.hidden} hidden again`);
    canvas.setAttribute("aria-label", `Tokens after pass ${f.pass} of ${f.passes}: ${f.kept} newly kept, ${f.hidden} hidden again`);
    const keys = shown === "tokens" ? [["kept", "kept by the prompt"], ["made", "kept earlier"], ["fresh", "newly kept"], ["hide", "hidden again"]] : shown === "confidence" ? [["low", "unsure, or not guessed"], ["high", "surest of this pass"]] : [["low", "0 bits, or not guessed"], ["high", `${sheet.most.toFixed(0)} bits`]];
    legend.replaceChildren(...keys.map(([k, text]) => h("span", {}, h("i", { className: `vk-is-${k}` }), text)));
    view.update(); back.disabled = f.pass === 1; on.disabled = f.pass === last;
    message.textContent = model.get("message"); root.dataset.place = f.pass;
  }
  const root = h("div", { className: "vampkit-editor vampkit-studio vampkit-scrubber", "data-lm-suppress-shortcuts": "true", role: "group", "aria-label": "Passes of one run of the sampling loop" },
    h("div", { className: "vk-bar" }, play, back, slider, on, count, h("span", { className: "vk-space" }), view.node, hear), h("div", { className: "vk-stage" }, labels, stage), h("div", { className: "vk-readout" }, facts, legend), message);
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = { ArrowLeft: () => go(place() - 1, true), ArrowRight: () => go(place() + 1, true), Home: () => go(1, true), End: () => go(last, true), p: () => play.onclick(), h: () => hear.onclick(), t: () => pick("tokens"), c: () => pick("confidence"), e: () => pick("entropy") };
    const pick = (v) => { model.set("view", v); model.save_changes(); draw(); };
    if (!acts[event.key]) return;
    acts[event.key](); event.preventDefault(); event.stopPropagation();
  });
  el.append(root);
  const heard = async (content, buffers) => {
    if (content.type !== "sound") return;
    deck.length = content.seconds;
    try { await deck.add(content.id, bytesOf(buffers[0])); } catch (error) { message.textContent = `This sound cannot be played here: ${error.message}`; return; }
    if (wanted === content.id) sound(content.id);
  };
  model.on("msg:custom", heard);
  const redraw = () => draw(), names = ["change:place", "change:view", "change:message"];
  names.forEach((name) => model.on(name, redraw));
  const themes = new MutationObserver(() => { painter.name = ""; draw(); });
  for (const node of [document.body, document.documentElement]) themes.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-jp-theme-name", "data-theme"] });
  document.addEventListener("vampkit-play", (event) => event.detail !== deck && deck.halt(), { signal: stop.signal });
  const resized = new ResizeObserver(() => { width = Math.max(120, stage.clientWidth); draw(); });
  resized.observe(stage);
  return () => { halt(); deck.close(); stop.abort(); resized.disconnect(); themes.disconnect(); model.off("msg:custom", heard); names.forEach((name) => model.off(name, redraw)); root.remove(); };
}
