"""VampStudio: open a sound, draw a mask, generate, compare, vamp live.

A thin view of a Session, on top of the mask editor.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import traitlets as t

from vampkit.audio import clips
from vampkit.music import GENRES
from vampkit.show.player import to_mp3
from vampkit.widgets import assets, cells
from vampkit.widgets.editor import MaskEditor, sound_pictures
from vampkit.widgets.history import Entry
from vampkit.widgets.pace import in_words
from vampkit.widgets.session import SETTINGS, Session

PICTURES_A_SECOND = 10  # of the grid filling in
BYTES_A_SECOND = 300_000  # for those pictures: Jupyter's server drops messages beyond a million over three seconds
MOST_UPLOAD = 100 * 2**20


class VampStudio(MaskEditor):
    """The studio in a notebook.

    All of it works by calls too: `studio.stamp("periodic:7"); take = studio.generate(wait=True); studio.choose(take)`.

    vamp: Vamp. sound: a Clip, Tokens, a bundled clip's name, a path, an array (with rate), or a composed Piece. seed:
    of the first take.
    preset: of the sampler, one of SETTINGS. A mistake made by hand is shown in the studio; one made by call is raised
    as well. `close()` stops what runs and frees all it opened. Notebook: 10.
    """

    _esm = assets.module(
        "geometry.js", "dom.js", "draw.js", "grid.js", "keys.js", "editor.js", "fade.js", "player.js", "takes.js", "studio.js",
        render="mountEditor(model, el, extendStudio)",
    )  # fmt: skip
    _css = assets.text("editor.css") + assets.text("studio.css")

    panel = t.Dict().tag(sync=True)

    def __init__(
        self, vamp, sound, *, rate: int | None = None, seed: int = 0, preset: str = "paper, 12 passes", **kwargs
    ):
        self.session, self._pictured, self._upload = None, 0.0, []
        session = Session(vamp, sound if rate is None else _clip(sound, rate), seed=seed, preset=preset)
        super().__init__(session.model, pace=session.pace, **kwargs)
        self.session = session
        session.tell = self._told
        self._refresh()

    # By call

    @property
    def history(self):
        """The takes made so far."""
        return self.session.history

    @property
    def settings(self) -> dict:
        """Sampler settings and the seed of the next take."""
        return self.session.settings | {"seed": self.session.seed}

    def load(self, source, rate: int | None = None, name: str = "") -> None:
        """Take in another sound, see `Session.open`; takes stay, and the mask too where the length is the same."""
        self._call(self.session.open, source, rate, name)

    def crop(self, start: float | None = None, end: float | None = None) -> None:
        """Go on with a stretch of time (seconds) alone, snapped as gestures are.

        Without times with the selection. Its end may meet its start: see `set`.
        """
        if start is not None or end is not None:
            self.loop(start, end)
        self._call(self._crop)

    def compose(self, genre: str | None = None, seed: int = 1_000_000, seconds: float = 12.0) -> None:
        """Open a piece that the library composes, with its true beats and bars."""
        self._call(self._compose, genre, seed, seconds)

    def set(self, **settings) -> None:
        """Change sampler settings, the seed, and whether takes are loops (circular=True), see `Session.set`."""
        self._call(self.session.set, **settings)

    def preset(self, name: str) -> None:
        """Set the sampler as a preset has it, one of SETTINGS."""
        self._call(self.session.use, name)

    def generate(self, wait: bool = False, seed: int | None = None) -> Entry | None:
        """Fill in what is hidden, in a thread.

        With `wait` return the new entry of the history, else go on at once. See `Session.generate`.
        """
        try:
            made = self.session.generate(wait, seed)
        except Exception as error:
            self.say(str(error), wrong=True)
            raise
        return made if wait else None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the generation that runs; whether none runs any more."""
        return self.session.job is None or self.session.job.wait(timeout)

    def cancel(self) -> None:
        """Stop generating and live vamping; what was drawn and made stays."""
        self.session.cancel()

    def live(self, rounds: int | None = None, feedback: bool = False, roll: int = 0, wait: bool = False) -> None:
        """Make variation after variation while the sound plays, see `Session.live`.

        In the page each comes in at the next bar line.
        """
        self._call(self.session.live, rounds, feedback, roll, wait)

    def choose(self, which=0):
        """Hear the original (0) or a take; the place in the sound stays."""
        return self._call(self.session.choose, which)

    def restore(self, which):
        """Bring back a take's mask, settings and seed; the mask is one gesture, which undo takes back."""
        return self._call(self.session.restore, which)

    def feedback(self, which) -> None:
        """Use a take as the sound to vamp on."""
        self._call(self.session.feedback, which)

    def rename(self, which, name: str):
        """Give a take another name."""
        return self._call(self.session.history.rename, which, name)

    def star(self, which, on: bool = True):
        """Mark a take as one to keep."""
        return self._call(self.session.history.star, which, on)

    def discard(self, which) -> None:
        """Drop a take."""
        self._call(self.session.discard, which)

    def export(self, which, folder: str | Path = "takes") -> Path:
        """Write a take's sound as WAV and its record as JSON into a folder; returns the WAV's path."""
        path = self._call(self.session.history.export, which, folder)
        self.say(f"Wrote {path} and its record {path.with_suffix('.json').name}.")
        return path

    def loop(self, start: float | None = None, end: float | None = None) -> None:
        """Play a stretch of time (seconds) over and over, snapped as gestures are; without times the whole sound."""
        if start is None or end is None:
            self.region = []
            return
        rate, model = self.model.tokens.frame_rate, self.model
        first, last = (
            self._call(cells.whole, "the loop's frame", round(s * rate), 0, model.frames) for s in (start, end)
        )
        first, last = self._call(cells.span, "the loop's frames", (min(first, model.frames - 1), last), model.frames)
        if model.snap != "frames":
            first, last = cells.snap_range(model.snap_points(), first, last)
        self.region = [0, model.codebooks, first, last]

    def blind(self, a, b, trials: int = 10, seed: int | None = None):
        """Begin a blind ABX test between two sounds (0 is the original).

        Returns it. `blind_test.answer("a")` answers.
        """
        return self._call(self.session.blind, a, b, trials, seed)

    def close(self) -> None:
        """Stop what runs and free all the studio opened; session and takes stay."""
        if not self._closed:
            self.session.close()
            self.session.tell = lambda what, about: None
            super().close()

    # Inside

    def _crop(self, frames=None) -> None:
        """frames: what is selected in the page, which the trait `region` may not hold yet: messages overtake traits."""
        first, end = (frames or self.region[2:]) or (None, None)
        if first is None:
            raise ValueError(
                "no stretch of time is selected, one was expected; drag on the ruler, or give its start and end in seconds"
            )
        self.session.crop(first, end)

    def _call(self, act, *args, **kwargs):
        try:
            done = act(*args, **kwargs)
        except Exception as error:
            self.say(str(error), wrong=True)
            raise
        self._refresh()
        return done

    def _compose(self, genre: str | None, seed: int, seconds: float) -> None:
        from vampkit.music import compose

        piece = compose(seed, genre, seconds)
        self.session.open(piece, name=f"composed {piece.genre} {seed}")

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
        pause = max(
            1 / PICTURES_A_SECOND, 2.125 * shape[0] * shape[1] / BYTES_A_SECOND
        )  # two bytes a token, and a bit for the mask
        if progress.take is None and now - self._pictured < pause and progress.done > 1:
            return
        self._pictured = now
        mask, codes = progress.mask[0].numpy(), progress.codes[0].numpy()
        picture = [cells.pack(mask), codes.astype("<u2").tobytes()]
        fits = mask.shape == shape  # another sound may have been opened meanwhile
        content = {
            "type": "progress",
            "done": progress.done,
            "total": progress.total,
            "stage": progress.stage,
            "left": in_words(self.session.job.left),
        }
        self.send(content, buffers=picture if fits else [])

    def _facts(self) -> dict:
        facts = super()._facts()
        job = self.session.job if self.session is not None else None
        if job is not None and job.state == "failed" and not facts["message"]["text"]:
            facts["message"] = {
                "text": f"The take was not made: {job.error}. What you drew is as it was.",
                "wrong": True,
            }
        return facts

    def _estimate(self) -> str:
        return self.pace.words(self.model.frames, self.session.passes if self.session is not None else 1)

    def _refresh(self) -> None:
        super()._refresh()
        session = self.session
        if self._closed or session is None:
            return
        # Gathered and shown under one lock: news of two threads must not overtake each other.
        with self._lock:
            job, test = session.job, session.blind_test
            facts = {
                "settings": self.settings, "preset": session.preset, "presets": list(SETTINGS), "next_seed": session.next_seed, "chosen": session.chosen,
                "circular": session.circular,
                "takes": [entry.facts() for entry in session.history], "live": session.live_on, "clips": clips(), "genres": list(GENRES),
                "source": session.model.tokens.name, "length": session.clip.seconds, "credit": session.clip.credit,
                "job": {"state": "idle"} if job is None else {"state": job.state, "done": job.done, "total": job.total, "seconds": round(job.seconds, 1)},
                # What X is stays in the kernel.
                "abx": None if test is None else {"a": test.a, "b": test.b, "trials": test.trials, "done": len(test.answers), "over": test.over,
                                                  "words": test.words() if test.over else ""},
            }  # fmt: skip
            self.panel = facts

    def _act(self, content: dict, buffers: list) -> None:
        session, which = self.session, content.get("id")
        acts = {
            "generate": lambda: session.generate(), "cancel": session.cancel, "crop": lambda: self._crop(content.get("frames")),
            "live": lambda: session.live(feedback=bool(content.get("feedback")), roll=content.get("roll", 0)),
            "entered": session.entered, "settings": lambda: session.set(**content["values"]), "preset": lambda: session.use(content["name"]),
            "choose": lambda: session.choose(which), "restore": lambda: session.restore(which), "feedback": lambda: session.feedback(which),
            "rename": lambda: session.history.rename(which, content["name"]), "star": lambda: session.history.star(which, content["on"]),
            "discard": lambda: session.discard(which), "export": lambda: self.export(which), "sound": lambda: self._send_sound(which),
            "open": lambda: session.open(content["name"]), "compose": lambda: self._compose(content.get("genre"), content["seed"], 12.0),
            "upload": lambda: self._take_upload(content, buffers), "blind": lambda: session.blind(content["a"], content["b"], content["trials"]),
            "answer": lambda: session.blind_test.answer(content["letter"]), "stop-blind": lambda: setattr(session, "blind_test", None),
        }  # fmt: skip
        if content.get("type") in acts:
            acts[content["type"]]()
        else:
            super()._act(content, buffers)

    def _send_sound(self, which) -> None:
        """Answer the page with a sound.

        As MP3 with its pictures and, for a take, its tokens. "X" is the hidden sound of the blind test.
        """
        session = self.session
        if which == "X":
            clip = session.sound_of(session.blind_test.x)
            self.send(
                {"type": "sound", "id": "X", "trial": len(session.blind_test.answers), "seconds": clip.seconds},
                buffers=[to_mp3(clip)],
            )
            return
        clip, entry = session.sound_of(which), None if which == 0 else session.history[which]
        sizes, wave, mel = sound_pictures(clip, self.model.frames, session.clip)
        buffers = [to_mp3(clip), mel, wave]
        if entry is not None:
            buffers += [entry.take.tokens.codes.numpy().astype("<u2").tobytes(), cells.pack(entry.mask)]
        self.send({"type": "sound", "id": which, **sizes}, buffers=buffers)

    def _take_upload(self, content: dict, buffers: list) -> None:
        """A file or a recording of the page, which comes in pieces; it is opened when the last one is here."""
        if content["index"] == 0:
            self._upload = []
        self._upload.append(bytes(buffers[0]))
        if sum(map(len, self._upload)) > MOST_UPLOAD:
            self._upload = []
            raise ValueError(
                f"the file is larger than {MOST_UPLOAD >> 20} MiB; cut it, or put it beside the notebook and open it by its path"
            )
        if len(self._upload) == content["count"]:
            name = Path(str(content["name"])).name or "recording.wav"
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / name
                path.write_bytes(b"".join(self._upload))
                self._upload = []
                self.session.open(path)


def _clip(samples, rate: int):
    from vampkit.audio import Clip

    return Clip(np.asarray(samples), rate, "array")
