"""VampStudio: open a sound, draw a mask, let takes follow a rhythm, generate, compare, vamp live.

A thin view of a Session, on top of the mask editor.
"""

from __future__ import annotations

import os
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import traitlets as t

from vampkit import masks
from vampkit.audio import Clip, clips
from vampkit.codec import Tokens
from vampkit.controls import Control
from vampkit.errors import VampkitError
from vampkit.music import GENRES, Piece, compose
from vampkit.pipeline import TakeSettings, Vamp
from vampkit.pipeline.settings import SETTINGS, with_settings
from vampkit.show.player import to_mp3
from vampkit.widgets import assets, cells, operations, printed, still
from vampkit.widgets.abx import BlindTest
from vampkit.widgets.editor import SCRIPTS, MaskEditor, passed_on, shown
from vampkit.widgets.history import Entry, History, Which
from vampkit.widgets.lanes import GRIDS, SHOWN, Lanes, curve_bytes
from vampkit.widgets.pace import in_words
from vampkit.widgets.session import PRESETS, Session
from vampkit.widgets.sound import sound_pictures
from vampkit.widgets.taking import sources

PICTURES_A_SECOND = 10  # pictures of the grid during a generation
BYTES_A_SECOND = 300_000  # for these pictures: Jupyter's server drops messages above 1,000,000 bytes in three seconds
MOST_UPLOAD = 100 * 2**20

"""A take by its number, its name or its entry in the history."""

Sound = Clip | Tokens | Piece | str | os.PathLike | np.ndarray
"""What the studio can open: a clip, tokens, a composed piece, the name of a bundled clip, a path, or samples."""


class VampStudio(MaskEditor):
    """The studio: a sound, a mask drawn over it, lanes of what takes follow, and the takes made from them.

    All that can be done by hand can also be done by code: `studio.stamp("periodic:7"); studio.take_from("rhythm");
    take = studio.generate(wait=True)`. Errors are shown in the studio. In a call by code they are also raised.
    `close()` stops running generations and frees all resources.

    Notebook: 10

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    sound : Clip, Tokens, Piece, str, PathLike or ndarray
        A clip, tokens, a composed piece (with its beats), the name of a bundled clip, a path, or samples [channels,
        samples] with a rate.
    rate : int, optional
        Sample rate, if the sound is an array.
    seed : int
        Seed of the first take.
    preset : str
        The first settings: "paper", "paper, 12 passes", "app 2023" or "sketch".

    Raises
    ------
    TypeError, ValueError, VampkitError, FileNotFoundError
        For a sound that cannot be opened, or an unknown preset.
    """

    _own = ("fade.js", "player.js", "microphone.js", "takes.js", "lane.js", "lanes.js", "studio.js")
    _esm = assets.module(*SCRIPTS, *_own, render="mountEditor(model, el, extendStudio)")
    _css = assets.text("editor.css") + assets.text("studio.css")
    _operations = operations.STUDIO

    panel = t.Dict().tag(sync=True)
    lane_facts = t.Dict().tag(sync=True)
    rhythm = t.Bytes().tag(sync=True)
    harmony = t.Bytes().tag(sync=True)
    loudness = t.Bytes().tag(sync=True)

    def __init__(
        self, vamp: Vamp, sound: Sound, *, rate: int | None = None, seed: int = 0, preset: str = "paper, 12 passes"
    ):
        self.session, self._pictured, self._upload = None, 0.0, []
        sound = sound if rate is None else Clip(np.asarray(sound), rate, "array")
        session = Session(vamp, sound, seed=seed, preset=preset)
        super().__init__(session.model, pace=session.pace)
        self.session = session
        session.tell = self._told
        self._refresh()

    # What it holds

    @property
    def history(self) -> History:
        """The takes made so far."""
        return self.session.history

    @property
    def settings(self) -> TakeSettings:
        """Settings of the next take, including its seed."""
        return self.session.settings

    @property
    def lanes(self) -> Lanes:
        """What takes follow: `studio.lanes.tap(0.5)`, `studio.lanes.draw("loudness", [(0, -2), (100, 0)])`."""
        return self.session.lanes

    def as_code(self) -> str:
        """Write the Python call that makes the next take without the studio.

        Returns
        -------
        str
            A call of `Vamp.vamp` with `clip`, which is `studio.clip`; or with `tokens`, which are
            `studio.model.tokens`, where these are not simply those of the clip. It uses the names of vampkit,
            `vampkit.controls` and MaskModel.
        """
        return printed.call(self.session)

    # Sound

    @shown
    def load(self, source: Sound, rate: int | None = None, name: str = "") -> None:
        """Open another sound. The takes are kept. The mask is kept if the length is the same.

        Parameters
        ----------
        source : Clip, Tokens, Piece, str, PathLike or ndarray
            A clip, tokens, a composed piece (with its beats), the name of a bundled clip, a path, or samples
            [channels, samples] with a rate.
        rate : int, optional
            Sample rate, if the sound is an array.
        name : str
            A new name for the sound.

        Raises
        ------
        TypeError, ValueError, VampkitError, FileNotFoundError
            If the sound cannot be opened. Then nothing is changed.
        """
        self.session.open(source, rate, name)

    @shown
    def compose(self, genre: str | None = None, seed: int = 1_000_000, seconds: float = 12.0) -> None:
        """Compose a piece and open it, with its true beats and bars.

        Parameters
        ----------
        genre : str, optional
            One of `vampkit.music.GENRES`; None: the seed chooses it.
        seed : int
            Seed of the piece.
        seconds : float
            Length of the piece.

        Raises
        ------
        ValueError
            For an unknown genre.
        """
        piece = compose(seed, genre, seconds)
        self.session.open(piece, name=f"composed {piece.genre} {seed}")

    @shown
    def crop(self, start: float | None = None, end: float | None = None) -> None:
        """Keep only a stretch of time of the sound, with the mask over it.

        Parameters
        ----------
        start, end : float, optional
            Start and end in seconds. They snap as gestures do. None: the selection.

        Raises
        ------
        ValueError
            If no stretch is given or selected.
        """
        if start is not None or end is not None:
            self.loop(start, end)
        self._crop()

    @shown
    def loop(self, start: float | None = None, end: float | None = None) -> None:
        """Play a stretch of time in a loop.

        Parameters
        ----------
        start, end : float, optional
            Start and end in seconds. They snap as gestures do. None: the whole sound.

        Raises
        ------
        ValueError
            For times outside the sound, or an end that is not later than the start.
        """
        if start is None or end is None:
            self.region = []
            return
        model, rate = self.model, self.model.tokens.frame_rate
        first, last = (cells.whole("the loop's frame", round(s * rate), 0, model.frames) for s in (start, end))
        first, last = cells.span("the loop's frames", (min(first, model.frames - 1), last), model.frames)
        if model.snap != "frames":
            first, last = cells.snap_range(model.snap_points(), first, last)
        self.region = [0, model.codebooks, first, last]

    # Lanes

    take_from = passed_on(Session, "take_from", "session")
    quantize = passed_on(Session, "quantize", "session")

    # Takes

    @shown
    @partial(with_settings, changes=True)
    def set(self, *, next_seed: bool | None = None, circular: bool | None = None, **settings) -> None:
        """Change settings of the next takes. Settings that are not given do not change.

        Parameters
        ----------
        next_seed : bool, optional
            Increase the seed by 1 after each take.
        circular : bool, optional
            Make loops, whose end fits their start.
        **settings
            See `vampkit.pipeline.SETTINGS`.

        Raises
        ------
        TypeError, ValueError
            For an invalid value. Then nothing is changed.
        """
        self.session.set(next_seed=next_seed, circular=circular, **settings)

    @shown
    def preset(self, name: str) -> None:
        """Use the settings of a preset. The seed does not change.

        Parameters
        ----------
        name : str
            "paper", "paper, 12 passes", "app 2023" or "sketch".

        Raises
        ------
        ValueError
            For an unknown name.
        """
        self.session.use(name)

    @shown
    def generate(self, wait: bool = False, seed: int | None = None) -> Entry | None:
        """Fill in what is hidden, in a thread.

        Parameters
        ----------
        wait : bool
            Wait for the take, and raise errors of the generation. Otherwise return at once.
        seed : int, optional
            Seed of this take. Later takes use the next seeds.

        Returns
        -------
        Entry, optional
            With `wait`, the take in the history, or None if it was cancelled. Without `wait`, None.

        Raises
        ------
        ValueError
            If nothing is hidden, or a take is already being generated.
        """
        made = self.session.generate(wait, seed)
        return made if wait else None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the take that is being generated.

        Parameters
        ----------
        timeout : float, optional
            Longest time to wait, in seconds.

        Returns
        -------
        bool
            True if no take is being generated any more.
        """
        return self.session.job is None or self.session.job.wait(timeout)

    cancel = passed_on(Session, "cancel", "session")
    live = passed_on(Session, "live", "session")
    choose = passed_on(Session, "choose", "session")
    recall = passed_on(Session, "recall", "session")
    vamp_on = passed_on(Session, "vamp_on", "session")
    rename = passed_on(History, "rename", "history")
    star = passed_on(History, "star", "history")
    discard = passed_on(Session, "discard", "session")
    blind = passed_on(Session, "blind", "session")

    @shown
    def export(self, which: Which, folder: str | os.PathLike = "takes") -> Path:
        """Write the sound of a take as WAV, and its record as JSON.

        Parameters
        ----------
        which : int, str or Entry
            Number, name or entry of a take.
        folder : str or PathLike
            Folder for the files.

        Returns
        -------
        Path
            The WAV file.

        Raises
        ------
        ValueError
            If there is no such take.
        """
        path = self.history.export(which, folder)
        self.say(f"Wrote {path} and its record {path.with_suffix('.json').name}.")
        return path

    def close(self) -> None:
        """Stop running generations and free the resources of the studio. Session and takes are kept."""
        if not self._closed:
            self.session.close()
            self.session.tell = lambda what, about: None
            super().close()

    # Inside

    def _crop(self, frames: list[int] | None = None) -> None:
        """Keep only some frames.

        frames: the selection in the page. It is passed in the message, since the trait `region` may arrive later.
        """
        frames = frames or self.region[2:]
        if not frames:
            raise ValueError(
                "no stretch of time is selected, one was expected; "
                "drag on the ruler, or give its start and end in seconds"
            )
        self.session.crop(*frames)

    def _told(self, what: str, about) -> None:
        """Callback of the session, called from any thread."""
        if self._closed:
            return
        if what == "progress":
            self._show_progress(about)
        elif what == "sound":
            self._message = {"text": "", "wrong": False}
            self._open(self.session.model, None)
        elif what == "times":
            self._draw_sheet()
        elif what == "live":
            self._refresh()
            self.send({"type": "live", "id": about.number})
        elif what == "wrong":
            self.say(str(about), wrong=True)
        else:
            self._refresh()

    def _show_progress(self, progress) -> None:
        now, shape = time.monotonic(), (self.model.codebooks, self.model.frames)
        size = 2.125 * shape[0] * shape[1]  # two bytes per token, and one bit for the mask
        pause = max(1 / PICTURES_A_SECOND, size / BYTES_A_SECOND)
        if progress.take is None and now - self._pictured < pause and progress.done > 1:
            return
        self._pictured = now
        mask, codes = progress.mask[0], progress.codes[0].numpy()
        picture = [masks.pack(mask), codes.astype("<u2").tobytes()]
        fits = tuple(mask.shape) == shape  # another sound may have been opened meanwhile
        left = in_words(self.session.job.left)
        content = {"done": progress.done, "total": progress.total, "stage": progress.stage, "left": left}
        self.send({"type": "progress", **content}, buffers=picture if fits else [])

    def _facts(self) -> dict:
        facts = super()._facts()
        job = self.session.job if self.session is not None else None
        if job is not None and job.state == "failed" and not facts["message"]["text"]:
            text = f"The take was not made: {job.error}. What you drew is as it was."
            facts["message"] = {"text": text, "wrong": True}
        return facts

    def _still(self) -> bytes:
        return still.studio(self)

    def _estimate(self) -> str:
        return self.pace.words(self.model.frames, self.session.passes if self.session is not None else 1)

    def _refresh(self) -> None:
        super()._refresh()
        if self._closed or self.session is None:
            return
        # The lock keeps updates from two threads in order.
        with self._lock, self.hold_sync():
            self.panel = self._panel_facts()
            self.lane_facts = self._lane_facts()
            for word in self.lanes:
                setattr(self, word, curve_bytes(self.lanes[word].control))

    def _panel_facts(self) -> dict:
        """The data that the page shows around the editor."""
        session, job = self.session, self.session.job
        progress = {} if job is None else {"done": job.done, "total": job.total, "seconds": round(job.seconds, 1)}
        settings = session.settings.flat()
        return {
            "source": session.model.tokens.name,
            "length": session.clip.seconds,
            "credit": session.clip.credit,
            "clips": clips(),
            "genres": list(GENRES),
            "settings": {name: settings[name] for name in ("seed", *operations.SHOWN)},
            "preset": session.preset,
            "next_seed": session.next_seed,
            "circular": session.circular,
            "presets": list(PRESETS),
            "controls": CONTROLS,
            "takes": [entry.facts() for entry in session.history],
            "chosen": session.chosen,
            "live": session.live_on,
            "job": {"state": "idle" if job is None else job.state, **progress},
            "abx": None if session.blind_test is None else _trial(session.blind_test),
        }

    def _lane_facts(self) -> dict:
        """The data of the lanes for the page, without their curves."""
        lanes = {
            word: {
                "on": self.lanes[word].on,
                "given": self.lanes[word].control is not None,
                "words": self.lanes[word].words,
                "low": low,
                "high": high,
                "rows": Control.kinds[word].channels,
            }
            for word, (low, high) in SHOWN.items()
        }
        return {
            "strength": self.lanes.strength,
            "lanes": lanes,
            "sources": sources(self.session),
            "grids": list(GRIDS),
            "strokes": [[round(time, 4), round(height, 2)] for time, height in self.lanes.strokes()],
        }

    def _send_sound(self, which: int | str) -> None:
        """Send a sound to the page: its MP3, its pictures and, for a take, its tokens. "X" is X of the blind test."""
        session = self.session
        if which == "X":
            test = session.blind_test
            clip = session.sound_of(test.x)
            content = {"type": "sound", "id": "X", "trial": len(test.answers), "seconds": clip.seconds}
            self.send(content, buffers=[to_mp3(clip)])
            return
        clip = session.sound_of(which)
        sizes, wave, mel = sound_pictures(clip, self.model.frames, session.clip)
        buffers = [to_mp3(clip), mel, wave]
        if which != 0:
            entry = self.history[which]
            buffers += [entry.take.tokens.codes.numpy().astype("<u2").tobytes(), masks.pack(entry.mask)]
        self.send({"type": "sound", "id": which, **sizes}, buffers=buffers)

    def _print(self, form: str) -> None:
        if form != "take":
            return super()._print(form)
        self.send({"type": "printed", "text": self.as_code()})

    def _take_upload(self, name: str, index: int, count: int, buffers: list, at: float | None = None) -> None:
        """Receive one piece of a file or recording from the page. After the last piece, the file is opened.

        at: the sound was beatboxed from this second on. Then its rhythm is taken, and it is not opened.
        """
        if index == 0:
            self._upload = []
        self._upload.append(bytes(buffers[0]))
        if sum(map(len, self._upload)) > MOST_UPLOAD:
            self._upload = []
            raise ValueError(
                f"the file is larger than {MOST_UPLOAD >> 20} MiB; "
                "cut it, or put it beside the notebook and open it by its path"
            )
        if len(self._upload) == count:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / (Path(str(name)).name or "recording.wav")
                path.write_bytes(b"".join(self._upload))
                self._upload = []
                try:
                    self.session.open(path) if at is None else self.session.beatbox(Clip.load(path), at)
                except (VampkitError, ValueError) as error:  # without the folder, which the reader never saw
                    raise type(error)(str(error).replace(f"{folder}/", "")) from None


def _trial(test: BlindTest) -> dict:
    """The data of a blind test for the page. The page is not told what X is."""
    words = test.words() if test.over else ""
    return {
        "a": test.a,
        "b": test.b,
        "trials": test.trials,
        "done": len(test.answers),
        "over": test.over,
        "words": words,
    }


def _controls() -> list[dict]:
    """The fields for the settings in the page: their names, labels, texts and ranges."""
    table = {setting.name: setting for setting in SETTINGS}
    return [
        {
            "name": name,
            "label": name.replace("_", " ").capitalize(),
            "text": table[name].text,
            "whole": table[name].kind in (int, int | None),
            "most": table[name].most,
            "optional": isinstance(None, table[name].kind),
        }
        for name in operations.SHOWN
    ]


CONTROLS = _controls()
