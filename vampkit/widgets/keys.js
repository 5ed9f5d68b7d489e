// The keyboard: every operation without a pointer. Keys are heard on the grid alone, and only while it has the focus.

export const KEYS = [
  ["Arrows", "move the cursor; with Ctrl by ten frames or one beat, with Shift select"],
  ["Home, End, Page Up, Page Down", "first and last frame, one view back and on"],
  ["Space", "change the cell under the brush: hide it, or keep it if it is hidden"],
  ["Enter", "draw with the tool: over the selection if there is one, else at the cursor"],
  ["H, E", "hide, erase (keep)"],
  ["B, R, T, K, C", "brush, box, time, row (codebook), column"],
  ["[ ], { }", "brush narrower and wider, lower and higher"],
  ["S, O, L", "next snapping, coarse only, lock the row"],
  ["I, A, Delete", "invert, hide all, keep all"],
  ["< >, M", "roll one frame (or beat) earlier and later, repeat the selection"],
  ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
  ["+ −, F, Z", "zoom, all in view, selection in view"],
  ["V", "waveform or mel spectrogram"],
  ["Escape", "drop the selection, then leave the grid"],
];

const TOOLS = { b: "brush", r: "box", t: "time", k: "row", c: "column" };

export function listenToKeys(store, grid, signal) {
  const { stage, cursor } = grid, frames = () => store.sheet.frames, rows = () => store.sheet.codebooks;
  let anchor = null;
  const by = () => { if (!store.state.points) return 10; const [a, b] = grid.beat(); return b - a; };
  const say = () => {
    const s = cursor.frame * store.sheet.frame, hidden = store.mask[cursor.row * frames() + cursor.frame];
    store.announce(`${store.sheet.names[cursor.row]}, frame ${cursor.frame}, ${s.toFixed(2)} seconds, ${hidden ? "hidden" : "kept"}`);
  };
  function move(row, frame, select) {
    if (select) {
      anchor ??= { row: cursor.row, frame: cursor.frame };
      grid.moveTo(row, frame);
      store.setRegion(grid.regionOf(anchor.frame, cursor.frame, [Math.min(anchor.row, cursor.row), Math.max(anchor.row, cursor.row) + 1]), true);
    } else { anchor = null; grid.moveTo(row, frame); }
    say();
  }
  const paint = (hidden) => store.gesture({ type: "paint", path: [[cursor.row, cursor.frame]], width: store.tools.width, height: Math.min(store.tools.height, rows()), hidden, snap: store.state.snap !== "frames" });
  function draw() {
    const hidden = (store.tools.ink ?? "hide") === "hide", [top, bottom, first, end] = store.region, { tool } = store.tools;
    if (!store.region.length) return store.gesture(grid.gestureOf(cursor, cursor, hidden, [[cursor.row, cursor.frame]]));
    const tall = tool === "time" || tool === "column" ? [0, rows()] : [top, bottom];
    store.gesture({ type: "rectangle", rows: tall, frames: tool === "row" ? [0, frames()] : [first, end], hidden, snap: false });
  }

  const plain = {
    " ": () => paint(!store.mask[cursor.row * frames() + cursor.frame]), Enter: draw,
    h: () => store.setTool({ ink: "hide" }), e: () => store.setTool({ ink: "keep" }),
    "[": () => store.setTool({ width: Math.max(1, store.tools.width - 1) }), "]": () => store.setTool({ width: Math.min(99, store.tools.width + 1) }),
    "{": () => store.setTool({ height: Math.max(1, store.tools.height - 1) }), "}": () => store.setTool({ height: Math.min(rows(), store.tools.height + 1) }),
    s: () => store.nextSnap(), o: () => store.gesture({ type: "coarse", on: !store.state.coarse_only }),
    l: () => store.gesture({ type: "lock", row: cursor.row, on: !store.state.locked.includes(cursor.row) }),
    i: () => store.gesture({ type: "invert" }), a: () => store.gesture({ type: "fill" }), Delete: () => store.gesture({ type: "clear" }), Backspace: () => store.gesture({ type: "clear" }),
    "<": () => store.roll(-1), ">": () => store.roll(1), ",": () => store.roll(-1), ".": () => store.roll(1), m: () => store.repeat(),
    "+": () => grid.zoom(1.5), "=": () => grid.zoom(1.5), "-": () => grid.zoom(1 / 1.5), f: () => grid.fit(), z: () => grid.fitRegion(),
    v: () => store.setTool({ sound: store.tools.sound === "mel" ? "wave" : "mel" }),
    Escape: () => { anchor = null; if (store.region.length) store.setRegion([], true); else stage.blur(); },
  };
  for (const [key, tool] of Object.entries(TOOLS)) plain[key] = () => store.setTool({ tool });

  stage.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, command = event.ctrlKey || event.metaKey;
    const page = Math.max(1, Math.floor(grid.view().width / grid.view().scale) - 1), far = command ? by() : 1;
    const moves = { ArrowLeft: [0, -far], ArrowRight: [0, far], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [0, -page], PageDown: [0, page], Home: [0, -frames()], End: [0, frames()] };
    if (event.altKey) return;
    if (key in moves) move(cursor.row + moves[key][0], cursor.frame + moves[key][1], event.shiftKey);
    else if (command && key === "z") store.gesture({ type: event.shiftKey ? "redo" : "undo" });
    else if (command && key === "y") store.gesture({ type: "redo" });
    else if (command) return;
    else if (store.keys?.[key]) { if (!event.repeat) store.keys[key](event); }
    else if (plain[key]) { cursor.shown = true; plain[key](); if (key === " " || key === "Enter") say(); }
    else return;
    grid.redraw(4);
    event.preventDefault();
    event.stopPropagation();
  }, { signal });
}
