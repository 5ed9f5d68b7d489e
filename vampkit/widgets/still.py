"""Pictures of whole widgets, for pages where widgets do not run: labels, sound, token grid, settings and buttons.

Each function draws what its widget's page would show now, in the page's light colours, and gives a PNG with a palette.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np

from vampkit.show import spectra
from vampkit.widgets.panel_model import MOST_PASSES, Menu, offered
from vampkit.widgets.sound import sound_pictures

WIDTH, MARGIN, LABELS = 900, 16, 96  # pixels; the labels stand left of sound and grid
GROUND, SOFT, LINE, EDGE = (255, 255, 255), (241, 244, 247), (211, 218, 226), (133, 146, 163)
INK, QUIET, ACCENT, WRONG = (30, 41, 59), (75, 90, 110), (11, 107, 109), (180, 35, 24)
BLUE = (25, 118, 210)  # of JupyterLab's primary button
HATCH, TINT = (15, 139, 141), (183, 220, 221)
KEPT, MADE, FRESH = (
    ((205, 214, 226), (109, 126, 150)),
    ((253, 226, 170), (222, 160, 70)),
    ((244, 140, 80), (190, 60, 10)),
)
MEL = ((244, 246, 248), (176, 196, 214), (78, 110, 148), (30, 42, 84), (15, 15, 40))
ENTRIES = 1024  # over which the shades of the tokens are spread
MOST_TAKES = 12  # listed; a picture of more would be too long to read
COLOURS = 128  # of the palette
HIGH, GAP = 26, 8  # pixels of a control, and between two


@lru_cache(maxsize=8)
def _font(size: int = 12, bold: bool = False):
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / name), size)


class Sheet:
    """A white sheet that is filled from above; `y` is where the next row begins."""

    def __init__(self):
        from PIL import Image, ImageDraw

        self.image = Image.new("RGB", (WIDTH, 3000), GROUND)
        self.pen, self.y = ImageDraw.Draw(self.image), MARGIN

    def text(self, x: float, y: float, text: str, colour=INK, size: int = 12, bold: bool = False, anchor="lm") -> float:
        """Write, and return where the text ends."""
        self.pen.text((x, y), text, colour, _font(size, bold), anchor)
        return x + _font(size, bold).getlength(text)

    def row(self, *controls, left: int = MARGIN) -> None:
        """Draw controls side by side; those that find no place go to the next line."""
        x = left
        for control in controls:
            if x > left and x + control.width > WIDTH - MARGIN:
                x, self.y = left, self.y + HIGH + 6
            control.draw(self, x)
            x += control.width + GAP
        self.y += HIGH + GAP

    def paste(self, pixels: np.ndarray, x: int) -> None:
        """Lay RGB pixels [height, width, 3] on the sheet, the next row below them."""
        from PIL import Image

        self.image.paste(Image.fromarray(pixels.astype(np.uint8)), (x, self.y))
        self.y += len(pixels)

    def png(self) -> bytes:
        """The sheet in a frame, as bytes."""
        from PIL import Image

        self.pen.rounded_rectangle((0, 0, WIDTH - 1, self.y + 5), 10, None, LINE)
        image = self.image.crop((0, 0, WIDTH, self.y + 6))
        file = io.BytesIO()
        image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        return file.getvalue()


class Button:
    """A button; a main or pressed one is filled, one that does nothing now is pale."""

    def __init__(self, text: str, on: bool = False, idle: bool = False):
        self.text, self.on, self.idle = text, on, idle
        self.width = _font(12, on).getlength(text) + 14

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        fill, edge, colour = (ACCENT, ACCENT, GROUND) if self.on else (GROUND, EDGE, INK)
        if self.idle:
            edge, colour = LINE, EDGE
        sheet.pen.rounded_rectangle((x, sheet.y, x + self.width, sheet.y + HIGH), 5, fill, edge)
        sheet.text(x + self.width / 2, sheet.y + HIGH / 2, self.text, colour, bold=self.on, anchor="mm")


class Choice:
    """Buttons without a gap, one of them pressed."""

    def __init__(self, chosen: str, *words: str):
        self.buttons = [Button(word, word.lower() == chosen.lower()) for word in words]
        self.width = sum(button.width for button in self.buttons)

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        for button in self.buttons:
            button.draw(sheet, x)
            x += button.width


class Field:
    """A label and a framed value; `menu` adds a menu's arrow."""

    def __init__(self, label: str, value, menu: bool = False, width: float = 0):
        self.label, self.value, self.menu = label, "" if value is None else str(value), menu
        self.start = _font().getlength(label) + 7 if label else 0
        self.box = max(_font().getlength(self.value) + (34 if menu else 20), width, 40)
        self.width = self.start + self.box

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        middle, left, right = sheet.y + HIGH / 2, x + self.start, x + self.width
        sheet.text(x, middle, self.label, QUIET)
        sheet.pen.rounded_rectangle((left, sheet.y, right, sheet.y + HIGH), 5, GROUND, EDGE)
        sheet.text(left + 9, middle, self.value)
        if self.menu:
            sheet.pen.polygon([(right - 18, middle - 2), (right - 8, middle - 2), (right - 13, middle + 4)], QUIET)


class Words:
    """Text: quiet or strong, or a quiet name with a strong value."""

    def __init__(self, text: str, value: str = "", strong: bool = False, colour=None):
        self.text, self.value, self.strong, self.colour = text, value, strong, colour or (INK if strong else QUIET)
        self.start = _font(12, strong).getlength(text) + (7 if value else 0)
        self.width = self.start + _font(13, True).getlength(value) + (12 if value else 0)

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        sheet.text(x, sheet.y + HIGH / 2, self.text, self.colour, bold=self.strong)
        sheet.text(x + self.start, sheet.y + HIGH / 2, self.value, INK, 13, True)


class Check:
    """A box to tick, with its words."""

    def __init__(self, text: str, on: bool = False):
        self.words, self.on = Words(text), on
        self.width = self.words.width + 20

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        top = sheet.y + HIGH / 2 - 7
        sheet.pen.rounded_rectangle((x, top, x + 14, top + 14), 3, ACCENT if self.on else GROUND, EDGE)
        if self.on:
            sheet.pen.line([(x + 3, top + 7), (x + 6, top + 10), (x + 11, top + 3)], GROUND, 2)
        self.words.draw(sheet, x + 20)


class Slider:
    """A slider with its value in words behind it; without a colour a grey one with a white knob."""

    def __init__(self, part: float, text: str = "", width: float = 280, colour=None):
        self.part, self.words, self.track, self.colour = min(max(part, 0.0), 1.0), Words(text), width, colour
        self.width = width + 12 + self.words.width

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        middle, place = sheet.y + HIGH / 2, x + 8 + self.part * (self.track - 16)
        sheet.pen.rounded_rectangle((x, middle - 2, x + self.track, middle + 2), 2, LINE)
        if self.colour:
            sheet.pen.rounded_rectangle((x, middle - 2, place, middle + 2), 2, self.colour)
        sheet.pen.ellipse((place - 7, middle - 7, place + 7, middle + 7), self.colour or GROUND, EDGE)
        self.words.draw(sheet, x + self.track + 12)


class Swatch:
    """A colour of the grid and what it means."""

    def __init__(self, colour, text: str, hatched: bool = False):
        self.words = Words(text)
        self.pixels = np.broadcast_to(np.array(colour, float), (12, 16, 3)).copy()
        if hatched:
            self.pixels = _hatched(self.pixels, np.ones((12, 16), bool))
        self.width = self.words.width + 22

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        from PIL import Image

        sheet.image.paste(Image.fromarray(self.pixels.astype(np.uint8)), (int(x), sheet.y + 7))
        sheet.pen.rectangle((int(x), sheet.y + 7, int(x) + 15, sheet.y + 18), None, EDGE)
        self.words.draw(sheet, x + 22)


def _ramp(stops, part: np.ndarray) -> np.ndarray:
    """Colours [..., 3] between the stops, for numbers from 0 to 1."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(part, at, [stop[c] for stop in stops]) for c in range(3)], -1)


def _hatched(pixels: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Pixels [height, width, 3] with slanted lines where they are hidden."""
    y, x = np.indices(hidden.shape)
    lines = np.where(((x + y) % 7 < 2)[..., None], HATCH, TINT)
    return np.where(hidden[..., None], lines, pixels)


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
    pixels = _hatched(pixels, np.repeat(hidden[:, frames], high, 0))
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
