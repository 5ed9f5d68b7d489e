// The studio: the mask editor with a deck that plays, lanes to follow, a sampler, takes, live vamping and a blind test.
import { clock, unpack } from "./geometry.js";
import { h, button, choice, bytesOf } from "./dom.js";
import { Deck } from "./player.js";
import { sources, sampler, takes, blindTest } from "./takes.js";
import { followLanes } from "./lanes.js";

export function extendStudio({ root, grid, store, signal, facts }) {
  const { model } = store, panel = () => model.get("panel");
  const pictures = new Map(), asked = new Set();
  let wanted = null, entering = null, autoplay = false, shown = "mask", lastTakes = "", before = "";
  const deck = new Deck((place) => { store.head = place; time.textContent = `${clock(place)} of ${clock(deck.length)}`; root.dataset.position = place.toFixed(3); root.dataset.playing = deck.playing ? "1" : "0"; if (deck.playing) grid.follow(place); play.textContent = deck.playing ? "Pause" : "Play"; play.setAttribute("aria-pressed", String(!!deck.playing)); grid.redraw(4); });
  deck.length = store.sheet.sound || store.sheet.seconds;
  store.seek = (s) => { deck.seek(s); };

  const fetch = (id) => { if (!asked.has(id)) { asked.add(id); store.send({ type: "sound", which: id, view: store.view }); } };
  // Hears a sound, fetching it first where the page has not got it; the kernel is told which is chosen.
  function hear(id, tell = true) {
    wanted = id;
    if (tell && id !== "X") store.send({ type: "choose", which: id, view: store.view });
    autoplay = tell; // where it is asked for by hand
    if (!deck.has(id)) return fetch(id);
    deck.choose(id);
    show(id);
    if (tell && !deck.playing) deck.play();
  }
  function show(id) {
    const picture = pictures.get(id);
    if (!picture?.spectrum) return;
    Object.assign(store.sheet, { bands: picture.bands, columns: picture.columns, wave: picture.waves, sound: picture.seconds });
    Object.assign(store, { wave: picture.wave, spectrum: picture.spectrum, take: picture.codes?.length === store.mask.length ? picture : null }); // a take of another length has another grid
    see(store.take ? shown : "mask", false);
    grid.redraw(3); grid.repicture();
  }
  // Mask: what is drawn, over the tokens of the input. Result: the tokens of the take that is heard.
  function see(what, chosen = true) {
    if (chosen) shown = what;
    const take = what === "result" ? store.live ?? store.take : null;
    store.shown = take ? take.hidden : null; store.made = take ? take.made : null; store.tokens = take ? take.codes : null;
    look.update(); grid.redraw(2);
  }
  // Whoever draws wants to see what is drawn, also while a take is being made.
  store.drew = () => { store.drawn = true; store.live = null; if (store.shown) see("mask"); };

  const play = button("Play", "Play and pause (P)", () => (deck.wanted ? quiet() : deck.has(deck.chosen) ? deck.play() : hear(panel().chosen)), { className: "vk-main vk-play" });
  const quiet = () => { autoplay = false; deck.halt(); }; // a sound that is still on its way does not begin either
  const loop = button("Loop", "Loop the selection, or the whole sound (J)", () => { deck.setLoop(region(), !deck.looping); update(); });
  const time = h("span", { className: "vk-time" });
  const look = choice("What the grid shows", [["mask", "Mask", "What is drawn (X)"], ["result", "Result", "The tokens of the take that is heard (X)"]], () => (store.shown ? "result" : "mask"), (v) => see(v));
  const source = sources(store, panel), sample = sampler(store, panel), list = takes(store, panel, hear), blind = blindTest(store, panel, hear);
  const lanes = followLanes(store, grid, signal, deck, () => !deck.playing && (deck.has(deck.chosen) ? deck.play() : hear(panel().chosen)));
  const running = () => panel().job.state === "running";
  const generate = button("Generate", "Fill in what is hidden (G)", () => (running() ? store.send({ type: "cancel" }) : start()), { className: "vk-main vk-generate" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of the generation" }), told = h("span", { className: "vk-note vk-told" });
  const live = button("Live vamp", "Variations one after another, each coming in at a bar line (Y)", () => toggleLive()), chain = h("input", { type: "checkbox" }), roll = h("input", { type: "number", value: 0, min: -99, max: 99, step: 1, "aria-label": "Frames by which the mask moves on after each variation" });
  const crop = button("Crop", "Go on with the selection alone (Q)", () => store.ask({ type: "crop", frames: store.region.slice(2) })), circle = h("input", { type: "checkbox", onchange: () => store.ask({ type: "set", circular: circle.checked }) });
  const region = () => (store.region.length ? [store.region[2] * store.sheet.frame, Math.min(deck.length, store.region[3] * store.sheet.frame)] : null);
  function start() { store.ask({ type: "generate" }); }
  function toggleLive() {
    if (panel().live) return store.send({ type: "cancel" });
    store.ask({ type: "live", chain: chain.checked, roll: Math.round(Number(roll.value)) || 0 });
    if (!deck.playing) deck.has(deck.chosen) ? deck.play() : hear(panel().chosen);
  }
  const transport = h("div", { className: "vk-bar vk-transport", role: "group", "aria-label": "Playing" }, h("span", { className: "vk-group" }, play, loop, crop), time, look.node, h("span", { className: "vk-space" }),
    h("span", { className: "vk-group" }, live, h("label", { className: "vk-size", title: "Each variation is made from the one before" }, chain, h("span", { textContent: "each from the last" })), h("label", { className: "vk-size", title: "After each variation the mask moves on by so many frames" }, h("span", { textContent: "roll" }), roll)));
  const more = h("details", { className: "vk-fold vk-more" }, h("summary", { textContent: "More settings" }), h("div", { className: "vk-bar" }, ...sample.more));
  const desk = h("div", { className: "vk-bar vk-desk", role: "group", "aria-label": "Generating" }, generate, ...sample.node, h("label", { className: "vk-size", title: "Takes are loops: their end meets their start" }, circle, h("span", { textContent: "as a loop" })), bar, told);
  const credit = h("p", { className: "vk-note vk-credit" });
  root.classList.add("vampkit-studio");
  root.prepend(source.node);
  root.insertBefore(transport, facts.parentNode);
  root.insertBefore(lanes.node, transport);
  root.querySelector(".vk-folds").before(desk, more, list.node);
  root.querySelector(".vk-folds").prepend(blind.node);
  root.append(credit);
  Object.assign(store.acts, {
    play: () => play.onclick(), loop: () => loop.onclick(), seek: () => store.seek(grid.cursor.frame * store.sheet.frame), crop: () => crop.onclick(),
    generate: () => generate.onclick(), live: () => toggleLive(), see: () => see(store.shown ? "mask" : "result"),
    hear(key) { const id = [0, ...panel().takes.map((t) => t.id)][Number(key)]; if (id !== undefined) hear(id); },
  });
  const other = (event) => event.detail !== deck && deck.halt();
  document.addEventListener("vampkit-play", other, { signal });

  function update() {
    const p = panel();
    if (!p?.job) return;
    deck.length = store.sheet.sound || store.sheet.seconds;
    [source, sample, list, blind, look, lanes].forEach((part) => part.update());
    loop.setAttribute("aria-pressed", String(deck.looping)); loop.textContent = store.region.length ? "Loop selection" : "Loop";
    time.textContent = `${clock(deck.now())} of ${clock(deck.length)}`;
    crop.disabled = !store.region.length; circle.checked = p.circular; live.setAttribute("aria-pressed", String(p.live)); live.textContent = p.live ? "Stop live" : "Live vamp";
    generate.textContent = running() ? "Cancel" : "Generate"; generate.classList.toggle("vk-main", !running());
    const words = { running: told.textContent.startsWith("pass") ? told.textContent : `pass ${p.job.done} of ${p.job.total}`, done: `done in ${p.job.seconds} s`, cancelled: "cancelled", failed: "failed", idle: "" };
    bar.max = p.job.total || 1; bar.value = running() ? p.job.done : p.job.state === "done" ? bar.max : 0; told.textContent = words[p.job.state];
    root.dataset.job = p.job.state; root.dataset.takes = p.takes.length; root.dataset.chosen = p.chosen;
    if (running() && before !== "running") Object.assign(store, { drawn: false, start: null });
    if (!running()) { store.start = null; if (store.live) { store.live = null; see("mask", false); } }
    before = p.job.state;
    credit.textContent = p.credit ? `Music: ${p.credit}` : "";
    for (const id of [...pictures.keys()]) if (id !== 0 && id !== "X" && !p.takes.some((t) => t.id === id)) { pictures.delete(id); asked.delete(id); deck.drop(id); }
    const now = JSON.stringify(p.takes.map((t) => t.id));
    if (now !== lastTakes) { if (lastTakes && p.chosen && p.job.state === "done") shown = "result"; lastTakes = now; }
    if (wanted !== "X" && p.chosen !== wanted && !p.live) hear(p.chosen, false);
    if (pictures.has("X") && pictures.get("X") !== blind.trial()) { pictures.delete("X"); asked.delete("X"); deck.buffers.delete("X"); if (wanted === "X") deck.halt(); }
  }
  async function sound(content, buffers) {
    const [audio, ...rest] = buffers.map(bytesOf), id = content.id;
    await deck.add(id, audio);
    if (id === "X") pictures.set("X", content.trial);
    else {
      const picture = { bands: content.bands, columns: content.columns, waves: content.wave, seconds: content.sound, spectrum: rest[0], wave: new Int8Array(rest[1].slice().buffer) };
      if (rest.length > 2) Object.assign(picture, { codes: new Uint16Array(rest[2].slice().buffer), made: unpack(rest[3], rest[2].length / 2), hidden: new Uint8Array(rest[2].length / 2) });
      pictures.set(id, picture);
    }
    if (entering === id) { entering = null; enter(id); }
    else if (wanted === id) { deck.choose(id); show(id); if (autoplay && !deck.playing) deck.play(); autoplay = false; }
    update();
  }
  const enter = (id) => { wanted = id; deck.enter(id, store.sheet.times?.bars ?? [], () => { shown = "result"; show(id); store.send({ type: "entered" }); }); };
  function heard(content, buffers) {
    if (content.type === "sound") sound(content, buffers).catch((error) => store.announce(`This sound cannot be played here: ${error.message}`));
    else if (content.type === "live") { entering = content.id; fetch(content.id); if (deck.has(content.id)) enter(content.id); }
    else if (content.type === "progress") {
      bar.max = content.total; bar.value = content.done; told.textContent = `pass ${content.done} of ${content.total}${content.done < content.total ? `, ${content.left} left` : ""}`;
      if (!buffers.length) return;
      const [still, codes] = buffers.map(bytesOf), hidden = unpack(still, store.mask.length);
      if (store.drawn) return;
      store.start ??= store.mask.slice();
      store.live = { hidden, made: store.start.map((v, i) => v & !hidden[i]), codes: new Uint16Array(codes.slice().buffer) };
      store.shown = store.live.hidden; store.made = store.live.made; store.tokens = store.live.codes; grid.redraw(2); look.update();
    }
  }
  return { update, heard, resetSound: () => { asked.clear(); pictures.clear(); deck.halt(); deck.buffers.clear(); deck.chosen = null; deck.position = 0; wanted = panel().chosen; fetch(0); if (wanted) fetch(wanted); }, regionMoved: () => { deck.setLoop(region()); update(); }, close: () => { source.close(); lanes.close(); deck.close(); }, deck };
}
