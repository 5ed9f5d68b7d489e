"""A token store: the tokens of folders of music, of datasets and of composed pieces.

    OUT/store.json               settings: the codec's hash, codebooks, hop and rate, the loudness floor
    OUT/items.jsonl              one line per track, in the order in which they were found
    OUT/shard-00000.safetensors  the codes of 16 tracks, uint16 [codebooks, frames], by number of the track
    OUT/shard-00000.jsonl        metadata of these tracks: name, artist, salient parts, truth; or why one was skipped

Several processes can fill shards at once. A shard is written as a whole, so if the program is killed, only the
unfinished shards are lost. Notebook: 12
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import LEVEL, Clip
from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.files.outer import MOST_RATE, fields, json_of, number, shown, text
from vampkit.files.texts import of_format, text_of, write_text
from vampkit.files.written import alone
from vampkit.music.genres import HELD_OUT_SEEDS
from vampkit.train.annotations import mirdata_items
from vampkit.train.devices import spread
from vampkit.train.pool import FLOOR, artist_weights, music_files
from vampkit.train.tokens import TokenSource
from vampkit.weights import load_codec

FORMAT = "vampkit.tokens-store/1"
SHARD = 16
"""Tracks in a shard. Encoding one takes a few minutes, which are lost if the program is killed."""
BLOCK = 3.0
"""Length of a block in seconds. The loudness of a block decides whether it is salient."""


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
    """Turn sound into a token store, or continue the one in `out`.

    New tracks are added at the end. Files that cannot be read are skipped and listed in `TokenStore.skipped`.

    Notebook: 12

    Parameters
    ----------
    sources : iterable of str or PathLike
        Folders of wav, flac, ogg, opus or mp3 files, laid out as artist/track. Files directly in a folder count as one
        artist.
    out : str or PathLike
        Folder of the store.
    codec : str or PathLike
        Name or path of the codec.
    composed : int
        Number of composed pieces, of all training genres.
    first_seed : int
        Seed of the first composed piece. Seeds from 1,000,000 on are held out from training, for test stores.
    mirdata : dict of str to str, optional
        The folder of each mirdata dataset, by its name (extra `mirdata`). The annotations of the dataset are kept.
    seconds : float
        Length of a composed piece.
    floor : float
        Blocks of 3 s with a loudness below this, in LUFS, are not salient. It is measured after the track was scaled
        to -24 LUFS.
    processes : int
        Number of processes.
    add : bool
        If False, raise an error if `out` was made from other sources, instead of adding to it.

    Returns
    -------
    TokenStore
        The whole store.

    Raises
    ------
    FileNotFoundError
        For a missing folder.
    VampkitError
        If no sound was found, `out` holds tokens of another codec or with other settings, or another process fills it.
    ValueError
        If some of the seeds are held out from training and others are not.
    """
    from vampkit.files.bars import progress_bar

    if first_seed < HELD_OUT_SEEDS < first_seed + composed:
        raise ValueError(
            f"seeds {first_seed} to {first_seed + composed - 1} are partly held out from training; "
            f"stay below {HELD_OUT_SEEDS}, or begin there"
        )
    out = Path(out)
    settings = _settings(load_codec(codec), floor)
    found = [item for source in sources for item in _folder_items(Path(source))]
    found += [
        {"seed": seed, "seconds": seconds, "genre": "training", "artist": "composed"}
        for seed in range(first_seed, first_seed + composed)
    ]
    found += [item for name, home in (mirdata or {}).items() for item in mirdata_items(name, home)]
    with alone(out):
        _same_settings(out, settings)
        items = _all_items(out, found, add)
        write_text(out / "store.json", json.dumps(settings, indent=1))
        _write_rows(out / "items.jsonl", items)
        shards = [
            (out, number, items[number * SHARD : (number + 1) * SHARD], os.fspath(codec), floor)
            for number in range(-(-len(items) // SHARD))
        ]
        work = [s for s in shards if len(_rows(out / f"shard-{s[1]:05}.jsonl")) < len(s[2])]
        with progress_bar(
            total=len(shards), initial=len(shards) - len(work), desc=f"shards of {out.name}", disable=None
        ) as bar:
            for _ in spread(_fill, work, processes):
                bar.update()
    return TokenStore(out)


def _settings(codec: Codec, floor: float) -> dict:
    size = {"codec": codec.hash, "codebooks": codec.codebooks, "hop": codec.hop, "rate": codec.rate}
    return {"format": FORMAT} | size | {"floor": floor, "shard": SHARD}


def _same_settings(out: Path, settings: dict) -> None:
    """Raise VampkitError if `out` holds a store with other settings."""
    if (out / "store.json").is_file():
        before = _store_settings(out)
        if changed := ", ".join(name for name in settings if before.get(name) != settings[name]):
            raise VampkitError(f"{out} was built with another {changed}; choose another folder, or delete this one")


def _all_items(out: Path, found: list[dict], add: bool) -> list[dict]:
    """The items that the store has, then the new ones.

    Raises VampkitError if there are none at all, or if they differ from those of the store and `add` is False.
    """
    items = _rows(out / "items.jsonl")
    known = {json.dumps(item, sort_keys=True) for item in items}
    if not add and items and known != {json.dumps(item, sort_keys=True) for item in found}:
        raise VampkitError(
            f"{out} was made of other music ({len(items)} pieces then, {len(found)} now); "
            "choose another folder to write to"
        )
    items += [item for item in found if json.dumps(item, sort_keys=True) not in known]
    if not items:
        raise VampkitError(
            "no sound was found to make tokens of; wav, flac, ogg, opus or mp3 files in the folders, "
            "or composed pieces, were expected"
        )
    return items


class TokenStore(TokenSource):
    """A folder with the codes and the metadata of tracks of different lengths.

    `tracks` has one dict per track, with "number", "name", "artist", "frames", "salient" (a list of [first, end) in
    frames) and, if known, "truth". `skipped` has one dict per track that could not be read, with "source" and "error".
    `settings` has the codec's hash, hop and rate.

    Crops are drawn from the salient parts, with chances proportional to their lengths. An artist with more than 40
    minutes of music is drawn no more often than one with 40 minutes.

    Notebook: 12

    Parameters
    ----------
    folder : str or PathLike
        What `build_store` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no store.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        if not (self.folder / "store.json").is_file():
            raise FileNotFoundError(
                f"there is no token store at {self.folder}; make one with `vampkit data build DIR --out {self.folder}`"
            )
        self.settings = _store_settings(self.folder)
        rows = [_track_row(row, path) for path in sorted(self.folder.glob("shard-*.jsonl")) for row in _rows(path)]
        self.tracks = [row for row in rows if "error" not in row]
        self.skipped = [row for row in rows if "error" in row]
        frame = self.settings["hop"] / self.settings["rate"] / 60
        weights = artist_weights([(row["artist"], row["frames"] * frame) for row in self.tracks])
        parts = [(i, first, end) for i, row in enumerate(self.tracks) for first, end in row["salient"]]
        weight = [(end - first) * weights[i] for i, first, end in parts]
        super().__init__(self.folder.name, self.settings["codec"], parts, np.array(weight) / max(1e-9, sum(weight)))
        self._shard = cache(self._read)

    def __len__(self) -> int:
        return len(self.tracks)

    def _track(self, index: int) -> Tensor:
        number = self.tracks[index]["number"]
        path = self.folder / f"shard-{number // self.settings['shard']:05}.safetensors"
        codes = self._shard(number // self.settings["shard"]).get(str(number))
        if codes is None or tuple(codes.shape) != (self.settings["codebooks"], self.tracks[index]["frames"]):
            raise VampkitError(
                f"{path.name} lacks the codes of track {number}, which were expected; build the store again"
            )
        return codes

    def _read(self, shard: int) -> dict[str, Tensor]:
        return read_safetensors(self.folder / f"shard-{shard:05}.safetensors", FORMAT)[1]


def salient(clip: Clip, floor: float, codec_rate: float) -> list[list[int]]:
    """Find the salient parts of a clip, in which each block of 3 s is louder than `floor` LUFS.

    Returns [first, end) in frames for each part. codec_rate: frames per second.
    """
    step, seconds = BLOCK, clip.seconds
    starts = np.arange(0, max(seconds - step / 2, step / 2), step)
    borders = [round(start * codec_rate) for start in starts] + [int(seconds * codec_rate)]  # the last has the rest
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
    out, number, items, name, floor = shard
    codec, path = _codec(name), out / f"shard-{number:05}.safetensors"
    rows = _rows(path.with_suffix(".jsonl"))
    codes = dict(read_safetensors(path, FORMAT)[1]) if path.is_file() else {}
    for place in range(len(rows), len(items)):
        item, index = items[place], number * SHARD + place
        try:
            row, found = encoded(item, codec, floor)
            codes[str(index)] = found.to(torch.uint16)
        except (VampkitError, ValueError, OSError) as error:
            row = {"error": str(error)}
        source = item.get("file") or item.get("track") or item.get("seed")
        rows.append({"number": index, "artist": item["artist"], "source": source} | row)
    write_safetensors(codes, path, FORMAT, {"codec": codec.hash})
    _write_rows(path.with_suffix(".jsonl"), rows)


def encoded(item: dict, codec: Codec, floor: float) -> tuple[dict, Tensor]:
    """Encode a track. Returns its metadata and its codes [codebooks, frames].

    Raises VampkitError if the track is silent or cannot be read.
    """
    truth = item.get("truth")
    if "seed" in item:
        from vampkit import music

        piece = music.compose(item["seed"], genre=item.get("genre"), seconds=item["seconds"])
        clip, name = music.render(piece), f"{piece.genre}-{piece.seed}"
        truth = {k: v for k, v in json.loads(piece.to_json()).items() if k not in ("notes", "format")}
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
    return [{"file": str(path.resolve()), "artist": artist} for artist, path in music_files(source)]


@cache
def _codec(name: str) -> Codec:
    return load_codec(name)


def _rows(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    lines = text_of(path, "list of tracks").splitlines()
    rows = [json_of(line, path.name, "one object a line", "build the store again") for line in lines]
    return [fields(f"a line of {path.name}", row, ("artist",), hint="build the store again") for row in rows]


def _store_settings(folder: Path) -> dict:
    """The settings of a store. Raises VampkitError for those of something else."""
    hint = "choose the folder of a store, or build it again"
    settings = of_format(text_of(folder / "store.json", "store"), FORMAT, "store", hint)
    what = f"store.json in {folder.name}"
    fields(what, settings, ("codec", "codebooks", "hop", "rate", "floor", "shard"), hint=hint)
    try:
        if not isinstance(settings["codec"], str):
            raise ValueError(f"codec is {shown(settings['codec'])}, a hash was expected; {hint}")
        for name, most in (("codebooks", 64), ("hop", 2**16), ("rate", MOST_RATE), ("shard", 2**20)):
            number(f"{name} is ", settings[name], 1, most, whole=True, hint=hint)
        number("floor is ", settings["floor"], -1e4, 1e4, hint=hint)
    except (TypeError, ValueError) as error:
        raise VampkitError(f"in {what}, {error}") from None
    return settings


def _track_row(row: dict, path: Path) -> dict:
    """The row of a track. Raises VampkitError for one that says too little, or what cannot be."""
    if "error" in row:
        return row
    hint = "build the store again"
    fields(f"a line of {path.name}", row, ("number", "name", "frames", "salient"), hint=hint)
    try:
        for name in ("name", "artist"):
            text(f"{name} is ", row[name])
        number("number is ", row["number"], 0, 2**40, whole=True, hint=hint)
        frames = number("frames is ", row["frames"], 1, 2**32, whole=True, hint=hint)
        parts = row["salient"] if isinstance(row["salient"], list) else [None]
        for part in parts:
            if not isinstance(part, list) or len(part) != 2:
                raise ValueError(f"salient holds {shown(part)}, pairs of frames were expected; {hint}")
            first = number("a salient part begins at ", part[0], 0, frames, whole=True, hint=hint)
            number("a salient part ends at ", part[1], first, frames, whole=True, hint=hint)
    except (TypeError, ValueError) as error:
        raise VampkitError(f"in {path.name}, {error}") from None
    return row


def _write_rows(path: Path, rows: list[dict]) -> None:
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
