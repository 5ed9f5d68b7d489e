"""VampStudio: open a sound, draw a mask, generate, compare, vamp live.

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
from vampkit.music import GENRES, Piece, compose
from vampkit.pipeline import TakeSettings, Vamp
from vampkit.pipeline.settings import SETTINGS, with_settings
from vampkit.show.player import to_mp3
from vampkit.widgets import assets, cells, operations, still
from vampkit.widgets.abx import BlindTest
from vampkit.widgets.editor import MaskEditor, shown
from vampkit.widgets.history import Entry, History
from vampkit.widgets.pace import in_words
from vampkit.widgets.session import PRESETS, Session
from vampkit.widgets.sound import sound_pictures

PICTURES_A_SECOND = 10  # of the grid filling in
BYTES_A_SECOND = 300_000  # for those pictures: Jupyter's server drops messages beyond a million over three seconds
MOST_UPLOAD = 100 * 2**20

Which = int | str | Entry
"""A take by its number, its name or its entry in the history."""

Sound = Clip | Tokens | Piece | str | os.PathLike | np.ndarray
"""What the studio opens: a clip, tokens, a composed piece, a bundled clip's name, a path, or samples with a rate."""


class VampStudio(MaskEditor):
    """The studio: a sound, a mask drawn over it, and the takes made of both.

    All that a hand can do, a call can do: `studio.stamp("periodic:7"); take = studio.generate(wait=True)`. A mistake
    made by hand is shown in the studio; one made by call is raised as well. `close()` stops what runs and frees all it
    opened.

    Notebook: 10

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    sound : Clip, Tokens, Piece, str, PathLike or ndarray
        A clip, tokens, a composed piece (with its beats), a bundled clip's name, a path, or samples [channels, samples]
        with a rate.
    rate : int, optional
        Samples a second of an array.
    seed : int
        Of the first take.
    preset : str
        Settings to begin with: "paper", "paper, 12 passes", "app 2023" or "sketch".

    Raises
    ------
    TypeError, ValueError, VampkitError, FileNotFoundError
        For a sound that cannot be opened, and for another preset.
    """

    _esm = assets.module(
        *("geometry.js", "dom.js", "draw.js", "grid.js", "keys.js", "editor.js"),
        *("fade.js", "player.js", "takes.js", "studio.js"),
        render="mountEditor(model, el, extendStudio)",
    )
    _css = assets.text("editor.css") + assets.text("studio.css")
    _operations = operations.STUDIO

    panel = t.Dict().tag(sync=True)

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
        """Settings of the next take, with its seed."""
        return self.session.settings

    # Sound

    @shown
    def load(self, source: Sound, rate: int | None = None, name: str = "") -> None:
        """Open another sound; the takes stay, and the mask too where the length is the same.

        Parameters
        ----------
        source : Clip, Tokens, Piece, str, PathLike or ndarray
            A clip, tokens, a composed piece (with its beats), a bundled clip's name, a path, or samples
            [channels, samples] with a rate.
        rate : int, optional
            Samples a second of an array.
        name : str
            What to call it.

        Raises
        ------
        TypeError, ValueError, VampkitError, FileNotFoundError
            For what cannot be opened; nothing is changed then.
        """
        self.session.open(source, rate, name)

    @shown
    def compose(self, genre: str | None = None, seed: int = 1_000_000, seconds: float = 12.0) -> None:
        """Open a piece that the library composes, with its true beats and bars.

        Parameters
        ----------
        genre : str, optional
            One of `vampkit.music.GENRES`; the seed chooses where it is not given.
        seed : int
            Of the piece.
        seconds : float
            Its length.

        Raises
        ------
        ValueError
            For another genre.
        """
        piece = compose(seed, genre, seconds)
        self.session.open(piece, name=f"composed {piece.genre} {seed}")

    @shown
    def crop(self, start: float | None = None, end: float | None = None) -> None:
        """Go on with a stretch of time alone; what is drawn over it stays drawn.

        Parameters
        ----------
        start, end : float, optional
            Seconds, which snap as gestures do; the selection where they are not given.

        Raises
        ------
        ValueError
            Where no stretch is given or selected.
        """
        if start is not None or end is not None:
            self.loop(start, end)
        self._crop()

    @shown
    def loop(self, start: float | None = None, end: float | None = None) -> None:
        """Play a stretch of time over and over.

        Parameters
        ----------
        start, end : float, optional
            Seconds, which snap as gestures do; the whole sound where they are not given.

        Raises
        ------
        ValueError
            For times outside the sound, and for an end that is not later than the start.
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

    # Takes

    @shown
    @partial(with_settings, changes=True)
    def set(self, *, next_seed: bool | None = None, circular: bool | None = None, **settings) -> None:
        """Change settings of the takes to come; what is not given stays as it is.

        Parameters
        ----------
        next_seed : bool, optional
            Count the seed on after each take.
        circular : bool, optional
            Make loops, whose end meets their start.
        **settings
            See `vampkit.pipeline.SETTINGS`.

        Raises
        ------
        TypeError, ValueError
            For a value that is refused; nothing is changed then.
        """
        self.session.set(next_seed=next_seed, circular=circular, **settings)

    @shown
    def preset(self, name: str) -> None:
        """Take a preset's settings; the seed stays.

        Parameters
        ----------
        name : str
            "paper", "paper, 12 passes", "app 2023" or "sketch".

        Raises
        ------
        ValueError
            For another name.
        """
        self.session.use(name)

    @shown
    def generate(self, wait: bool = False, seed: int | None = None) -> Entry | None:
        """Fill in what is hidden, in a thread.

        Parameters
        ----------
        wait : bool
            Wait for the take, and raise what went wrong; otherwise go on at once.
        seed : int, optional
            Of this take; the next one counts on from it.

        Returns
        -------
        Entry, optional
            The take in the history, with `wait`; None where it was cancelled.

        Raises
        ------
        ValueError
            Where nothing is hidden, and where a take is being generated.
        """
        made = self.session.generate(wait, seed)
        return made if wait else None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the take that is being generated.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        bool
            Whether none is being generated any more.
        """
        return self.session.job is None or self.session.job.wait(timeout)

    @shown
    def cancel(self) -> None:
        """Stop generating and live vamping; what was drawn and made stays."""
        self.session.cancel()

    @shown
    def live(self, rounds: int | None = None, chain: bool = False, roll: int = 0, wait: bool = False) -> None:
        """Make variation after variation while the sound plays; in the page each comes in at the next bar line.

        Parameters
        ----------
        rounds : int, optional
            How many; without it they go on until `cancel`.
        chain : bool
            Make each variation from the one before.
        roll : int
            Frames by which the mask moves on after each.
        wait : bool
            Return after the last one, instead of at once.

        Raises
        ------
        ValueError
            Where something is being generated, and for a roll beyond the length.
        """
        self.session.live(rounds, chain, roll, wait)

    @shown
    def choose(self, which: Which = 0) -> Entry | None:
        """Hear the original or a take; the place in the sound stays.

        Parameters
        ----------
        which : int, str or Entry
            0 is the original; else a take's number, name or entry.

        Returns
        -------
        Entry, optional
            The take.

        Raises
        ------
        ValueError
            For a take that is not there.
        """
        return self.session.choose(which)

    @shown
    def recall(self, which: Which) -> Entry:
        """Bring back a take's mask, settings and seed; the mask is one gesture, which undo takes back.

        Parameters
        ----------
        which : int, str or Entry
            A take's number, name or entry.

        Returns
        -------
        Entry
            The take.

        Raises
        ------
        ValueError
            For a take that is not there, and where the sound now has another length.
        """
        return self.session.recall(which)

    @shown
    def vamp_on(self, which: Which) -> None:
        """Use a take as the sound to vamp on.

        Parameters
        ----------
        which : int, str or Entry
            A take's number, name or entry.

        Raises
        ------
        ValueError
            For a take that is not there.
        """
        self.session.vamp_on(which)

    @shown
    def rename(self, which: Which, name: str) -> Entry:
        """Give a take another name.

        Parameters
        ----------
        which : int, str or Entry
            A take's number, name or entry.
        name : str
            The new name.

        Returns
        -------
        Entry
            The take.

        Raises
        ------
        ValueError
            For a take that is not there, and for an empty name.
        """
        return self.history.rename(which, name)

    @shown
    def star(self, which: Which, on: bool = True) -> Entry:
        """Mark a take as one to keep.

        Parameters
        ----------
        which : int, str or Entry
            A take's number, name or entry.
        on : bool
            Mark it; False takes the mark away.

        Returns
        -------
        Entry
            The take.

        Raises
        ------
        ValueError
            For a take that is not there.
        """
        return self.history.star(which, on)

    @shown
    def discard(self, which: Which) -> None:
        """Drop a take.

        Parameters
        ----------
        which : int, str or Entry
            A take's number, name or entry.

        Raises
        ------
        ValueError
            For a take that is not there.
        """
        self.session.discard(which)

    @shown
    def export(self, which: Which, folder: str | os.PathLike = "takes") -> Path:
        """Write a take's sound as WAV, and its record as JSON beside it.

        Parameters
        ----------
        which : int, str or Entry
            A take's number, name or entry.
        folder : str or PathLike
            Where to.

        Returns
        -------
        Path
            The WAV file.

        Raises
        ------
        ValueError
            For a take that is not there.
        """
        path = self.history.export(which, folder)
        self.say(f"Wrote {path} and its record {path.with_suffix('.json').name}.")
        return path

    @shown
    def blind(self, a: Which, b: Which, trials: int = 10, seed: int | None = None) -> BlindTest:
        """Begin a blind ABX test between two sounds: X is one of them, drawn anew each trial.

        Parameters
        ----------
        a, b : int, str or Entry
            0 is the original; else a take's number, name or entry.
        trials : int
            How often X is drawn.
        seed : int, optional
            Of the draws.

        Returns
        -------
        BlindTest
            Its `answer("a")` answers.

        Raises
        ------
        ValueError
            For one sound twice, and for a take that is not there.
        """
        return self.session.blind(a, b, trials, seed)

    def close(self) -> None:
        """Stop what runs and free all that the studio opened; session and takes stay."""
        if not self._closed:
            self.session.close()
            self.session.tell = lambda what, about: None
            super().close()

    # Inside

    def _crop(self, frames: list[int] | None = None) -> None:
        """Go on with some frames alone.

        frames: what is selected in the page, which the trait `region` may not hold yet, as messages overtake traits.
        """
        frames = frames or self.region[2:]
        if not frames:
            raise ValueError(
                "no stretch of time is selected, one was expected; "
                "drag on the ruler, or give its start and end in seconds"
            )
        self.session.crop(*frames)

    def _told(self, what: str, about) -> None:
        """News of the session, in whatever thread."""
        if self._closed:
            return
        if what == "progress":
            self._show_progress(about)
        elif what == "sound":
            self._message = {"text": "", "wrong": False}
            self._open(self.session.model, None)
        elif what == "live":
            self._refresh()
            self.send({"type": "live", "id": about.number})
        elif what == "wrong":
            self.say(str(about), wrong=True)
        else:
            self._refresh()

    def _show_progress(self, progress) -> None:
        now, shape = time.monotonic(), (self.model.codebooks, self.model.frames)
        size = 2.125 * shape[0] * shape[1]  # two bytes a token, and a bit for the mask
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
        # Gathered and shown under one lock: news of two threads must not overtake each other.
        with self._lock:
            self.panel = self._panel_facts()

    def _panel_facts(self) -> dict:
        """What the page shows around the editor."""
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

    def _send_sound(self, which: int | str) -> None:
        """Answer the page with a sound: its MP3, its pictures and, for a take, its tokens; "X" is of the blind test."""
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

    def _take_upload(self, name: str, index: int, count: int, buffers: list) -> None:
        """A file or a recording of the page, which comes in pieces; it is opened when the last one is here."""
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
                self.session.open(path)


def _trial(test: BlindTest) -> dict:
    """What the page shows of a blind test; what X is stays in the kernel."""
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
    """Fields of the page that set the settings: their names, words and ranges."""
    table = {setting.name: setting for setting in SETTINGS}
    return [
        {
            "name": name,
            "label": name.replace("_", " ").capitalize(),
            "text": table[name].text,
            "whole": table[name].kind in (int, int | None),
            "most": table[name].most,
        }
        for name in operations.SHOWN
    ]


CONTROLS = _controls()
