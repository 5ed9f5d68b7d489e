// The keyboard: every operation without a pointer. Keys are heard on the grid alone, and only while it has the focus. Which key does what stands in operations.toml; here is how it is done.

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
  const size = (name, most, step) => store.setTool({ [name]: Math.min(most, Math.max(1, store.tools[name] + step)) });
  const tool = (name) => () => store.setTool({ tool: name });

  // What the editor does, by the names of operations.toml; the studio's own operations stand in store.acts.
  const acts = {
    toggle() {
      store.gesture({ type: "paint", path: [[cursor.row, cursor.frame]], ...grid.brush(), hidden: !store.mask[cursor.row * frames() + cursor.frame], snap: store.state.snap !== "frames" });
      say();
    },
    use_tool() {
      const hidden = (store.tools.ink ?? "hide") === "hide", [top, bottom, first, end] = store.region, chosen = store.tools.tool;
      const tall = chosen === "time" || chosen === "column" ? [0, rows()] : [top, bottom];
      if (!store.region.length) store.gesture(grid.gestureOf(cursor, cursor, hidden, [[cursor.row, cursor.frame]]));
      else store.gesture({ type: "rectangle", codebooks: tall, frames: chosen === "row" ? [0, frames()] : [first, end], hidden, snap: false });
      say();
    },
    ink_hide: () => store.setTool({ ink: "hide" }), ink_keep: () => store.setTool({ ink: "keep" }),
    brush_tool: tool("brush"), box_tool: tool("box"), time_tool: tool("time"), row_tool: tool("row"), column_tool: tool("column"),
    narrower: () => size("width", 99, -1), wider: () => size("width", 99, 1), lower: () => size("height", rows(), -1), higher: () => size("height", rows(), 1),
    zoom_in: () => grid.zoom(1.5), zoom_out: () => grid.zoom(1 / 1.5), fit: () => grid.fit(), fit_selection: () => grid.fitRegion(),
    sound_above: () => store.setTool({ sound: store.tools.sound === "mel" ? "wave" : "mel" }),
    leave() { anchor = null; if (store.region.length) store.setRegion([], true); else stage.blur(); },
    invert: () => store.gesture({ type: "invert" }), fill: () => store.gesture({ type: "fill" }), clear: () => store.gesture({ type: "clear" }),
    roll_earlier: () => store.roll(-1), roll_later: () => store.roll(1), repeat: () => store.repeat(),
    undo: () => store.gesture({ type: "undo" }), redo: () => store.gesture({ type: "redo" }),
    snap_to: () => store.nextSnap(), coarse_only: () => store.coarseOnly(), lock: () => store.lock(cursor.row),
  };

  // A key as operations.toml writes it: "I", "Space", "Ctrl+Shift+Z". Shift alone is part of the character.
  function nameOf(event) {
    const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
    return event.ctrlKey || event.metaKey ? `Ctrl+${event.shiftKey ? "Shift+" : ""}${key}` : key;
  }
  // Does what a key means, wherever it was pressed; false where it means nothing.
  store.press = (event) => {
    const key = nameOf(event), name = store.sheet.keys.find((row) => row.keys.includes(key))?.name;
    if (store.acts[name]) { if (!event.repeat) store.acts[name](key, event); }
    else if (acts[name]) { cursor.shown = true; acts[name](); }
    else return false;
    return true;
  };
  stage.addEventListener("keydown", (event) => {
    if (event.altKey) return;
    const page = Math.max(1, Math.floor(grid.view().width / grid.view().scale) - 1), far = event.ctrlKey || event.metaKey ? by() : 1;
    const moves = { ArrowLeft: [0, -far], ArrowRight: [0, far], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [0, -page], PageDown: [0, page], Home: [0, -frames()], End: [0, frames()] };
    if (event.key in moves) move(cursor.row + moves[event.key][0], cursor.frame + moves[event.key][1], event.shiftKey);
    else if (!store.press(event)) return;
    grid.redraw(4);
    event.preventDefault();
    event.stopPropagation();
  }, { signal });
}
