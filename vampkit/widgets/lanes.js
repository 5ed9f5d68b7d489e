// The lanes under the grid: what the next takes follow, switched, taken from a sound, drawn, tapped, beatboxed, quantized, and heard as clicks. The kernel holds the curves.
import { clicks, wav } from "./geometry.js";
import { h, button, bytesOf } from "./dom.js";
import { field, upload } from "./takes.js";
import { microphone } from "./microphone.js";
import { createLane } from "./lane.js";

const SPEED = 44100;

export function followLanes(store, grid, signal, deck, begin) {
  const { model } = store, facts = () => model.get("lane_facts");
  const source = h("select", { "aria-label": "Sound to take from" }), start = h("input", { type: "number", min: 0, step: 0.1, value: 0, "aria-label": "Second at which the curve begins" }), stretch = h("input", { type: "checkbox" });
  const strength = h("input", { type: "range", min: 0, max: 2, step: 0.05, "aria-label": "Strength", oninput: () => (number.textContent = Number(strength.value).toFixed(2)), onchange: () => store.gesture({ type: "lane_strength", value: Number(strength.value) }) }), number = h("span", { className: "vk-note vk-number" });
  const rows = Object.keys(facts().lanes).map((word) => {
    const lane = createLane(word, store, grid, signal, facts), name = word[0].toUpperCase() + word.slice(1);
    const on = button(name, `Follow the ${word}, or leave it out`, () => store.gesture({ type: "lane_switch", word, on: !facts().lanes[word].on }), { className: "vk-lane-on" });
    const take = button("Take", `Take the ${word} from the sound chosen above`, () => store.gesture({ type: "lane_take", word, source: JSON.parse(source.value), start: Number(start.value) || 0, stretch: stretch.checked }), { "aria-label": `Take the ${word}` });
    const empty = button("Clear", `Empty the ${word}`, () => store.gesture({ type: "lane_clear", word }), { "aria-label": `Clear the ${word}` });
    const words = h("span", { className: "vk-lane-words" });
    return { word, lane, on, empty, words, node: h("div", { className: "vk-lane", role: "group", "aria-label": name }, h("div", { className: "vk-lane-acts" }, on, take, empty), h("div", { className: "vk-lane-body" }, lane.pad, words)) };
  });

  // Tapping: the time is that of the key or finger itself, and what counts is what was heard then.
  const heard = h("span", { className: "vk-note vk-said", role: "status" });
  function tap(event) {
    heard.textContent = "";
    if (deck.playing) return store.gesture({ type: "tap", time: Math.min(deck.heard(event.timeStamp), store.sheet.frames * store.sheet.frame - 0.001) });
    begin();
    heard.textContent = "It plays: tap along with W, or on the button.";
  }
  const tapping = button("Tap", "In time with what plays (W); the first tap begins to play", (event) => event.detail === 0 && tap(event), {
    className: "vk-main vk-tap", onpointerdown: (event) => event.button === 0 && tap(event),
    onkeydown: (event) => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); if (!event.repeat) tap(event); } },
  });

  // Beatboxing: the sound plays from the beginning of its loop, for one round at most; headphones keep it out of the microphone.
  let recorder = null, timer = 0;
  const over = () => { clearTimeout(timer); recorder = null; beatbox.textContent = "Beatbox"; beatbox.setAttribute("aria-pressed", "false"); };
  const beatbox = button("Beatbox", "Record a rhythm with the microphone while the sound plays once; wear headphones", async () => {
    if (recorder) return recorder.stop();
    heard.textContent = "";
    const [first, end] = deck.looping && deck.loop ? deck.loop : [0, deck.length];
    const ready = async () => {
      deck.seek(first);
      if (!deck.playing) begin();
      for (let wait = 0; !deck.playing; wait += 20) { if (wait > 5000) throw new Error("The sound does not begin to play"); await new Promise((go) => setTimeout(go, 20)); }
    };
    const taken = (samples, rate, place) => upload(store, "beatbox.wav", wav(samples, rate), { at: Math.min(Math.max(0, place), deck.length - 0.02) });
    try {
      recorder = await microphone(taken, over, { ready, where: (at) => deck.heard(at), sharp: true });
      beatbox.textContent = "Stop beatbox"; beatbox.setAttribute("aria-pressed", "true");
      timer = setTimeout(() => recorder?.stop(), 1000 * (end - first));
    } catch (error) { heard.textContent = `${error.message}; tap the rhythm, or take it from a sound.`; }
  });

  const fine = h("select", { "aria-label": "Quantize to" });
  const quantize = button("Quantize", "Move the strokes to the nearest bar, beat or part of a beat", () => store.gesture({ type: "lane_quantize", to: fine.value }));
  const shift = (way) => store.gesture({ type: "lane_shift", word: "rhythm", seconds: way * store.sheet.frame });
  let ticking = false, ticks = "";
  const tick = button("Clicks", "Hear the rhythm as clicks over the sound (U)", () => { ticking = !ticking; update(); if (ticking && !facts().strokes.length) heard.textContent = "There is no rhythm to click yet: take, draw or tap one."; });
  const rhythm = h("div", { className: "vk-bar vk-rhythm", role: "group", "aria-label": "Rhythm" }, h("span", { className: "vk-group" }, tapping, beatbox, tick), h("span", { className: "vk-group" }, quantize, field("to", fine), button("‹", "One frame earlier", () => shift(-1), { "aria-label": "Rhythm one frame earlier" }), button("›", "One frame later", () => shift(1), { "aria-label": "Rhythm one frame later" }), button("Smooth", "Average the rhythm over a tenth of a second", () => store.gesture({ type: "lane_smooth", word: "rhythm", seconds: 0.1 }))), heard);
  const title = h("b"), from = h("div", { className: "vk-bar" }, h("span", { className: "vk-group" }, field("Take from", source), field("from second", start), h("label", { className: "vk-size", title: "Stretch the curve to the length of this sound" }, stretch, h("span", { textContent: "stretched" }))), h("span", { className: "vk-space" }), field("Strength", strength, "How strongly takes follow: 0 not at all, 1 as trained"), number);
  const node = h("details", { className: "vk-fold vk-lanes", ontoggle: () => rows.forEach((row) => row.lane.draw()) }, h("summary", { title: "What the next takes follow (D)" }, "Follow: ", title), from, ...rows.flatMap((row) => (row.word === "rhythm" ? [row.node, rhythm] : [row.node])));
  node.addEventListener("keydown", (event) => {
    if (event.target.tagName !== "BUTTON" || event.altKey || event.key.length > 1 || event.key === " " || !store.press(event)) return;
    event.preventDefault(); event.stopPropagation();
  }, { signal });
  store.beside = (layers, theme) => rows.forEach((row) => row.lane.draw(layers, theme));
  Object.assign(store.acts, { tap: (_, event) => tap(event), clicks: () => tick.onclick(), lanes() { if (node.contains(document.activeElement)) return grid.stage.focus(); node.open = true; rows[0].lane.pad.focus(); } });

  let filled = false, options = "";
  function update() {
    const { lanes, strength: now, sources, grids, strokes } = facts(), key = JSON.stringify(sources);
    if (key !== options) { const kept = source.value; options = key; source.replaceChildren(...sources.map(([value, text]) => h("option", { value: JSON.stringify(value), textContent: text }))); if (sources.some(([value]) => JSON.stringify(value) === kept)) source.value = kept; }
    if (!fine.childElementCount) { fine.replaceChildren(...grids.map((value) => h("option", { value, textContent: value.includes("/") ? `${value} beat` : value }))); fine.value = "1/4"; }
    if (document.activeElement !== strength || Number(strength.value) === now) strength.value = now;
    number.textContent = Number(strength.value).toFixed(2);
    const followed = rows.filter(({ word }) => lanes[word].on);
    title.textContent = followed.length ? followed.map(({ word }) => `${word} (${lanes[word].words})`).join(", ") : "nothing";
    for (const { word, lane, on, empty, words } of rows) {
      on.setAttribute("aria-pressed", String(lanes[word].on)); on.disabled = empty.disabled = !lanes[word].given;
      words.textContent = lanes[word].words || (word === "rhythm" ? "click, draw, tap or take" : "draw or take");
      lane.read(bytesOf(model.get(word))); lane.draw();
    }
    quantize.disabled = !lanes.rhythm.given; tick.setAttribute("aria-pressed", String(ticking));
    if (followed.length && !filled) node.open = true;
    filled = !!followed.length;
    const wanted = ticking && strokes.length ? JSON.stringify([strokes, deck.length]) : "";
    if (wanted !== ticks) {
      ticks = wanted;
      if (!wanted) return deck.setBeside(null);
      const samples = clicks(strokes, deck.length, SPEED), buffer = new AudioBuffer({ length: samples.length, sampleRate: SPEED });
      buffer.copyToChannel(samples, 0);
      deck.setBeside(buffer);
    }
  }
  return { node, update, close: () => recorder?.stop() };
}
