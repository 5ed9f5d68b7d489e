"""What control adapters learn from: the tokens of pieces with the curves of their sound, a file each. Notebook: 14."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit import music
from vampkit.audio import Clip
from vampkit.codec import Codec
from vampkit.controls import Control, curves
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.train.pool import music_files

FORMAT = "vampkit.followed/4"
SECONDS = 30.0
"""Length of a piece, and of the parts into which recordings are cut."""
MOST_PARTS = 4
"""Of one recording; a longer one gives parts from its whole length. Many recordings teach more than much of a few."""


class Followed:
    """Tokens and curves of pieces, from which training draws crops.

    Parameters
    ----------
    codes : list of Tensor
        int64 [codebooks, frames] of each piece.
    curves : list of ndarray
        float32 [16, frames] of each piece: the curves of all controls.
    drums : list of (ndarray or None), optional
        float32 [3, frames]: the rhythm of the drums of each piece alone, where it has drums.
    """

    def __init__(self, codes: list[Tensor], curves: list[np.ndarray], drums: Sequence[np.ndarray | None] | None = None):
        self.codes, self.curves = codes, curves
        self.drums = [None] * len(codes) if drums is None else drums

    def crop(self, frames: int, rng: np.random.Generator, drums: float = 0.0) -> tuple[Tensor, np.ndarray]:
        """Draw codes [codebooks, frames] and curves [16, frames]. Raises ValueError if all pieces are shorter.

        drums: how often the rhythm is that of the drums alone, where there are any.
        """
        long = [i for i, codes in enumerate(self.codes) if codes.shape[1] >= frames]
        if not long:
            raise ValueError(f"no piece is {frames} frames long; take longer music, or shorter examples")
        index = long[int(rng.integers(len(long)))]
        first = int(rng.integers(self.codes[index].shape[1] - frames + 1))
        values = self.curves[index]
        if rng.random() < drums and self.drums[index] is not None:
            values = np.concatenate([self.drums[index], values[len(self.drums[index]) :]])
        return self.codes[index][:, first : first + frames], values[:, first : first + frames]


def followed(codec: Codec, folder: Path, seeds: Iterable[int] = (), recordings: Path | None = None) -> Followed:
    """Encode composed pieces and recordings with their curves, a file each; those that are there are only read.

    Raises VampkitError if none is loud enough.
    """
    from vampkit.files.bars import progress_bar

    def sounds():
        for seed in seeds:
            yield f"composed-{seed}", lambda seed=seed: _composed(seed)
        for artist, path in music_files(recordings) if recordings else ():
            yield f"{artist}-{path.stem}", lambda path=path: (_parts(Clip.load(path)), None)

    found = list(sounds())
    codes, values, drums = [], [], []
    for name, make in progress_bar(found, desc=f"curves of {folder.name}", disable=None):
        path = folder / f"{name}.safetensors"
        if not path.is_file():
            write_safetensors(_encoded(*make(), codec), path, FORMAT, {"codec": codec.hash})
        header, tensors = read_safetensors(path, FORMAT)
        if header["codec"] != codec.hash:
            raise VampkitError(f"{path} holds tokens of codec {header['codec'][:8]}, {codec.hash[:8]} was expected")
        parts = sorted(name for name in tensors if name.startswith("codes"))
        codes += [tensors[name].long() for name in parts]
        values += [tensors[name.replace("codes", "curves")].float().numpy() for name in parts]
        drums += [tensors["drums"].float().numpy() if "drums" in tensors else None for _ in parts]
    if not codes:
        raise VampkitError(f"there is no music in {folder} to learn from; compose some pieces, or give a folder")
    return Followed(codes, values, drums)


def _composed(seed: int) -> tuple[list[Clip], Clip | None]:
    """The sound of a piece, and its drums alone, as loud as in the mix."""
    stems = music.render(music.compose(seed, genre="training", seconds=SECONDS), stems=True)
    mix = Clip(sum(stem.samples for stem in stems.values()), stems["air"].rate)
    return [mix], stems.get("drums")


def _parts(clip: Clip) -> list[Clip]:
    """Up to four parts of 30 s of a recording; a last one of less than half is left out."""
    starts = np.arange(0, max(clip.seconds - SECONDS / 2, 0.1), SECONDS)
    if len(starts) > MOST_PARTS:
        starts = starts[np.linspace(0, len(starts) - 1, MOST_PARTS).round().astype(int)]
    parts = [clip.excerpt(float(start), min(SECONDS, clip.seconds - float(start))) for start in starts]
    return [part for part in parts if part.loudness() > -50]


def _encoded(clips: list[Clip], drums: Clip | None, codec: Codec) -> dict[str, Tensor]:
    tensors = {}
    if drums is not None and drums.loudness() > -50:
        tensors["drums"] = torch.from_numpy(curves.rhythm(curves.prepared(drums))).half()
    for number, clip in enumerate(clips):
        samples = curves.prepared(clip)
        with torch.inference_mode():
            codes = codec.encode_samples(samples)[0]
        rows = np.concatenate([kind.measure(samples) for kind in Control.kinds.values()])
        tensors[f"codes{number:03}"] = codes.to(torch.uint16)
        tensors[f"curves{number:03}"] = torch.from_numpy(rows).half()
    return tensors
