"""A token store: folders of music, datasets and composed pieces as tokens, in shards that any number of processes fill.

    OUT/store.json            codec's hash, geometry, what went in
    OUT/items.jsonl           one line a track, in the order in which they were found
    OUT/shard-00000.safetensors  codes uint16 [codebooks, frames] of its tracks, by the track's number
    OUT/shard-00000.jsonl     what is known of them: name, artist, salient parts, truth or annotations; or why one was skipped

A shard is written beside and renamed, so a kill costs at most the shards in work. Notebook: 12.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import LEVEL, Clip
from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors
from vampkit.music.genres import HELD_OUT_SEEDS
from vampkit.train.annotations import mirdata_items
from vampkit.train.devices import single_threaded
from vampkit.train.pool import ARTIST_MINUTES, FLOOR, SUFFIXES
from vampkit.weights import load_codec

FORMAT = "vampkit.tokens-store/1"
SHARD = 16
"""Tracks a shard: a few minutes of work, which is what a kill may cost."""
BLOCK = 3.0
"""Seconds of a block whose loudness decides whether it is salient."""


def build_store(
    sources: Iterable[str | os.PathLike],
    out: str | os.PathLike,
    codec: str | os.PathLike = "tiny",
    *,
    composed: int = 0,
    first_seed: int = 0,
    mirdata: dict[str, str] | None = None,
    seconds: float = 30.0,
    floor: float = FLOOR,
    processes: int = 1,
    add: bool = True,
) -> TokenStore:
    """Turn sound into a token store, going on from what is in `out`.

    Sources that are new since the last time are added behind.

    sources: folders of wav, flac, ogg, opus or mp3, laid out as artist/track (files directly inside count as one
    artist). codec: its name or path.
    composed: number of composed pieces of `seconds` s of all training genres, seeds from `first_seed` on (from
    1,000,000 on for a store to test with).
    mirdata: datasets by name and the folder each lies in (extra `mirdata`); their own annotations are kept.
    floor: LUFS below which a block of 3 s is not salient, after the track was brought to -24. add: if not, an `out`
    that was made of other sources is refused.

    Files that cannot be read are skipped and listed (`TokenStore.skipped`). Raises VampkitError where nothing was
    found, or `out` holds another codec's tokens. Notebook: 12.
    """
    from tqdm.auto import tqdm

    if first_seed < HELD_OUT_SEEDS < first_seed + composed:
        raise ValueError(
            f"seeds {first_seed} to {first_seed + composed - 1} are partly held out from training; stay below {HELD_OUT_SEEDS}, or begin there"
        )
    out = Path(out)
    loaded = load_codec(codec)
    settings = {
        "format": FORMAT,
        "codec": loaded.hash,
        "codebooks": loaded.codebooks,
        "hop": loaded.hop,
        "rate": loaded.rate,
        "floor": floor,
        "shard": SHARD,
    }
    if (out / "store.json").is_file():
        before = json.loads((out / "store.json").read_text(encoding="utf-8"))
        if before != settings:
            changed = ", ".join(k for k in settings if before.get(k) != settings[k])
            raise VampkitError(f"{out} was built with another {changed}; choose another folder, or delete this one")
    found = [item for source in sources for item in _folder_items(Path(source))]
    found += [
        {"seed": seed, "seconds": seconds, "genre": "training", "artist": "composed"}
        for seed in range(first_seed, first_seed + composed)
    ]
    found += [item for name, home in (mirdata or {}).items() for item in mirdata_items(name, home)]
    items = _rows(out / "items.jsonl")
    known = {json.dumps(item, sort_keys=True) for item in items}
    if not add and items and known != {json.dumps(item, sort_keys=True) for item in found}:
        raise VampkitError(
            f"{out} was made of other music ({len(items)} pieces then, {len(found)} now); choose another folder to write to"
        )
    items += [item for item in found if json.dumps(item, sort_keys=True) not in known]
    if not items:
        raise VampkitError(
            "no sound was found to make tokens of; wav, flac, ogg, opus or mp3 files in the folders, or composed pieces, were expected"
        )
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "store.json", json.dumps(settings, indent=1))
    _write(out / "items.jsonl", "".join(json.dumps(item) + "\n" for item in items))
    shards = [
        (out, number, items[number * SHARD : (number + 1) * SHARD], os.fspath(codec), floor)
        for number in range(-(-len(items) // SHARD))
    ]
    work = [s for s in shards if len(_rows(out / f"shard-{s[1]:05}.jsonl")) < len(s[2])]
    with tqdm(total=len(shards), initial=len(shards) - len(work), desc=f"shards of {out.name}", disable=None) as bar:
        if processes == 1:
            for shard in work:
                _fill(shard)
                bar.update()
        else:
            # Spawned, not forked: torch's threads do not survive a fork.
            with single_threaded(), ProcessPoolExecutor(processes, get_context("spawn")) as pool:
                for _ in pool.map(_fill, work):
                    bar.update()
    return TokenStore(out)


class TokenStore:
    """Tracks of different lengths as codes, with what is known of each.

    folder: what `build_store` wrote. Raises FileNotFoundError where it is missing.
    tracks: one dict a track, with "number", "name", "artist", "frames", "salient" ([first, end) frames) and, where
    known, "truth".
    chances: how often each salient part is drawn, an artist's share growing with his minutes up to 40.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        if not (self.folder / "store.json").is_file():
            raise FileNotFoundError(
                f"there is no token store at {self.folder}; make one with `vampkit data build DIR --out {self.folder}`"
            )
        self.settings = json.loads((self.folder / "store.json").read_text(encoding="utf-8"))
        self.codec: str = self.settings["codec"]
        rows = [row for path in sorted(self.folder.glob("shard-*.jsonl")) for row in _rows(path)]
        self.tracks = [row for row in rows if "error" not in row]
        self.skipped = [row for row in rows if "error" in row]
        self.parts = [(i, first, end) for i, row in enumerate(self.tracks) for first, end in row["salient"]]
        frame = self.settings["hop"] / self.settings["rate"] / 60
        minutes: dict[str, float] = {}
        for row in self.tracks:
            minutes[row["artist"]] = minutes.get(row["artist"], 0) + row["frames"] * frame
        share = {name: 1.0 if name == "composed" else min(1.0, ARTIST_MINUTES / has) for name, has in minutes.items()}
        weight = [(end - first) * share[self.tracks[i]["artist"]] for i, first, end in self.parts]
        self.chances = np.array(weight) / max(1e-9, sum(weight))
        self._shard, self._fitting = cache(self._read), cache(self._fit)

    def __len__(self) -> int:
        return len(self.tracks)

    def codes(self, index: int) -> Tensor:
        """Codes of one track, int64 [codebooks, frames]."""
        return self._track(index).long()

    def crops(self, count: int, codebooks: int, frames: int, rng: np.random.Generator) -> Tensor:
        """Random crops of salient parts, int64 [count, codebooks, frames].

        Raises ValueError where no part is that long.
        """
        fitting, edges = self._fitting(frames)
        if not len(fitting):
            raise ValueError(
                f"no salient part of {self.folder.name} is {frames} frames long; ask for shorter crops or build the store with a lower floor"
            )
        rows = []
        for place in np.searchsorted(edges, rng.random(count), side="right"):
            index, first, end = self.parts[fitting[place]]
            start = int(rng.integers(first, end - frames + 1))
            rows.append(self._track(index)[:codebooks, start : start + frames].long())
        return torch.stack(rows)

    def held_out(self, count: int, codebooks: int, frames: int) -> Tensor:
        """The same few excerpts at every call, evenly spread over the tracks, int64 [at most count, codebooks, frames].

        For checks during a training.

        Raises ValueError where no salient part is that long.
        """
        fitting = [(index, first) for index, first, end in self.parts if end - first >= frames]
        if not fitting:
            raise ValueError(
                f"no salient part of {self.folder.name} is {frames} frames long; build the held-out store from longer sounds"
            )
        chosen = [fitting[i] for i in np.linspace(0, len(fitting) - 1, min(count, len(fitting))).astype(int)]
        return torch.stack([self.codes(index)[:codebooks, first : first + frames] for index, first in chosen])

    def _fit(self, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the parts that are long enough, and where between 0 and 1 the chances of each but the last end."""
        fitting = np.array(
            [i for i, (_, first, end) in enumerate(self.parts) if end - first >= frames and self.chances[i] > 0], int
        )
        chances = self.chances[fitting]
        return fitting, np.cumsum(chances / max(1e-300, chances.sum()))[:-1]

    def _track(self, index: int) -> Tensor:
        number = self.tracks[index]["number"]
        return self._shard(number // self.settings["shard"])[str(number)]

    def _read(self, shard: int) -> dict[str, Tensor]:
        # Mapped, not loaded: only what is sliced is read.
        return read_safetensors(self.folder / f"shard-{shard:05}.safetensors", FORMAT)[1]


def salient(clip: Clip, floor: float, codec_rate: float) -> list[list[int]]:
    """Frames [first, end) of the parts in which every block of 3 s is louder than `floor` LUFS.

    codec_rate: frames a second.
    """
    step, seconds = BLOCK, clip.seconds
    starts = np.arange(0, max(seconds - step / 2, step / 2), step)
    borders = [
        *(round(start * codec_rate) for start in starts),
        int(seconds * codec_rate),
    ]  # the last block takes what is left
    parts: list[list[int]] = []
    for start, first, end in zip(starts, borders[:-1], borders[1:], strict=True):
        if clip.excerpt(float(start), min(step, seconds - start)).loudness() <= floor:
            continue
        if parts and parts[-1][1] == first:
            parts[-1][1] = end
        else:
            parts.append([first, end])
    return parts


def _fill(shard: tuple[Path, int, list[dict], str, float]) -> None:
    """Encode the tracks of one shard that are not in it yet."""
    from safetensors.torch import save_file

    out, number, items, name, floor = shard
    codec, path = _codec(name), out / f"shard-{number:05}.safetensors"
    rows = _rows(out / f"shard-{number:05}.jsonl")
    codes = dict(read_safetensors(path, FORMAT)[1]) if path.is_file() else {}
    for place in range(len(rows), len(items)):
        item, index = items[place], number * SHARD + place
        try:
            row, found = encoded(item, codec, floor)
            codes[str(index)] = found.to(torch.uint16)
        except (VampkitError, ValueError, OSError) as error:
            row = {"error": str(error)}
        rows.append(
            {
                "number": index,
                "artist": item["artist"],
                "source": item.get("file") or item.get("track") or item.get("seed"),
            }
            | row
        )
    part = path.with_name(path.name + ".part")
    save_file(codes, part, metadata={"format": FORMAT, "settings": json.dumps({"codec": codec.hash})})
    part.replace(path)
    _write(out / f"shard-{number:05}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def encoded(item: dict, codec: Codec, floor: float) -> tuple[dict, Tensor]:
    """What is known of a track, and its codes [codebooks, frames].

    Raises VampkitError for silence and for what cannot be read.
    """
    truth = item.get("truth")
    if "seed" in item:
        from vampkit import music

        piece = music.compose(item["seed"], genre=item.get("genre"), seconds=item["seconds"])
        clip, truth = (
            music.render(piece),
            {k: v for k, v in json.loads(piece.to_json()).items() if k not in ("notes", "format")},
        )
        name = f"{piece.genre}-{piece.seed}"
    else:
        clip, name = Clip.load(item["file"]), Path(item["file"]).stem
    clip = clip.mono().resample(codec.rate).at_loudness(LEVEL)
    parts = salient(clip, floor, codec.rate / codec.hop)
    if not parts:
        raise VampkitError(
            f"{name} is nowhere louder than {floor:g} LUFS, some sound was expected; leave it out or lower the floor"
        )
    codes = codec.encode_samples(clip.samples[0])[0]
    row = {
        "name": name,
        "frames": codes.shape[1],
        "seconds": round(clip.seconds, 3),
        "salient": [[a, min(b, codes.shape[1])] for a, b in parts],
    }
    return row | ({"truth": truth} if truth else {}), codes


def _folder_items(source: Path) -> list[dict]:
    if not source.is_dir():
        raise FileNotFoundError(f"there is no folder at {source}; check its name")
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES)
    return [{"file": str(p.resolve()), "artist": p.parent.name if p.parent != source else source.name} for p in files]


@cache
def _codec(name: str) -> Codec:
    return load_codec(name)


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
