// Panels of the studio: where the sound comes from, the sampler, the list of takes, and the blind test.
import { wav } from "./geometry.js";
import { h, button } from "./dom.js";
import { microphone } from "./microphone.js";

const PIECE = 1 << 20;
export const field = (text, node, title = "") => h("label", { className: "vk-size", title }, h("span", { textContent: text }), node);

// Sends bytes in pieces of a mebibyte, as large messages are cut off on their way.
export function upload(store, name, bytes, more = {}) {
  const count = Math.max(1, Math.ceil(bytes.length / PIECE));
  for (let index = 0; index < count; index++) store.ask({ type: "upload", name, index, count, ...more }, [bytes.slice(index * PIECE, (index + 1) * PIECE).buffer]);
}

export function sources(store, panel) {
  const bundled = h("select", { "aria-label": "Bundled clip" }), path = h("input", { type: "text", placeholder: "folder/sound.wav", "aria-label": "Path of a sound file", className: "vk-prompt" });
  const genre = h("select", { "aria-label": "Genre to compose" }), seed = h("input", { type: "number", value: 1000000, min: 0, max: 2147483647, "aria-label": "Seed of the composed piece", className: "vk-seed" });
  const file = h("input", { type: "file", accept: "audio/*", "aria-label": "Sound file to upload", onchange: async () => { const f = file.files[0]; if (f) upload(store, f.name, new Uint8Array(await f.arrayBuffer())); file.value = ""; } });
  const open = (source) => store.ask({ type: "load", source });
  path.addEventListener("keydown", (e) => { if (e.key === "Enter") open(path.value); });
  let recorder = null;
  const record = button("Record", "Record with the microphone", async () => {
    if (recorder) return recorder.stop();
    note.textContent = "";
    try {
      recorder = await microphone((samples, rate) => upload(store, "recording.wav", wav(samples, rate)), () => { recorder = null; record.textContent = "Record"; record.setAttribute("aria-pressed", "false"); });
      record.textContent = "Stop recording"; record.setAttribute("aria-pressed", "true");
    } catch (error) { note.textContent = `${error.message}; upload a file instead.`; }
  });
  const note = h("span", { className: "vk-note", role: "status" });
  const title = h("b"), summary = h("summary", {}, "Sound: ", title, h("span", { className: "vk-note", textContent: "  change" }));
  const node = h("details", { className: "vk-fold vk-source" }, summary,
    h("div", { className: "vk-bar" }, field("Clip", bundled), button("Open", "Open the bundled clip", () => open(bundled.value)), field("Composed", genre), field("Seed", seed), button("Compose", "Open a piece the library composes, with its true beats", () => store.ask({ type: "compose", genre: genre.value, seed: Math.round(Number(seed.value)) || 0 })),
      field("Upload", file), field("Path", path), button("Open path", "Open the file beside the kernel", () => open(path.value)), record, note));
  return { node, close: () => recorder?.stop(), update() {
    const p = panel();
    title.textContent = `${p.source}, ${p.length.toFixed(1)} s`;
    if (bundled.childElementCount !== p.clips.length) bundled.replaceChildren(...p.clips.map((v) => h("option", { value: v, textContent: v })));
    if (genre.childElementCount !== p.genres.length) genre.replaceChildren(...p.genres.map((v) => h("option", { value: v, textContent: v })));
  } };
}

export function sampler(store, panel) {
  const set = (values) => store.ask({ type: "set", ...values });
  // Python checks what is typed and says what is wrong. An empty field turns off what can be off (null, in Python None).
  const number = ({ name, label, text, whole, most, optional }) => {
    const step = whole ? 1 : most > 10 ? 0.5 : most > 1 ? 0.1 : 0.05;
    const shown = () => { input.value = panel().settings[name] ?? ""; };
    const read = () => (input.value !== "" ? set({ [name]: Number(input.value) }) : optional ? set({ [name]: null }) : shown());
    const input = h("input", { type: "number", step, min: 0, max: most, "aria-label": label, "data-name": name, onchange: read, onkeydown: (event) => { if (event.key === "Enter") read(); } });
    return { node: field(label, input, text), update: () => { if (document.activeElement !== input) shown(); } };
  };
  const preset = h("select", { "aria-label": "Sampler preset", onchange: () => preset.value !== "own" && store.ask({ type: "preset", name: preset.value }) });
  const [passes, ...rest] = panel().controls.map(number), seed = number({ name: "seed", label: "Seed", text: "Seed of the next take", whole: true, most: 2 ** 31 - 1 });
  const next = h("input", { type: "checkbox", onchange: () => set({ next_seed: next.checked }) });
  const node = [field("Preset", preset), passes.node, seed.node, h("label", { className: "vk-size", title: "Each take counts the seed on" }, next, h("span", { textContent: "next each time" }))];
  return { node, more: rest.map((r) => r.node), update() {
    const p = panel();
    if (preset.childElementCount !== p.presets.length + 1) preset.replaceChildren(...[...p.presets, "own"].map((v) => h("option", { value: v, textContent: v })));
    preset.value = p.preset; next.checked = p.next_seed; [passes, seed, ...rest].forEach((f) => f.update());
  } };
}

// The original and the takes as rows: hear, name, star, and what can be done with each.
export function takes(store, panel, hear) {
  const body = h("div", { className: "vk-takes", role: "list", "aria-label": "Original and takes" }), rows = new Map();
  function row(id) {
    const original = id === 0, play = button("", "", () => hear(id), { className: "vk-hear" });
    const name = original ? h("span", { className: "vk-take-name", textContent: "original" }) : h("input", { type: "text", className: "vk-take-name", "aria-label": `Name of take ${id}`, onchange: () => store.ask({ type: "rename", which: id, name: name.value }) });
    const star = original ? null : button("☆", "Star", () => store.ask({ type: "star", which: id, on: star.getAttribute("aria-pressed") !== "true" }), { className: "vk-star", "aria-label": `Star take ${id}` });
    const facts = h("span", { className: "vk-note" }), act = (text, title, type) => button(text, title, () => store.ask({ type, which: id }), { "aria-label": `${text}: take ${id}` });
    const node = h("div", { className: "vk-take", role: "listitem" }, play, star ?? h("span"), name, facts,
      h("span", { className: "vk-acts" }, ...(original ? [] : [act("Recall", "Bring back its mask, settings and seed", "recall"), act("Use as input", "Vamp on this take", "vamp_on"), act("Export", "Write WAV and record", "export"), act("Discard", "Drop this take", "discard")])));
    return { node, update(take, chosen, place) {
      play.textContent = `${place}`; play.setAttribute("aria-label", `Hear ${original ? "the original" : take.name}`); play.title = `Hear ${original ? "the original" : take.name}${place < 10 ? ` (${place})` : ""}`;
      play.setAttribute("aria-pressed", String(chosen)); node.dataset.chosen = chosen ? "1" : "0"; node.dataset.id = id;
      if (original) { facts.textContent = panel().source; return; }
      if (document.activeElement !== name) name.value = take.name;
      star.textContent = take.star ? "★" : "☆"; star.setAttribute("aria-pressed", String(take.star));
      facts.textContent = `seed ${take.seed}, ${take.hidden} % hidden, ${take.follows.length ? `follows ${take.follows.join(", ")}, ` : ""}${take.passes} passes, ${take.seconds} s to make`;
    } };
  }
  return { node: body, update() {
    const p = panel(), wanted = [{ id: 0 }, ...p.takes];
    for (const [id, r] of rows) if (!wanted.some((take) => take.id === id)) { r.node.remove(); rows.delete(id); }
    wanted.forEach((take, place) => {
      if (!rows.has(take.id)) { rows.set(take.id, row(take.id)); body.append(rows.get(take.id).node); }
      rows.get(take.id).update(take, p.chosen === take.id, place);
    });
  } };
}

export function blindTest(store, panel, hear) {
  const pick = (label) => h("select", { "aria-label": label }), a = pick("Sound A"), b = pick("Sound B"), trials = h("input", { type: "number", min: 1, max: 200, value: 10, "aria-label": "Trials" });
  const begin = h("div", { className: "vk-bar" }, field("A", a), field("B", b), field("Trials", trials), button("Begin", "Begin the blind test", () => store.ask({ type: "blind", a: Number(a.value), b: Number(b.value), trials: Math.round(Number(trials.value)) || 1 })));
  const listen = (text, id) => button(text, `Hear ${text}`, () => hear(id()), { "data-abx": text });
  const sounds = [listen("A", () => panel().abx.a), listen("B", () => panel().abx.b), listen("X", () => "X")];
  const answers = ["a", "b"].map((letter) => button(`X is ${letter.toUpperCase()}`, "Answer and go on", () => store.ask({ type: "answer", letter }), { className: "vk-main" }));
  const count = h("span", { className: "vk-note", role: "status" }), stop = button("Stop", "End the test", () => store.ask({ type: "stop_blind" }));
  const trial = h("div", { className: "vk-bar" }, h("span", { className: "vk-group" }, ...sounds), h("span", { className: "vk-group" }, ...answers), count, stop), result = h("p", { className: "vk-result", role: "status" });
  const node = h("details", { className: "vk-fold" }, h("summary", { textContent: "Blind test (ABX)" }), begin, trial, result);
  let made = "";
  return { node, trial: () => panel().abx?.done, update() {
    const p = panel(), options = [{ id: 0, name: "original" }, ...p.takes], key = JSON.stringify(options.map((o) => [o.id, o.name]));
    if (key !== made) { const kept = [a.value, b.value]; [a, b].forEach((s, i) => { s.replaceChildren(...options.map((o) => h("option", { value: o.id, textContent: o.name }))); s.value = options.some((o) => String(o.id) === kept[i]) && made ? kept[i] : options[Math.min(i, options.length - 1)].id; }); made = key; if (a.value === b.value && options.length > 1) b.value = options[options.length - 1].id; }
    begin.hidden = !!p.abx && !p.abx.over; trial.hidden = !p.abx || p.abx.over; result.hidden = !p.abx?.over;
    if (p.abx) { node.open = true; count.textContent = `trial ${Math.min(p.abx.done + 1, p.abx.trials)} of ${p.abx.trials}`; result.textContent = p.abx.words; }
  } };
}
