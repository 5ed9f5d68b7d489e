"""What a training shows while it runs, beside its log: curves for TensorBoard, and sounds."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from vampkit import masks
from vampkit.audio import Clip
from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer
from vampkit.sampling import Settings, sample

PERIOD = 7
"""Period of the prompt from which the sounds are made, as in the demo."""


class Curves:
    """The log's numbers as TensorBoard files (extra `tensorboard`); `tensorboard --logdir FOLDER` shows them.

    step: rows from here on replace what an earlier run wrote. Raises VampkitError where the extra is missing.
    """

    def __init__(self, folder: str | os.PathLike, step: int):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise VampkitError(
                "TensorBoard is not installed, curves were asked for; "
                'install "vampkit[tensorboard]", or train without them'
            ) from None
        self._writer = SummaryWriter(os.fspath(folder), purge_step=step)

    def write(self, step: int, row: dict) -> None:
        """Add the numbers of one row of the log; each entry of a list gets a curve of its own."""
        for name, value in row.items():
            for place, number in enumerate(value if isinstance(value, list) else [value]):
                self._writer.add_scalar(f"{name}/{place + 1}" if isinstance(value, list) else name, number, step)
        self._writer.flush()


def write_sounds(
    model: MaskedTransformer, codec: Codec, valid: dict, folder: str | os.PathLike, step: int
) -> list[Path]:
    """One held-out excerpt of each store, its predicted codebooks generated anew, as FLAC files; beside them itself.

    A coarse model keeps every 7th frame and is heard with its codebooks alone; a coarse-to-fine model is given all
    coarse tokens and no fine ones.
    """
    config, folder, written = model.config, Path(folder), []
    for name, store in valid.items():
        codes = store.held_out(1, config.codebooks, 172)[:1].to(next(model.parameters()).device)
        mask = masks.full(*codes.shape[1:]) if config.conditioning else masks.periodic(*codes.shape[1:], period=PERIOD)
        mask[: config.conditioning] = False
        with torch.inference_mode():
            *_, last = sample(model, codes, mask[None].to(codes.device), [0], Settings(passes=12))
        for path, what in ((folder / f"{name}-original.flac", codes), (folder / f"{name}-{step:07}.flac", last.codes)):
            if not path.exists():
                written.append(Clip(codec.decode_codes(what)[:1], codec.rate).save(path))
    return written
