(() => {
  const clock = (s) => `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, "0")}`;
  const bytes = (uri) => Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0)).buffer;
  const make = (tag, props) => Object.assign(document.createElement(tag), props);

  function setup(root) {
    root.dataset.ready = "1";
    const find = (name) => root.querySelector(name), all = (name) => [...root.querySelectorAll(name)];
    find(".vk-parts").replaceWith(...make("div", { innerHTML: find(".vk-parts").textContent }).childNodes); // see Player.html
    const sounds = all("audio"), views = all(".vk-view"), axis = find(".vk-axis"), head = find(".vk-head"), facts = all(".vk-facts");
    const seconds = Number(root.dataset.seconds), names = sounds.map((a) => a.getAttribute("aria-label"));
    const controls = find(".vk-controls");
    const play = make("button", { type: "button", className: "vk-play", textContent: "Play" });
    const loop = make("button", { type: "button", textContent: "Loop" });
    const time = make("span", { className: "vk-time" });
    const choices = names.map((name, i) => {
      const button = make("button", { type: "button", title: `Hear ${name} (key ${i + 1})` });
      button.append(make("kbd", { textContent: i + 1 }), name);
      return button;
    });
    const many = names.length > 9, slide = make("input", { type: "range", min: 0, max: names.length - 1, step: 1, value: 0 }), said = make("span", { className: "vk-said" });
    slide.setAttribute("aria-label", "Sound");
    slide.oninput = () => choose(Number(slide.value));
    controls.append(play, ...(many ? [slide, said] : choices.length > 1 ? choices : []), loop, time);
    let buffers = null, context = null, playing = null, position = 0, chosen = 0, looping = false, busy = false, frame = 0;

    const now = () => (playing ? Math.min(seconds, Math.max(0, context.currentTime - playing.zero)) : position);
    function draw() {
      const at = now();
      head.style.left = `${(100 * at) / seconds}%`;
      time.textContent = `${clock(at)} of ${clock(seconds)}`;
      axis.setAttribute("aria-valuenow", at.toFixed(2));
      axis.setAttribute("aria-valuetext", `${clock(at)} of ${clock(seconds)}, hearing ${names[chosen]}`);
      play.textContent = playing ? "Pause" : "Play";
      root.dataset.position = at.toFixed(3); root.dataset.playing = playing ? "1" : "0"; root.dataset.chosen = chosen;
    }
    function tick() {
      if (!playing) return;
      if (!root.isConnected) return halt();
      if (context.currentTime - playing.zero >= seconds) { halt(); position = looping ? 0 : seconds; if (looping) return begin(); return draw(); }
      draw();
      frame = requestAnimationFrame(tick);
    }
    function halt() {
      if (!playing) return;
      position = now();
      const old = playing; playing = null;
      old.master.fade(0);
      old.sources.forEach((s) => s.stop(context.currentTime + FADE + 0.01));
      setTimeout(() => old.master.node.disconnect(), 200);
      cancelAnimationFrame(frame);
      draw();
    }
    async function begin() {
      if (busy || playing) return;
      busy = true;
      try {
        window.vampkitSound ??= new AudioContext();
        context = window.vampkitSound;
        await context.resume();
        buffers ??= await Promise.all(sounds.map((a) => context.decodeAudioData(bytes(a.src))));
      } catch (error) { fail(error); return; } finally { busy = false; }
      document.dispatchEvent(new CustomEvent("vampkit-play", { detail: root }));
      if (position >= seconds - 0.01) position = 0;
      const master = new Fader(context, 0), when = context.currentTime + 0.02;
      master.node.connect(context.destination);
      const lanes = buffers.map((_, i) => new Fader(context, i === chosen ? 1 : 0)), sources = [];
      buffers.forEach((buffer, i) => {
        lanes[i].node.connect(master.node);
        if (position >= buffer.duration) return;
        const source = new AudioBufferSourceNode(context, { buffer });
        source.connect(lanes[i].node);
        source.start(when, position); // all run together, so a switch stays at the same place
        sources.push(source);
      });
      playing = { zero: when - position, sources, lanes, master };
      master.fade(1);
      tick();
    }
    function fail(error) {
      find(".vk-sounds").hidden = false;
      controls.replaceChildren(make("p", { className: "vk-error", textContent: `This browser could not prepare the sound (${error.message}); use the plain controls below.` }));
    }
    function seek(to) {
      const was = playing;
      halt();
      position = Math.min(seconds, Math.max(0, to));
      draw();
      if (was && position < seconds) begin();
    }
    function choose(i) {
      if (!(i >= 0 && i < names.length)) return;
      if (playing && i !== chosen) playing.lanes.forEach((lane, j) => (j === i || j === chosen) && lane.fade(j === i ? 1 : 0));
      chosen = i;
      views.forEach((view) => (view.hidden = Number(view.dataset.clip) !== i));
      choices.forEach((button, j) => button.setAttribute("aria-pressed", String(j === i)));
      slide.value = i; said.textContent = names[i]; slide.setAttribute("aria-valuetext", names[i]);
      draw();
    }
    function setLoop(on) { looping = on; loop.setAttribute("aria-pressed", String(on)); }

    play.onclick = () => (playing ? halt() : begin());
    loop.onclick = () => setLoop(!looping);
    choices.forEach((button, i) => (button.onclick = () => choose(i)));
    const place = (event) => { const box = axis.getBoundingClientRect(); return (seconds * (event.clientX - box.left)) / box.width; };
    let held = null;
    axis.onpointerdown = (event) => { if (event.button) return; held = !!playing; halt(); axis.setPointerCapture(event.pointerId); seek(place(event)); };
    axis.onpointermove = (event) => { if (held !== null) seek(place(event)); };
    axis.onpointerup = axis.onpointercancel = () => { const go = held; held = null; if (go && position < seconds) begin(); };
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 };
    root.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.target.tagName === "AUDIO") return;
      const key = event.key, onAxis = event.target === axis;
      if (event.target === slide && (key in steps || key === "Home" || key === "End")) { event.stopPropagation(); return; }
      if (key in steps) seek(now() + steps[key]);
      else if (key === "Home") seek(0);
      else if (key === "End") seek(seconds);
      else if ((key === " " || key === "Enter") && onAxis) play.onclick();
      else if (key >= "1" && key <= "9") choose(Number(key) - 1);
      else if (key === "l" || key === "L") setLoop(!looping);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    document.addEventListener("vampkit-play", (event) => event.detail !== root && halt());

    for (const [name, value] of Object.entries({ role: "slider", tabindex: 0, "aria-label": "Place in the sound", "aria-valuemin": 0, "aria-valuemax": seconds })) axis.setAttribute(name, value);
    find(".vk-sounds").hidden = find(".vk-still").hidden = true;
    head.hidden = false;
    setLoop(false);
    choose(0);
  }

  const own = document.currentScript && document.currentScript.closest(".vampkit-player");
  new Set([own, ...document.querySelectorAll(".vampkit-player")]).forEach((root) => root?.querySelector(".vk-parts") && !root.dataset.ready && setup(root)); // a panel's preview has pictures alone
})();
