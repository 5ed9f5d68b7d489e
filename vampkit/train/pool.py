"""A pool of training sound: excerpts of 10 s, mono, at 44.1 kHz and -24 LUFS, in one flat int16 file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from vampkit.audio import LEVEL, Clip
from vampkit.errors import VampkitError
from vampkit.files import cache_folder, written
from vampkit.files.outer import fields, json_of, named, shown, text
from vampkit.files.texts import text_of, write_text
from vampkit.files.written import usable
from vampkit.music.genres import HELD_OUT_SEEDS
from vampkit.train.devices import spread

RATE = 44_100
SECONDS = 10
SAMPLES = RATE * SECONDS
FLOOR = -45.0
"""Excerpts with a loudness below this, in LUFS, are skipped (the reference code uses -30 and -40, for louder music)."""
NAMES = ("artist", "name")
ARTIST_MINUTES = 40
"""An artist with more minutes of music than this is drawn no more often, so that no artist dominates the training."""
SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}


class Pool:
    """Excerpts of sound and their artists.

    `sound` is int16 [excerpts, samples], memory-mapped. `items` has artist and track of each excerpt. `chances` are the
    probabilities with which excerpts are drawn.

    Parameters
    ----------
    folder : str or PathLike
        What `build_pool` or `compose_pool` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no pool.
    VampkitError
        If it is damaged.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        if not (self.folder / "pool.json").is_file():
            raise FileNotFoundError(
                f"there is no pool of sound at {self.folder}; "
                "make one with `vampkit data fetch` and `vampkit train codec`"
            )
        self.items = _items(self.folder / "pool.json")
        with usable(path := self.folder / "pool.int16"):
            size = path.stat().st_size
        if size != 2 * SAMPLES * len(self.items):
            raise VampkitError(
                f"{path} holds {size} bytes, {2 * SAMPLES * len(self.items)} were expected; delete the folder, it is "
                "made again"
            )
        self.sound = np.memmap(path, dtype=np.int16, mode="r").reshape(-1, SAMPLES)
        weight = np.array(artist_weights([(item["artist"], SECONDS / 60) for item in self.items]))
        self.chances = weight / weight.sum()

    def __len__(self) -> int:
        return len(self.items)

    def crops(self, count: int, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Draw random crops, each with a random gain of -6 to 6 dB.

        Parameters
        ----------
        count : int
            Number of crops.
        samples : int
            Length of a crop.
        rng : Generator
            Source of the random numbers.

        Returns
        -------
        ndarray
            float32 [count, samples].
        """
        which = rng.choice(len(self), count, p=self.chances)
        starts = rng.integers(0, SAMPLES - samples + 1, count)
        gains = 10 ** (rng.uniform(-6, 6, count) / 20)
        rows = [
            self.sound[i, s : s + samples].astype(np.float32) * (g / 32768)
            for i, s, g in zip(which, starts, gains, strict=True)
        ]
        return np.clip(np.stack(rows), -1, 1).astype(np.float32)

    def excerpt(self, index: int) -> Clip:
        """Give one excerpt as a clip.

        Parameters
        ----------
        index : int
            Number of the excerpt.

        Returns
        -------
        Clip
            The excerpt, at -24 LUFS.
        """
        item = self.items[index]
        return Clip(self.sound[index].astype(np.float32) / 32768, RATE, item["name"], item["artist"])


def _items(path: Path) -> list[dict]:
    """Artist and name of each excerpt. Raises VampkitError if they are not all there."""
    hint = "delete the folder, it is made again"
    items = json_of(text_of(path, "list of excerpts"), path.name, "a list of excerpts", hint)
    if not isinstance(items, list) or not items:
        raise VampkitError(f"{named(path)} holds {shown(items)}, a list of excerpts was expected; {hint}")
    for item in items:
        for value in (fields(f"an excerpt in {path.name}", item, NAMES, hint=hint)[n] for n in NAMES):
            text(f"the artist or name of an excerpt in {path.name} is ", value)
    return items


def artist_weights(recordings: Iterable[tuple[str, float]]) -> list[float]:
    """Weight of each recording, given as (artist, minutes). It is below 1 if the artist has more than 40 minutes.

    Composed music (artist "composed") always has weight 1.
    """
    recordings, total = list(recordings), {}
    for artist, minutes in recordings:
        total[artist] = total.get(artist, 0) + minutes
    weights = {name: 1.0 if name == "composed" else min(1.0, ARTIST_MINUTES / has) for name, has in total.items()}
    return [weights[artist] for artist, _ in recordings]


def music_files(source: Path) -> list[tuple[str, Path]]:
    """Artist and path of each music file in a folder laid out as artist/track. Files directly in it have one artist."""
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [(path.parent.name if path.parent != source else source.name, path) for path in files]


def excerpts_of(clip: Clip) -> Iterable[np.ndarray]:
    """Cut a clip into excerpts of 10 s, int16 [samples] at -24 LUFS. Quiet excerpts and a short rest are left out."""
    clip = clip.mono().resample(RATE)
    for first in range(0, clip.samples.shape[1] - SAMPLES + 1, SAMPLES):
        piece = Clip(clip.samples[:, first : first + SAMPLES], RATE)
        loudness = piece.loudness()
        if loudness > FLOOR:
            yield np.round(np.clip(piece.gain(LEVEL - loudness).samples[0], -1, 1) * 32767).astype(np.int16)


def at_speed(clip: Clip, speed: float) -> Clip:
    """Play a clip faster or slower, like a tape: tempo and pitch change together (1.06 is a semitone up)."""
    return clip if speed == 1 else replace(clip.resample(round(clip.rate / speed)), rate=clip.rate)


def build_pool(
    source: str | os.PathLike, folder: str | os.PathLike | None = None, speeds: tuple[float, ...] = (1.0,)
) -> Pool:
    """Make a pool from a folder of music, or load it if it was made before.

    Files that cannot be read are listed in skipped.txt in the pool's folder.

    Parameters
    ----------
    source : str or PathLike
        A folder of music laid out as artist/track. Files directly in it count as one artist.
    folder : str or PathLike, optional
        Folder of the pool. None: a folder in the cache, whose name depends on the music.
    speeds : tuple of float
        Each file is used once at each of these speeds, which change tempo and pitch together.

    Returns
    -------
    Pool
        All loud excerpts.

    Raises
    ------
    VampkitError
        If there is no music.
    """
    source = Path(source)
    files = music_files(source)
    if not files:
        raise VampkitError(
            f"there is no music in {source}; wav, flac, ogg, opus or mp3 files were expected; "
            "`vampkit data fetch` brings some"
        )
    if folder is None:
        made_of = json.dumps([speeds, *((p.relative_to(source).as_posix(), p.stat().st_size) for _, p in files)])
        folder = cache_folder() / "pools" / f"{source.name}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"

    def sounds():
        for speed, (artist, path) in product(speeds, files):
            try:
                yield artist, path.stem, list(excerpts_of(at_speed(Clip.load(path), speed)))
            except (VampkitError, ValueError) as error:
                yield artist, path.stem, error

    return _write_pool(sounds(), len(speeds) * len(files), Path(folder), "music")


def compose_pool(seeds: Iterable[int], folder: str | os.PathLike, seconds: float = 30.0, processes: int = 1) -> Pool:
    """Make a pool of composed pieces of all training genres, or load it if it was made before.

    Parameters
    ----------
    seeds : iterable of int
        One seed per piece.
    folder : str or PathLike
        Folder of the pool.
    seconds : float
        Length of a piece.
    processes : int
        Number of processes that compose and render. The notes do not depend on it; the samples differ by at most 1e-4.

    Returns
    -------
    Pool
        All loud excerpts.
    """
    seeds = list(seeds)
    made = spread(partial(_composed, seconds=seconds), seeds, processes)
    return _write_pool(made, len(seeds), Path(folder), "composing")


def composed_pool(count: int, held_out: bool = False, processes: int = 1) -> Pool:
    """The pool in the cache with `count` composed pieces of 30 s. held_out: use the seeds held out from training."""
    first = HELD_OUT_SEEDS if held_out else 0
    folder = cache_folder() / "pools" / f"training-genres-{'valid-' if held_out else ''}{count}"
    return compose_pool(range(first, first + count), folder, processes=processes)


def _composed(seed: int, seconds: float) -> tuple[str, str, list[np.ndarray]]:
    """Artist, name and excerpts of the piece with this seed."""
    from vampkit import music

    piece = music.compose(seed, genre="training", seconds=seconds)
    return f"composed-{seed}", f"{piece.genre}-{seed}", list(excerpts_of(music.render(piece)))


def _write_pool(sounds, count: int, folder: Path, what: str) -> Pool:
    from vampkit.files.bars import progress_bar

    if (folder / "pool.json").is_file():
        return Pool(folder)
    items, skipped = [], []
    with written(folder / "pool.int16") as part, part.open("wb") as file:
        for artist, name, found in progress_bar(sounds, total=count, desc=what, disable=None):
            if isinstance(found, Exception):
                skipped.append(f"{artist}/{name}: {found}")
                continue
            for excerpt in found:
                file.write(excerpt.tobytes())
                items.append({"artist": artist, "name": name})
        if not items:
            raise VampkitError(
                f"no excerpt of {SECONDS} s was loud enough or long enough for {folder}; add longer music"
            )
    write_text(folder / "skipped.txt", "\n".join(skipped))
    write_text(folder / "pool.json", json.dumps(items))  # written last: a pool with this file is complete
    return Pool(folder)
