"""A pool of sound to train on: excerpts of 10 s, mono, at the codec's rate and level, in one flat int16 file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product, repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from vampkit.audio import LEVEL, Clip
from vampkit.errors import VampkitError
from vampkit.files import cache_folder, written
from vampkit.music.genres import HELD_OUT_SEEDS
from vampkit.train.devices import single_threaded

RATE = 44_100
SECONDS = 10
SAMPLES = RATE * SECONDS
FLOOR = -45.0
"""LUFS below which an excerpt is skipped (the reference code has -30 and -40, for louder tracks than ours)."""
ARTIST_MINUTES = 40
"""An artist's weight grows with the minutes of music up to here, so that one name does not fill the training."""
SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}


class Pool:
    """Excerpts of sound and their makers.

    `sound` is int16 [excerpts, samples], read where it lies; `items` name artist and track of each excerpt; `chances`
    say how often each is drawn.

    Parameters
    ----------
    folder : str or PathLike
        What `build_pool` or `compose_pool` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no pool.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        if not (self.folder / "pool.json").is_file():
            raise FileNotFoundError(
                f"there is no pool of sound at {self.folder}; "
                "make one with `vampkit data fetch` and `vampkit train codec`"
            )
        self.items = json.loads((self.folder / "pool.json").read_text(encoding="utf-8"))
        self.sound = np.memmap(self.folder / "pool.int16", dtype=np.int16, mode="r").reshape(-1, SAMPLES)
        weight = np.array(artist_weights([(item["artist"], SECONDS / 60) for item in self.items]))
        self.chances = weight / weight.sum()

    def __len__(self) -> int:
        return len(self.items)

    def crops(self, count: int, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Random crops at any offset, up to 6 dB louder or softer.

        Parameters
        ----------
        count : int
            How many.
        samples : int
            Length of a crop.
        rng : Generator
            Draws excerpt, place and level.

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
        """One excerpt as a clip.

        Parameters
        ----------
        index : int
            The excerpt's place.

        Returns
        -------
        Clip
            At -24 LUFS.
        """
        item = self.items[index]
        return Clip(self.sound[index].astype(np.float32) / 32768, RATE, item["name"], item["artist"])


def artist_weights(recordings: Iterable[tuple[str, float]]) -> list[float]:
    """Weight of each recording, given as artist and minutes: below 1 where its artist has more than 40 minutes.

    Composed music ("composed") always has 1.
    """
    recordings, total = list(recordings), {}
    for artist, minutes in recordings:
        total[artist] = total.get(artist, 0) + minutes
    weights = {name: 1.0 if name == "composed" else min(1.0, ARTIST_MINUTES / has) for name, has in total.items()}
    return [weights[artist] for artist, _ in recordings]


def music_files(source: Path) -> list[tuple[str, Path]]:
    """Artist and path of each music file in a folder of artist/track; files directly inside have one artist."""
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [(path.parent.name if path.parent != source else source.name, path) for path in files]


def excerpts_of(clip: Clip) -> Iterable[np.ndarray]:
    """Cut a clip into excerpts of 10 s, int16 [samples] at -24 LUFS; quiet ones and a short rest are left out."""
    clip = clip.mono().resample(RATE)
    for first in range(0, clip.samples.shape[1] - SAMPLES + 1, SAMPLES):
        piece = Clip(clip.samples[:, first : first + SAMPLES], RATE)
        loudness = piece.loudness()
        if loudness > FLOOR:
            yield np.round(np.clip(piece.gain(LEVEL - loudness).samples[0], -1, 1) * 32767).astype(np.int16)


def at_speed(clip: Clip, speed: float) -> Clip:
    """A clip played so much faster or slower, as a tape is: tempo and pitch together (1.06 is a semitone up)."""
    return clip if speed == 1 else replace(clip.resample(round(clip.rate / speed)), rate=clip.rate)


def build_pool(
    source: str | os.PathLike, folder: str | os.PathLike | None = None, speeds: tuple[float, ...] = (1.0,)
) -> Pool:
    """Make a pool from a folder of music; a finished pool is used again.

    Files that cannot be read are listed in skipped.txt in the pool's folder.

    Parameters
    ----------
    source : str or PathLike
        Music laid out as artist/track; files directly inside count as one artist.
    folder : str or PathLike, optional
        Where the pool lies; None: in the cache, under a name that other music does not have.
    speeds : tuple of float
        Every file is taken once at each of these, tempo and pitch together.

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

    return _write(sounds(), len(speeds) * len(files), Path(folder), "music")


def compose_pool(seeds: Iterable[int], folder: str | os.PathLike, seconds: float = 30.0, processes: int = 1) -> Pool:
    """Make a pool of composed pieces of all training genres; a finished pool is used again.

    Parameters
    ----------
    seeds : iterable of int
        One for each piece.
    folder : str or PathLike
        Where the pool lies.
    seconds : float
        Length of a piece.
    processes : int
        How many compose and render. The pieces are the same whatever their number, and their sound to 1e-4.

    Returns
    -------
    Pool
        All loud excerpts.
    """
    seeds = list(seeds)
    if processes == 1:
        return _write((_composed(seed, seconds) for seed in seeds), len(seeds), Path(folder), "composing")
    # Spawned, not forked: torch's threads do not survive a fork.
    with single_threaded(), ProcessPoolExecutor(processes, get_context("spawn")) as workers:
        return _write(workers.map(_composed, seeds, repeat(seconds)), len(seeds), Path(folder), "composing")


def composed_pool(count: int, held_out: bool = False, processes: int = 1) -> Pool:
    """The cache's pool of so many composed pieces of 30 s, to train on or held out."""
    first = HELD_OUT_SEEDS if held_out else 0
    folder = cache_folder() / "pools" / f"training-genres-{'valid-' if held_out else ''}{count}"
    return compose_pool(range(first, first + count), folder, processes=processes)


def _composed(seed: int, seconds: float) -> tuple[str, str, list[np.ndarray]]:
    """Artist, name and excerpts of the piece of one seed."""
    from vampkit import music

    piece = music.compose(seed, genre="training", seconds=seconds)
    return f"composed-{seed}", f"{piece.genre}-{seed}", list(excerpts_of(music.render(piece)))


def _write(sounds, count: int, folder: Path, what: str) -> Pool:
    from tqdm.auto import tqdm

    if (folder / "pool.json").is_file():
        return Pool(folder)
    items, skipped = [], []
    with written(folder / "pool.int16") as part, part.open("wb") as file:
        for artist, name, found in tqdm(sounds, total=count, desc=what, disable=None):
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
    (folder / "skipped.txt").write_text("\n".join(skipped), encoding="utf-8")
    with written(folder / "pool.json") as part:  # the last file: a pool that has it is whole
        part.write_text(json.dumps(items), encoding="utf-8")
    return Pool(folder)
