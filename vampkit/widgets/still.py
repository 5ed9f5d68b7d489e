"""Pictures of whole widgets, for pages where widgets do not run: labels, sound, token grid, settings and buttons.

Each function draws what its widget's page would show now, in the page's light colours, and gives a PNG with a palette.
"""

from __future__ import annotations

import io

import numpy as np

from vampkit.show import spectra
from vampkit.widgets.lanes import curve_bytes
from vampkit.widgets.panel_model import MOST_PASSES, MOST_STRENGTH, Menu, offered
from vampkit.widgets.sound import sound_pictures
from vampkit.widgets.still_parts import (
    ACCENT,
    EDGE,
    GAP,
    GROUND,
    HIGH,
    INK,
    LABELS,
    LINE,
    MARGIN,
    QUIET,
    SOFT,
    WIDTH,
    WRONG,
    Button,
    Check,
    Choice,
    Field,
    Sheet,
    Slider,
    Swatch,
    Words,
    hatched_over,
)

BLUE = (25, 118, 210)  # of JupyterLab's primary button
KEPT, MADE, FRESH = (
    ((205, 214, 226), (109, 126, 150)),
    ((253, 226, 170), (222, 160, 70)),
    ((244, 140, 80), (190, 60, 10)),
)
MEL = ((244, 246, 248), (176, 196, 214), (78, 110, 148), (30, 42, 84), (15, 15, 40))
ENTRIES = 1024  # over which the shades of the tokens are spread
LANE, BANDS = 48, (0.15, 0.25, 0.6)  # pixels of a lane; how dark its bands are, the highest first
MOST_TAKES = 12  # listed; a picture of more would be too long to read


def _ramp(stops, part: np.ndarray) -> np.ndarray:
    """Colours [..., 3] between the stops, for numbers from 0 to 1."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(part, at, [stop[c] for stop in stops]) for c in range(3)], -1)


def _columns(array: np.ndarray, width: int) -> np.ndarray:
    """An array whose last axis is time, stretched to so many pixels."""
    return array[..., np.arange(width) * array.shape[-1] // width]


def _ruler(sheet: Sheet, seconds: float, width: int) -> None:
    """Seconds above sound and grid."""
    left = MARGIN + LABELS
    step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 600, 3600) if seconds / s <= 12 or s == 3600)
    sheet.text(left - 10, sheet.y + 8, "time", QUIET, 11, anchor="rm")
    for n in range(int(seconds / step + 1e-6) + 1):
        x, text = left + n * step / seconds * width, f"{n * step:g} s"
        sheet.pen.line([(x, sheet.y + 14), (x, sheet.y + 20)], EDGE)
        sheet.text(min(x, left + width - 14), sheet.y + 7, text, QUIET, 11, anchor="mm" if n else "lm")
    sheet.y += 20


def _sound(sheet: Sheet, sizes: dict, wave: bytes, mel: bytes, seconds: float, width: int) -> None:
    """The sound above the grid: its mel spectrogram, and its waveform below."""
    left, part = MARGIN + LABELS, min(1.0, sizes["sound"] / seconds)
    shown = max(1, round(width * part))
    bands = np.frombuffer(mel, np.uint8).reshape(sizes["bands"], sizes["columns"]) / 255
    low, high = np.frombuffer(wave, np.int8).reshape(2, sizes["wave"]).astype(float) / 127
    tall = np.arange(76) * len(bands) // 76
    picture = np.full((112, width, 3), SOFT)
    picture[:76, :shown] = _ramp(MEL, _columns(bands[tall], shown))
    bottom, top = _columns(low, shown) - 0.04, _columns(high, shown) + 0.04
    height = np.linspace(1, -1, 32)[:, None]
    picture[78:110, :shown][(height <= top) & (height >= bottom)] = (100, 116, 139)
    for y, name in ((32, "mel"), (45, "spectrogram"), (94, "waveform")):
        sheet.text(left - 10, sheet.y + y, name, QUIET, 11, anchor="rm")
    sheet.paste(picture, left)
    sheet.y += 6


def _grid(sheet: Sheet, names: list[str], colours: np.ndarray, hidden: np.ndarray, high: int, width: int) -> None:
    """The token grid, colours [codebooks, frames, 3]: codebook 1 on top with its name, hidden cells hatched."""
    left, rows = MARGIN + LABELS, len(names)
    frames = np.arange(width) * hidden.shape[1] // width
    pixels = np.repeat(colours[:, frames], high, 0)
    pixels = hatched_over(pixels, np.repeat(hidden[:, frames], high, 0))
    pixels[high - 1 :: high] = GROUND
    pixels[spectra.COARSE * high - 2 : spectra.COARSE * high + 1] = GROUND
    for row, name in enumerate(names):
        if high >= 12 or row in (0, 3, rows - 1):
            sheet.text(left - 10, sheet.y + (row + 0.5) * high, name, QUIET, 11, anchor="rm")
    sheet.paste(pixels, left)
    sheet.y += 8


def _row_height(rows: int) -> int:
    return 26 if rows <= 5 else max(4, min(15, 300 // rows))


def _kept(codes: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """Colours of tokens [codebooks, frames, 3]: one shade an entry, or one for all where there is no sound."""
    if codes is None:
        return np.full((*shape, 3), (226, 231, 238), float)
    return _ramp(KEPT, codes / ENTRIES)


def _percent(mask: np.ndarray) -> str:
    return f"{100 * mask.mean():.1f} %"


def _stage(sheet: Sheet, editor) -> None:
    """The editor's tools, ruler, sound and grid."""
    facts, state, tools = editor.sheet, editor.state, editor.tools
    shape, width = (facts["codebooks"], facts["frames"]), WIDTH - 2 * MARGIN - LABELS
    undo, redo = state["undos"], state["redos"]
    sheet.row(
        Choice({"keep": "erase"}.get(tools.get("ink"), "hide"), "Hide", "Erase"),
        Choice(tools["tool"], "Brush", "Box", "Time", "Row", "Column"),
        *[Field(name.capitalize(), tools[name]) for name in ("width", "height") if tools["tool"] == "brush"],
        Field("Snap", state["snap"], menu=True),
        Button("Coarse only", state["coarse_only"]),
        Button(f"Undo {undo}" if undo else "Undo", idle=not undo),
        Button("Redo", idle=not redo),
    )
    _ruler(sheet, facts["seconds"], width)
    if editor.wave:
        _sound(sheet, facts, editor.wave, editor.spectrum, facts["seconds"], width)
    codes = np.frombuffer(editor.codes, "<u2").reshape(shape) if editor.codes else None
    names = [f"{name} ·" if row in state["locked"] else name for row, name in enumerate(facts["names"])]
    _grid(sheet, names, _kept(codes, shape), editor.mask, _row_height(shape[0]), width)


def _legend(*more) -> list:
    return [Swatch((135, 151, 173), "kept: the prompt"), Swatch(GROUND, "hidden: generated", hatched=True), *more]


def _below(sheet: Sheet, editor, *more) -> None:
    """The editor's read-outs, its message, and the stamps."""
    facts, state = editor.sheet, editor.state
    left, kept = MARGIN + LABELS, facts["bits"] * (1 - editor.mask.mean())
    numbers = [Words("Hidden", _percent(editor.mask)), Words("Kept", f"{kept:,.0f} bits/s")]
    sheet.row(*numbers, *_legend(*more), left=left)
    message = state["message"]
    if message["text"]:
        sheet.row(Words(message["text"][:110], colour=WRONG if message["wrong"] else QUIET), left=left)
    stamp = [Field("Prompt", "periodic:7", width=130), Choice("replace", "Replace", "Or", "And"), Button("Stamp", True)]
    acts = ("Invert", "Keep all", "Hide all", "‹ Roll", "Roll ›", "Repeat")
    sheet.row(*stamp, *(Button(act) for act in acts))


def editor(widget) -> bytes:
    """A picture of a MaskEditor."""
    sheet = Sheet()
    _stage(sheet, widget)
    _below(sheet, widget)
    sheet.row(Words("▸ Mask as text"), Words("▸ Keys"))
    return sheet.png()


def studio(widget) -> bytes:
    """A picture of a VampStudio with its takes."""
    sheet, panel = Sheet(), widget.panel
    settings, seconds = panel["settings"], panel["length"]
    sheet.row(Words("▸ Sound:"), Words(f"{panel['source']}, {seconds:.1f} s", strong=True), Words("change"))
    _stage(sheet, widget)
    _lanes(sheet, widget.lanes)
    played = [Button("Play", True), Button("Loop"), Button("Crop", idle=not widget.region)]
    time = Words(f"0:00.0 of {int(seconds // 60)}:{seconds % 60:04.1f}")
    live = [Button("Live vamp", panel["live"]), Check("each from the last"), Field("roll", 0)]
    sheet.row(*played, time, Choice("mask", "Mask", "Result"), *live, left=MARGIN + LABELS)
    _below(sheet, widget, Swatch((221, 154, 51), "newly generated"))
    sheet.pen.rounded_rectangle((MARGIN, sheet.y - 4, WIDTH - MARGIN, sheet.y + HIGH + 12), 8, SOFT)
    sheet.y += 4
    sheet.row(
        Button("Generate", True),
        Field("Preset", panel["preset"], menu=True),
        Field("Passes", settings["passes"]),
        Field("Seed", settings["seed"]),
        Check("next each time", panel["next_seed"]),
        Check("as a loop", panel["circular"]),
        left=MARGIN + 12,
    )
    sheet.y += 4
    sheet.row(Words("▸ More settings"))
    _takes(sheet, panel)
    sheet.row(Words("▸ Blind test (ABX)"), Words("▸ Mask as text"), Words("▸ Keys"))
    _credit(sheet, panel["credit"])
    return sheet.png()


def _lanes(sheet: Sheet, lanes) -> None:
    """What takes follow: the lanes that are on, one below another."""
    followed, width = [word for word in lanes if lanes[word].on], WIDTH - 2 * MARGIN - LABELS
    words = ", ".join(f"{word} ({lanes[word].words})" for word in followed) or "nothing"
    strength = Words(f"Strength {lanes.strength:.2f}") if followed else Words("")
    sheet.row(Words("▾ Follow:" if followed else "▸ Follow:"), Words(words[:90], strong=True), strength)
    for word in followed:
        rows = np.frombuffer(curve_bytes(lanes[word].control), np.uint8).reshape(-1, lanes.frames)
        rows, high = _columns(rows, width)[::-1], LANE // len(rows) * len(rows)
        if word == "harmony":
            shade = np.repeat(rows, high // len(rows), 0)[..., None] / 255
        else:
            above = 255 * np.linspace(1, 0, high)[:, None]  # of the middle of each pixel row
            shade = sum((above < row)[..., None] * part for row, part in zip(rows, BANDS[-len(rows) :], strict=True))
        sheet.text(MARGIN + LABELS - 10, sheet.y + high / 2, word, QUIET, 11, anchor="rm")
        sheet.paste(SOFT + (np.array(ACCENT) - SOFT) * shade, MARGIN + LABELS)
        sheet.y += 6


def _credit(sheet: Sheet, credit: str) -> None:
    if credit:
        sheet.row(Words(f"Music: {credit}"[:125]))


def _takes(sheet: Sheet, panel: dict) -> None:
    """The original and the latest takes, a row each."""
    rows = list(enumerate([{"id": 0, "name": "original"}, *panel["takes"]]))
    for place, take in rows[:1] + rows[1:][-MOST_TAKES:]:
        chosen = panel["chosen"] == take["id"]
        if chosen:
            sheet.pen.rectangle((MARGIN, sheet.y - 5, WIDTH - MARGIN, sheet.y + HIGH + 5), SOFT)
        sheet.pen.line([(MARGIN, sheet.y - 5), (WIDTH - MARGIN, sheet.y - 5)], LINE)
        row = [Button(str(place), chosen), Words(" " if not take["id"] else "★" if take["star"] else "☆")]
        row.append(Words(take["name"], strong=True))
        facts = panel["source"] if not take["id"] else f"seed {take['seed']}, {take['hidden']} % hidden"
        facts += f", follows {', '.join(take['follows'])}" if take["id"] and take["follows"] else ""
        acts = ("Recall", "Use as input", "Export", "Discard") if take["id"] else ()
        sheet.row(*row, Words(facts), *(Button(act) for act in acts), left=MARGIN + 8)


def scrubber(widget) -> bytes:
    """A picture of a SamplerScrubber at the pass it shows."""
    sheet, facts, place = Sheet(), widget.sheet, widget.place
    passes, view = widget.passes, widget.view
    sheet.row(
        *(Button("Play", True), Button("‹", idle=place == 1)),
        Slider((place - 1) / max(1, len(passes) - 1), width=210, colour=ACCENT),
        Button("›", idle=place == len(passes)),
        Words(f"pass {place} of {len(passes)}", strong=True),
        *(Choice(view, "Tokens", "Confidence", "Entropy"), Button("Hear this pass")),
    )
    width, state, codes = WIDTH - 2 * MARGIN - LABELS, passes.state[place - 1], passes.codes[place - 1]
    part, hidden = codes / ENTRIES, state == 1
    if view == "tokens":
        looks = [_ramp(stops, part) for stops in (KEPT, MADE, FRESH, MADE)]  # the prompt's, hidden, fresh, kept since
        colours = np.choose(state[..., None], looks)
        legend = [
            Swatch((135, 151, 173), "kept by the prompt"),
            Swatch((221, 154, 51), "kept earlier"),
            Swatch((217, 89, 28), "newly kept"),
            Swatch(GROUND, "hidden again", hatched=True),
        ]
    else:
        hidden, most = np.zeros_like(hidden), facts["most"]
        shown = passes.sure[place - 1] / 255 if view == "confidence" else passes.entropy[place - 1] / most
        colours, low, high = _ramp(MEL, shown), "unsure, or not guessed", "surest of this pass"
        if view == "entropy":
            low, high = "0 bits, or not guessed", f"{most:.0f} bits"
        legend = [Swatch(MEL[0], low), Swatch(MEL[-1], high)]
    _ruler(sheet, facts["seconds"], width)
    _grid(sheet, facts["names"], colours, hidden, 40 if len(state) <= 5 else 20, width)
    now, left = passes.facts(place - 1), MARGIN + LABELS
    counts = [("Guessed", "guessed"), ("Newly kept", "kept"), ("Hidden again", "hidden")]
    bits = Words("Entropy of the guesses", f"{now['entropy']:.2f} of {facts['most']:.0f} bits")
    sheet.row(*(Words(name, str(now[key])) for name, key in counts), bits, left=left)
    sheet.row(*legend, left=left)
    return sheet.png()


def _vamp(sheet: Sheet) -> None:
    """The panel's button and its bar of progress, which is empty."""
    right, middle = MARGIN + 140, sheet.y + HIGH / 2
    sheet.pen.rectangle((MARGIN, sheet.y, right, sheet.y + HIGH), BLUE)
    sheet.text((MARGIN + right) / 2, middle, "Vamp", GROUND, anchor="mm")
    sheet.pen.rectangle((right + 50, sheet.y + 3, right + 280, sheet.y + HIGH - 3), SOFT)
    sheet.y += HIGH + GAP


def explorer(rows: list[tuple], printed: str = "", figures: tuple[bytes, ...] = ()) -> bytes:
    """A picture of an Explorer: its controls, what was printed, and its figures, which are PNGs.

    rows: label, value, and where the slider stands, 0 to 1 (None: a menu), of each control.
    """
    from PIL import Image

    sheet, column = Sheet(), 190
    for name, value, part in rows:
        sheet.text(MARGIN + column - 12, sheet.y + HIGH / 2, name, QUIET, anchor="rm")
        if part is None:
            sheet.row(Field("", value, menu=True, width=300), left=MARGIN + column)
        else:
            sheet.row(Slider(part, f"{value:g}"), left=MARGIN + column)
    for line in printed.splitlines():
        sheet.row(Words(line, colour=INK))
    for figure in figures:
        sheet.paste(np.asarray(Image.open(io.BytesIO(figure)).convert("RGB")), MARGIN)
    return sheet.png()


def panel(model) -> bytes:
    """A picture of a VampPanel, from what its PanelModel holds."""
    sheet, column = Sheet(), 190
    rows = [("Prompt", Field("", offered()[model.kind].title, menu=True, width=300))]
    for number in model.numbers:
        value, name = model.values[number.name], number.unit[0].upper() + number.unit[1:]
        if isinstance(number, Menu):
            rows.append((name, Field("", value, menu=True, width=300)))
        else:
            rows.append((name, Slider((value - number.low) / max(1e-9, number.high - number.low), f"{value:g}")))
    rows += [("Seed", Field("", model.seed, width=160))]
    rows += [("Passes", Slider((model.passes - 1) / (MOST_PASSES - 1), str(model.passes)))]
    rows += [("Follow", Field("", model.follow, menu=True, width=300))]
    rows += [("Strength", Slider(model.strength / MOST_STRENGTH, f"{model.strength:.2f}"))]
    for name, control in rows:
        sheet.text(MARGIN + column - 12, sheet.y + HIGH / 2, name, QUIET, anchor="rm")
        sheet.row(control, left=MARGIN + column)
    _vamp(sheet)
    mask, tokens = model.mask.numpy(), model.made
    mask = mask.reshape(-1, *mask.shape[-2:])[0]
    kept = tokens.bits_per_second * (1 - mask.mean())
    sheet.row(Words(f"{_percent(mask)} of the tokens are hidden, {kept:.0f} bits a second are kept.", strong=True))
    width = WIDTH - 2 * MARGIN - LABELS
    _ruler(sheet, tokens.seconds, width)
    _sound(sheet, *sound_pictures(model.given, tokens.frames), tokens.seconds, width)
    codes = tokens.batch[0].numpy()
    _grid(sheet, spectra.codebook_names(len(mask)), _kept(codes, mask.shape), mask, _row_height(len(mask)), width)
    sheet.row(*_legend(), left=MARGIN + LABELS)
    _credit(sheet, model.original.credit)
    return sheet.png()
