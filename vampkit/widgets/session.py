"""Session: the state and the actions of the studio, without a browser.

A sound, a mask, lanes to follow, settings, one generation at a time, and the history of takes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vampkit import prompts
from vampkit.audio import Clip, clips, load_clip
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.music import Piece, render
from vampkit.pipeline import TakeSettings, Vamp, take_settings
from vampkit.pipeline.source import Source
from vampkit.widgets import cells
from vampkit.widgets.abx import BlindTest
from vampkit.widgets.cells import whole
from vampkit.widgets.history import Entry, History, Which
from vampkit.widgets.jobs import Job, Worker
from vampkit.widgets.lanes import GRIDS, Lanes, State
from vampkit.widgets.mask_model import MaskModel
from vampkit.widgets.pace import Pace
from vampkit.widgets.sound import find_times
from vampkit.widgets.taking import taken

PRESETS: dict[str, TakeSettings] = {
    # Paper, section 5: 36 passes gave the best result.
    "paper": take_settings(),
    # Also in the paper, figure 3, and faster.
    "paper, 12 passes": take_settings(passes=12),
    # The defaults of the reference code's app of 2023.
    "app 2023": take_settings(fine_passes=36, mask_temperature=15.0, fine_mask_temperature=15.0, cutoff=0.5),
    "sketch": take_settings(passes=4, top_p=0.9),
}
"""Settings by name. Their seed is not used."""

MOST_SEED = 2**31 - 1
LIVE_KEPT = 6  # live vamping keeps this many takes without a star in the history
LONGEST = 600.0  # longest sound in seconds that can be opened; as much in all is kept for the lanes to take from


def passes_of(settings: TakeSettings) -> int:
    """Number of passes of both models for one take."""
    return settings.feedback * (settings.coarse.passes + settings.fine.passes)


def _plain(settings: TakeSettings) -> TakeSettings:
    """The settings without what the lanes say."""
    return replace(settings, follow=(), strength=TakeSettings().strength)


class Session:
    """The state of the studio: a sound, a mask, lanes, settings, a history of takes, at most one running generation.

    sound: see `open`. seed: seed of the first take; later takes use the next ones. preset: a name in PRESETS.
    tell: a callback, also called from other threads, with ("state", None) after a change, ("sound", None) after another
    sound was opened, ("times", None) after its beats were found, ("progress", Progress) during a generation, ("live",
    Entry) when live vamping has made the next variation, and ("wrong", error) if live vamping fails.
    """

    def __init__(
        self,
        vamp: Vamp,
        sound,
        *,
        seed: int = 0,
        preset: str = "paper, 12 passes",
        tell: Callable[[str, object], None] = lambda what, about: None,
    ):
        self.vamp, self.tell = vamp, tell
        self.history, self.pace, self.job = History(), Pace(), None
        self.chosen = 0  # the sound that is played: 0 is the original, else the number of a take
        self._settings = TakeSettings(seed=whole("the seed", seed, 0, MOST_SEED))  # without what the lanes say
        self.next_seed, self.circular = True, False
        self.model: MaskModel | None = None
        self.lanes: Lanes | None = None
        self.opened: dict[str, Clip] = {}  # the latest sounds by their names, for the lanes to take from
        self.blind_test: BlindTest | None = None
        self.live_on, self._live, self._entered = False, None, threading.Event()
        self._lock, self._worker, self.closed = threading.RLock(), Worker(), False
        self.use(preset)
        self.open(sound)

    # Sound

    def open(self, source, rate: int | None = None, name: str = "") -> None:
        """Open a sound. The takes are kept. The mask is kept if the new sound has the same number of tokens.

        source: a Clip, Tokens, the name of a bundled clip, a path, an array (with its rate), or a composed Piece (with
        its beats). If it cannot be opened, an error is raised and nothing is changed.
        """
        clip = self.clip_of(source, rate, name)
        tokens = cells.first_of(source if isinstance(source, Tokens) else self.vamp.codec.encode(clip))
        times = None
        if isinstance(source, Piece):
            times = {"onsets": (), "beats": tuple(source.beats), "bars": tuple(source.downbeats)}
        self._put(tokens, clip, times=times, encoded=not isinstance(source, Tokens))
        self._remember(clip)

    def _remember(self, clip: Clip) -> None:
        """Keep a sound for the lanes to take from; the oldest go."""
        self.opened = {name: old for name, old in self.opened.items() if name != clip.name} | {clip.name: clip}
        while sum(old.seconds for old in self.opened.values()) > LONGEST:
            del self.opened[next(iter(self.opened))]

    def _put(
        self,
        tokens: Tokens,
        clip: Clip,
        mask: np.ndarray | None = None,
        lanes: State | None = None,
        times: dict | None = None,
        encoded: bool = False,
    ) -> None:
        """Replace the tokens and the sound.

        mask, lanes: the new mask and lanes, used only if the shape changes. times: times of the onsets, beats and bars.
        encoded: whether the tokens are those that the codec makes of the clip.
        """
        self._check_codec(tokens)
        with self._lock:
            if self.model is not None and self.model.mask.shape == (tokens.codebooks, tokens.frames):
                self.model.tokens, self.model.clip = tokens, clip
            else:
                self.model = MaskModel.of(tokens, clip)
                if mask is not None:
                    self.model.draw(mask)
                self.lanes = Lanes(tokens.frames, self.model.steps)
                self.lanes.listen(lambda _: self.tell("state", None))
                if lanes is not None:
                    self.lanes.begin(lanes)
            self.model.times = times or {what: () for what in self.model.times}
            if not self.model.times.get(self.model.snap):
                self.model.snap_to("frames")
            self.clip, self.chosen, self.blind_test, self.encoded = clip, 0, None, encoded
        self.tell("sound", None)

    def _check_codec(self, tokens: Tokens) -> None:
        if tokens.codec != self.vamp.codec.hash:
            raise VampkitError(
                f"these tokens were made by codec {tokens.codec[:8]}, this studio uses {self.vamp.codec.hash[:8]}; "
                "open the sound instead"
            )

    def clip_of(self, source, rate: int | None = None, name: str = "") -> Clip:
        """The sound of anything that `open` takes."""
        if isinstance(source, Tokens):
            self._check_codec(source)
            return self.vamp.codec.decode(source)
        if isinstance(source, Piece):
            source = render(source)
        if isinstance(source, (str, os.PathLike)):
            bundled = [n for n in clips() if n.startswith(str(source))]
            source = load_clip(str(source)) if len(bundled) == 1 and not Path(source).is_file() else Clip.load(source)
        if not isinstance(source, Clip):
            if rate is None:
                raise TypeError(
                    f"{type(source).__name__} was given without a rate; "
                    "a Clip, a path, or an array and its rate were expected"
                )
            source = Clip(np.asarray(source), rate, name or "array")
        if source.seconds > LONGEST:
            raise ValueError(
                f"the sound lasts {source.seconds:.0f} s, at most {LONGEST:.0f} s was expected; take an excerpt"
            )
        return replace(source, name=name or source.name or "sound")

    def vamp_on(self, which: Which) -> None:
        """Use a take as the sound from which the next takes are made.

        Parameters
        ----------
        which : int, str or Entry
            Number, name or entry of a take.

        Raises
        ------
        ValueError
            If there is no such take.
        """
        entry = self.history[which]
        tokens, clip = (replace(x, name=entry.name) for x in (entry.take.tokens, entry.take.clip))
        self._put(tokens, clip, times=dict(self.model.times) if tokens.frames == self.model.frames else None)

    def crop(self, first: int, end: int) -> None:
        """Keep only the frames first to end - 1, such as the bars of a loop, with the mask over them."""
        cells.span("frames", (first, end), self.model.frames)
        tokens, rate = self.model.tokens, self.model.tokens.frame_rate
        length = min(end * tokens.hop, tokens.length) - first * tokens.hop
        cut = tokens.replace(codes=tokens.codes[:, first:end].clone(), length=length)
        inside = {
            what: tuple(max(0.0, t - first / rate) for t in at if first - 0.5 <= t * rate < end - 0.5)
            for what, at in self.model.times.items()
        }
        clip, mask = self.clip.excerpt(first / rate, cut.seconds), self.model.mask[:, first:end]
        self._put(cut, clip, mask, self.lanes.cut(first, end), inside)

    # Lanes

    def take_from(self, word: str, source=0, start: float = 0.0, stretch: bool = False) -> None:
        """Take a curve from a sound, and follow it.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".
        source : int, str, PathLike, Entry, Clip, Tokens or Piece
            0 for this sound; the number or entry of a take; the name of a sound that was opened here or of a bundled
            clip; or anything that `load` opens.
        start : float
            Where in that sound the curve begins, in seconds.
        stretch : bool
            Stretch the rest of that sound to the length of this one, instead of cutting it.

        Raises
        ------
        TypeError, ValueError, VampkitError, FileNotFoundError
            For a sound that cannot be opened, is silent or too short, or another lane.
        """
        self.lanes.put(word, *taken(self, word, source, start, stretch))

    def beatbox(self, sound: Clip, at: float = 0.0) -> None:
        """Take the rhythm of a recording that was made while this sound played, from the second `at` on."""
        self.lanes.place("rhythm", sound, at, "beatboxed")

    def quantize(self, to: str = "beats") -> None:
        """Move the strokes of the rhythm to a grid.

        Beats and bars are those of the studio; if there are none, they are found in the sound.

        Parameters
        ----------
        to : str
            "bars", "beats", "1/2" or "1/4" (of a beat).

        Raises
        ------
        ValueError
            For another grid, without a rhythm, or if no beats are found.
        """
        if to not in GRIDS:
            raise ValueError(f"quantizing to {to!r} was asked for, one of {', '.join(GRIDS)} was expected")
        what, division = GRIDS[to]
        if self.lanes["rhythm"].control is not None and len(self.model.times[what]) < 2:
            self.model.times |= {name: found for name, found in find_times(self.clip).items() if found}
            self.tell("times", None)
            if len(self.model.times[what]) < 2:
                raise ValueError(
                    f"fewer than two {what} are known or found in this sound; give their times with snap_to"
                )
        self.lanes.quantize(self.model.times[what], division)

    # Settings

    @property
    def settings(self) -> TakeSettings:
        """Settings of the next take, with what the lanes say."""
        if self.lanes is None:
            return self._settings
        return replace(self._settings, follow=self.lanes.follow, strength=self.lanes.strength)

    def use(self, preset: str) -> None:
        """Use the settings of a preset; the seed does not change. Raises ValueError for a name not in PRESETS."""
        if preset not in PRESETS:
            raise ValueError(f"there is no preset {preset!r}; the presets are: {', '.join(PRESETS)}")
        with self._lock:
            self._settings = replace(PRESETS[preset], seed=self._settings.seed)
        self.tell("state", None)

    def set(self, *, next_seed: bool | None = None, circular: bool | None = None, **settings) -> None:
        """Change settings of the next takes. The names and the errors are those of `take_settings`.

        What is to be followed is put into the lanes, all others are then off.

        next_seed: whether the seed is increased by 1 after each take. circular: whether takes are loops, see
        `vampkit.prompts.Loop`. If one of the settings is refused, nothing is changed.
        """
        with self._lock:
            if "seed" in settings:
                whole("the seed", settings["seed"], 0, MOST_SEED)
            made = take_settings(**self.settings.flat() | settings)
            with self.model.steps.as_one():
                if "follow" in settings:
                    self.lanes.follow_only(made.follow)
                self.lanes.set_strength(made.strength)
            self._settings = _plain(made)
        self.next_seed = self.next_seed if next_seed is None else bool(next_seed)
        self.circular = self.circular if circular is None else bool(circular)
        self.tell("state", None)

    @property
    def passes(self) -> int:
        """Number of passes of both models for one take."""
        return passes_of(self.settings)

    @property
    def preset(self) -> str:
        """The preset that has the current settings, or "own"."""
        return next((name for name in PRESETS if PRESETS[name] == replace(self._settings, seed=0)), "own")

    # Generating

    def generate(self, wait: bool = False, seed: int | None = None):
        """Fill in what the mask hides, in a thread. Returns the Job, or with `wait` the Entry in the history.

        With `wait`, errors of the generation are raised, and None is returned if it was cancelled. Raises ValueError if
        nothing is hidden, if a generation is running already, or after `close`.
        """
        job, made = self._start(seed)
        if not wait:
            return job
        job.result()
        return made[0] if made else None

    def _start(self, seed: int | None = None, fed: Tokens | None = None) -> tuple[Job, list[Entry]]:
        """Begin a generation from the sound, or from `fed` if its shape fits the mask.

        Returns the job, and a list to which the entry is added when the job is done.
        """
        with self._lock:
            self._check_free()
            if seed is not None:
                self._settings = replace(self._settings, seed=whole("the seed", seed, 0, MOST_SEED))
            mask, tokens, settings, lanes = self.model.mask, self.model.tokens, self.settings, self.lanes.state
            if fed is not None and fed.codes.shape == mask.shape:
                tokens = fed
            if not mask.any():
                raise ValueError(
                    "nothing is hidden, so there is nothing to generate; draw on the grid or stamp a prompt first"
                )
            made, source, circular = [], tokens.name, self.circular
            prompt = self._prompt(tokens, mask)

            def told(job: Job, progress) -> None:
                if progress is not None:
                    self.tell("progress", progress)
                    return
                if job.state == "done" and job.take is not None and not self.closed:
                    with self._lock:
                        facts = dict(settings=settings, circular=circular, source=source, lanes=lanes)
                        facts |= dict(live=self.live_on, seconds=job.seconds)
                        made.append(self.history.add(take=job.take, mask=mask, **facts))
                        self._after_take(made[0])
                job.take = None  # the history holds it
                self.tell("state", None)

            sound = Source(tokens) if tokens is fed else Source.of(self.clip, self.vamp.codec, tokens)
            self.job = Job(lambda: self.vamp.steps(sound, prompt, **settings.flat()), told)
            job = self.job.start(self._worker)  # kept before it begins, as its news comes from the thread
        self.tell("state", None)
        return job, made

    def _prompt(self, tokens: Tokens, mask: np.ndarray) -> prompts.Prompt:
        """The mask as a prompt, inside a `Loop` if takes are loops."""
        if not self.circular:
            return prompts.Drawn(mask)
        if tokens.length != tokens.frames * tokens.hop:
            raise ValueError(
                "the sound ends inside a frame, a loop of whole frames was expected; "
                "select one, from bar to bar, and crop to it"
            )
        return prompts.Loop(seconds=tokens.seconds, prompt=prompts.Drawn(mask))

    def _check_free(self) -> None:
        if self.closed:
            raise ValueError("this studio was closed, an open one was expected; make a new one")
        if self.job is not None and self.job.running:
            raise ValueError("a take is being generated; wait for it or cancel it first")

    def _after_take(self, entry: Entry) -> None:
        """Update the pace and the seed after a new take. Choose the take for playing, unless live vamping made it."""
        self.pace.add(entry.mask.shape[1], passes_of(entry.settings), entry.seconds)
        if self.next_seed:
            self._settings = replace(self._settings, seed=min(self._settings.seed + 1, MOST_SEED))
        if not self.live_on:
            self.chosen = entry.number

    def cancel(self) -> None:
        """Stop generating and live vamping. Mask and takes are kept."""
        self.live_on = False
        self._entered.set()
        if self.job is not None:
            self.job.cancel()

    # Live vamping. `tell` is called with ("live", entry) for each variation. Without `wait`, the next one waits until
    # `entered` tells that it is being played.

    def live(self, rounds: int | None = None, chain: bool = False, roll: int = 0, wait: bool = False) -> None:
        """Make one variation after another while the sound plays. In the page each one starts at the next bar line.

        Parameters
        ----------
        rounds : int, optional
            Number of variations; None: until `cancel`.
        chain : bool
            Make each variation from the one before.
        roll : int
            How many frames the mask is shifted after each variation.
        wait : bool
            Return after the last variation, instead of at once.

        Raises
        ------
        ValueError
            If a take is being generated, or `roll` is larger than the length.
        """
        with self._lock:
            self._check_free()
            if self.live_on:
                raise ValueError("live vamping is on already; cancel it first")
            whole("the number of frames to roll by", roll, -self.model.frames, self.model.frames)
            self.live_on = True
        given = (rounds, chain, roll, not wait)
        self._live = threading.Thread(target=self._vary, args=given, name="vampkit-live", daemon=True)
        self._live.start()
        if wait:
            self._live.join()

    def entered(self) -> None:
        """Tell that the last variation is being played now."""
        self._entered.set()

    def _vary(self, rounds: int | None, chain: bool, roll: int, paced: bool) -> None:
        count, fed = 0, None
        try:
            while self.live_on and not self.closed and (rounds is None or count < rounds):
                self._entered.clear()
                job, made = self._start(fed=fed)
                job.result()
                if not made:
                    break
                entry, count = made[0], count + 1
                fed = entry.take.tokens.replace(name=entry.name) if chain else None  # the opened sound stays
                self.chosen = entry.number
                self.history.prune(LIVE_KEPT)
                self.tell("live", entry)
                if roll and count != rounds:
                    self.model.roll(roll)
                if paced and self.live_on:
                    self._entered.wait(max(10.0, 2 * self.clip.seconds))
        except Exception as error:  # shown, as there is no cell to raise it in
            self.tell("wrong", error)
        finally:
            self.live_on = False
            self.tell("state", None)

    # Takes

    def choose(self, which: Which = 0) -> Entry | None:
        """Choose the sound to play: the original or a take. The position in the sound does not change.

        Parameters
        ----------
        which : int, str or Entry
            0 for the original; or the number, name or entry of a take.

        Returns
        -------
        Entry, optional
            The take.

        Raises
        ------
        ValueError
            If there is no such take.
        """
        entry = None if which in (0, "original") else self.history[which]
        self.chosen = 0 if entry is None else entry.number
        self.tell("state", None)
        return entry

    def recall(self, which: Which) -> Entry:
        """Restore the mask, the lanes, the settings and the seed of a take.

        Mask and lanes are one gesture, which `undo` reverts.

        Parameters
        ----------
        which : int, str or Entry
            Number, name or entry of a take.

        Returns
        -------
        Entry
            The take.

        Raises
        ------
        ValueError
            If there is no such take, or if the current sound has another length.
        """
        entry = self.history[which]
        with self.model.steps.as_one():
            self.model.draw(entry.mask)
            self.lanes.recall(entry.lanes)
        with self._lock:
            self._settings, self.circular = _plain(entry.settings), entry.circular
        self.tell("state", None)
        return entry

    def discard(self, which: Which) -> None:
        """Remove a take from the history.

        Parameters
        ----------
        which : int, str or Entry
            Number, name or entry of a take.

        Raises
        ------
        ValueError
            If there is no such take.
        """
        entry = self.history.discard(which)
        if self.chosen == entry.number:
            self.chosen = 0
        test = self.blind_test
        if test is not None and entry.number in (test.a, test.b):
            self.blind_test = None
        self.tell("state", None)

    def sound_of(self, which) -> Clip:
        """The sound of the original (0) or of a take."""
        return self.clip if which in (0, "original") else self.history[which].take.clip

    def blind(self, a: Which, b: Which, trials: int = 10, seed: int | None = None) -> BlindTest:
        """Begin a blind ABX test between two sounds. In each trial X is one of them, chosen at random.

        Parameters
        ----------
        a, b : int, str or Entry
            0 for the original; or the number, name or entry of a take.
        trials : int
            Number of trials.
        seed : int, optional
            Seed of the random choices.

        Returns
        -------
        BlindTest
            The test. Call its `answer("a")` or `answer("b")` for each trial.

        Raises
        ------
        ValueError
            If both sounds are the same, or if there is no such take.
        """
        a, b = (0 if which in (0, "original") else self.history[which].number for which in (a, b))
        seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self.blind_test = BlindTest(a, b, whole("the number of trials", trials, 1, 200), seed)
        self.tell("state", None)
        return self.blind_test

    def answer(self, letter: str) -> None:
        """Answer in the blind test that X is "a" or "b". Raises ValueError for another letter, or without a test."""
        if self.blind_test is None:
            raise ValueError("there is no blind test to answer; begin one")
        self.blind_test.answer(letter)

    def stop_blind(self) -> None:
        """End the blind test."""
        self.blind_test = None

    def close(self, timeout: float = 30.0) -> None:
        """Stop all generations and wait for their threads."""
        self.closed = True
        self.cancel()
        for thread in (self.job, self._live):
            if thread is not None and thread is not threading.current_thread():
                (thread.wait if isinstance(thread, Job) else thread.join)(timeout)
        self._worker.close()
