const test = JSON.parse(document.getElementById("data").textContent), main = document.getElementById("test");
const make = (tag, props = {}, ...inside) => { const node = Object.assign(document.createElement(tag), props); node.append(...inside); return node; };
const below = (n) => crypto.getRandomValues(new Uint32Array(1))[0] % n; // n is small: the bias is below 1 in 10^8
const shuffled = (list) => { const out = [...list]; for (let i = out.length - 1; i > 0; i--) { const j = below(i + 1); [out[i], out[j]] = [out[j], out[i]]; } return out; };
const session = [...crypto.getRandomValues(new Uint8Array(6))].map((b) => b.toString(16).padStart(2, "0")).join("");
const rows = [];
let context = null, listener = "", onkey = null;

// All sounds of a trial run together, so that a switch stays at its place; one of them is heard.
class Deck {
  constructor(sounds) { this.sounds = sounds; this.heard = null; this.playing = null; }
  async ready() {
    context ??= new AudioContext();
    const bytes = (uri) => Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0)).buffer;
    this.buffers ??= await Promise.all(this.sounds.map((uri) => context.decodeAudioData(bytes(uri))));
  }
  async start() {
    await this.ready(); await context.resume();
    if (this.playing) return;
    const lanes = this.buffers.map((buffer, i) => {
      const fader = new Fader(context, 0), source = new AudioBufferSourceNode(context, { buffer, loop: true });
      fader.node.connect(context.destination); source.connect(fader.node); source.start(context.currentTime + 0.02);
      if (i === this.heard) fader.fade(1);
      return { fader, source };
    });
    this.playing = lanes;
  }
  stop() {
    if (!this.playing) return;
    this.playing.forEach(({ fader, source }) => { fader.fade(0); source.stop(context.currentTime + FADE + 0.01); });
    this.playing = null;
  }
  hear(i) {
    if (this.playing) this.playing.forEach(({ fader }, j) => (j === i || j === this.heard) && fader.fade(j === i ? 1 : 0));
    this.heard = i;
  }
}

function screen(heading, ...inside) {
  const title = make("h2", { textContent: heading, tabIndex: -1 });
  main.replaceChildren(make("h1", { textContent: test.title }), title, ...inside);
  title.focus();
}

function player(names, keys, sounds) {
  const deck = new Deck(sounds), said = make("p", { className: "said" });
  said.setAttribute("role", "status");
  const play = make("button", { type: "button", textContent: "Play", className: "main" });
  const choices = names.map((name, i) => make("button", { type: "button", textContent: name, onclick: () => choose(i) }));
  const listened = new Set();
  async function toggle() {
    if (deck.playing) deck.stop();
    else {
      if (deck.heard === null) choose(0, false);
      try { await deck.start(); } catch (error) { said.textContent = `This browser cannot play the sounds (${error.message}).`; return; }
      listened.add(deck.heard);
    }
    draw();
  }
  function choose(i, go = true) {
    deck.hear(i);
    if (deck.playing) listened.add(i);
    draw();
    if (go && !deck.playing) toggle();
    onheard();
  }
  let onheard = () => {};
  function draw() {
    play.textContent = deck.playing ? "Stop" : "Play";
    choices.forEach((button, i) => button.setAttribute("aria-pressed", String(i === deck.heard)));
    said.textContent = deck.playing ? `playing ${names[deck.heard]}, round and round` : "silent";
    main.dataset.playing = deck.playing ? names[deck.heard] : "";
    onheard();
  }
  play.onclick = toggle;
  const key = (event) => {
    const pressed = event.key.toUpperCase();
    if (event.ctrlKey || event.metaKey || event.altKey || ["TEXTAREA"].includes(event.target.tagName) || event.target.type === "text") return;
    const i = keys.indexOf(pressed);
    if (pressed === "P") toggle(); else if (i >= 0) choose(i); else return;
    event.preventDefault();
  };
  draw();
  return { deck, play, choices, said, key, listened, whenHeard: (f) => { onheard = f; } };
}

function mushra(trial, number, done) {
  const hidden = shuffled(Object.keys(trial.sounds)), began = performance.now();
  const names = ["Reference", ...hidden.map((_, i) => String.fromCharCode(65 + i))];
  const keys = ["R", ...hidden.map((_, i) => String(i + 1))];
  const it = player(names, keys, [trial.sounds.reference, ...hidden.map((condition) => trial.sounds[condition])]);
  const moved = new Set(), next = make("button", { type: "button", textContent: "Next", className: "main", disabled: true });
  const sliders = hidden.map((_, i) => {
    const slider = make("input", { type: "range", min: 0, max: 100, step: 1, value: 50 }), shown = make("output", { textContent: "–" });
    slider.setAttribute("aria-label", `Rating of sound ${names[i + 1]}, 0 bad to 100 excellent`);
    slider.oninput = () => { moved.add(i); shown.textContent = slider.value; check(); };
    return { slider, shown };
  });
  const check = () => { next.disabled = moved.size < hidden.length || it.listened.size < names.length; };
  it.whenHeard(check);
  next.onclick = () => {
    it.deck.stop();
    hidden.forEach((condition, i) => rows.push([number, trial.name, i + 1, condition, sliders[i].slider.value, "", "", ((performance.now() - began) / 1000).toFixed(1)]));
    done();
  };
  onkey = it.key;
  const [reference, ...buttons] = it.choices;
  screen(`Trial ${number} of ${test.trials.length}: how close is each sound to the reference?`,
    make("p", { textContent: "One of the sounds is the reference itself: it deserves 100. Hear each, then move its slider." }),
    make("div", { className: "row" }, it.play, reference),
    make("div", { className: "words" }, ...["bad", "poor", "fair", "good", "excellent"].map((word) => make("span", { textContent: word }))),
    ...sliders.map(({ slider, shown }, i) => make("div", { className: "rated" }, buttons[i], slider, shown)),
    it.said, make("div", { className: "row" }, next),
    make("p", { className: "keys", textContent: "Keys: P plays and stops, R the reference, 1 to 9 the sounds, Tab and arrows the sliders." }));
}

function abx(trial, number, done) {
  const pair = shuffled(Object.keys(trial.sounds)), x = below(2), began = performance.now();
  const it = player(["A", "B", "X"], ["A", "B", "X"], [...pair, pair[x]].map((condition) => trial.sounds[condition]));
  const answers = ["A", "B"].map((name, i) => make("button", { type: "button", textContent: `X is ${name}`, disabled: true, onclick: () => {
    it.deck.stop();
    rows.push([number, trial.name, 1, `${pair[0]}|${pair[1]}`, "", pair[x], pair[i], ((performance.now() - began) / 1000).toFixed(1)]);
    done();
  } }));
  it.whenHeard(() => answers.forEach((button) => { button.disabled = it.listened.size < 3; }));
  onkey = it.key;
  screen(`Question ${number} of ${test.trials.length * test.repeats}: is X the sound A or the sound B?`,
    make("div", { className: "row" }, it.play, ...it.choices), it.said, make("div", { className: "row" }, ...answers),
    make("p", { className: "keys", textContent: "Keys: P plays and stops; A, B and X choose what is heard; Tab leads to the answers. Hear all three first." }));
}

const quoted = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
function finish() {
  onkey = null;
  const head = ["listener", "session", "test", "kind", "question", "trial", "position", "condition", "score", "x", "answer", "seconds"];
  const csv = [head, ...rows.map((row) => [listener, session, test.title, test.kind, ...row])].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  const name = `${test.kind}-${session}.csv`, area = make("textarea", { readOnly: true, value: csv });
  area.setAttribute("aria-label", "The results as CSV");
  const link = make("a", { href: URL.createObjectURL(new Blob([csv], { type: "text/csv" })), download: name, textContent: `Save ${name}` });
  screen("Done. Thank you.", make("p", { textContent: "Save the results and hand them in; nothing has been sent anywhere." }), make("p", {}, link), area);
  removeEventListener("beforeunload", warn);
}

const warn = (event) => event.preventDefault();
addEventListener("keydown", (event) => onkey && onkey(event));
const questions = shuffled(test.trials.flatMap((trial) => Array(test.repeats).fill(trial)));
function go(number) { return number > questions.length ? finish() : (test.kind === "abx" ? abx : mushra)(questions[number - 1], number, () => go(number + 1)); }

const who = make("input", { type: "text", id: "who", autocomplete: "off" });
const begin = make("button", { type: "submit", className: "main", textContent: "Begin" });
const form = make("form", { onsubmit: (event) => { event.preventDefault(); listener = who.value.trim() || session; addEventListener("beforeunload", warn); go(1); } },
  make("p", {}, make("label", { htmlFor: "who", textContent: "A name or number of yours (may be left empty)" }), who), begin);
screen("Before you begin", make("p", { textContent: "Use headphones, in a quiet room. Set a volume that is comfortable now, and leave it. The order of sounds is drawn anew for each listener." }), form);
