"""Training the painter on covers that are painted by rule: two tokenizers, a judge, and two masked transformers.

Each is trained on the one before it, and on its weights as they will be stored. A run that was stopped goes on with the
part that it was at. Notebook: 15
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vampkit import schedules
from vampkit.errors import VampkitError
from vampkit.files.bars import progress_bar
from vampkit.files.outer import fields, json_of
from vampkit.files.texts import write_text
from vampkit.files.written import alone
from vampkit.model import ModelConfig
from vampkit.paint.captions import draw_captions
from vampkit.paint.covers import paint_covers
from vampkit.paint.model import CoverModel, numbers
from vampkit.paint.painter import Painter, restored, save_painter, stored, tables_of
from vampkit.paint.reader import Reader
from vampkit.paint.tokenizer import Tokenizer, blocks
from vampkit.train.checkpoint import same_run
from vampkit.train.optim import Average, Muon, trapezoid
from vampkit.train.training import chosen_run


@dataclass(frozen=True)
class PainterPreset:
    """Settings for training a painter. Comments in the source give the reason for each default.

    Parameters
    ----------
    covers : int
        Number of painted covers, each with a caption of its own.
    entries : int
        Entries in each of the two codebooks.
    base, finer : ModelConfig
        Shapes of the masked transformers.
    batch : int
        Covers per update.
    tokenizer_steps, reader_steps, base_steps, finer_steps : int
        Numbers of updates.
    rate : float
        Learning rate of AdamW.
    muon_rate : float
        Learning rate of Muon, for the matrices inside the blocks.
    drop_caption : float
        Share of the examples to which nothing is said, so that there is something to guide away from.
    drop_word : float
        Share of the words that are left unsaid in the others.
    corrupted : float
        Share of the rough tokens that are replaced by chance where they are given, as sampled ones have mistakes too.
    average : float
        Decay of the moving average of the weights.
    seed : int
        Seed of all random numbers.
    """

    covers: int = 12_000  # painted in a second; 2880 captions may occur, each in 6 ways
    entries: int = 256  # 24 grounds in six kinds of patches, and the edges of the motifs
    base: ModelConfig = ModelConfig(codebooks=1, layers=4, width=64, heads=4, entries=256, dropout=0.0)
    finer: ModelConfig = ModelConfig(codebooks=5, conditioning=1, layers=2, width=64, heads=4, entries=256, dropout=0.0)
    batch: int = 32
    tokenizer_steps: int = 1600
    reader_steps: int = 1600
    base_steps: int = 2400
    finer_steps: int = 800
    rate: float = 3e-3
    muon_rate: float = 0.02
    drop_caption: float = 0.1  # as Muse
    drop_word: float = 0.1
    corrupted: float = 0.05
    average: float = 0.99
    seed: int = 0


_SMALL = dict(layers=1, width=16, heads=2, entries=32, dropout=0.0)
PAINTER_PRESETS = {
    "ci": PainterPreset(
        covers=64,
        entries=32,
        base=ModelConfig(codebooks=1, **_SMALL),
        finer=ModelConfig(codebooks=5, conditioning=1, **_SMALL),
        batch=8,
        tokenizer_steps=3,
        reader_steps=3,
        base_steps=3,
        finer_steps=3,
    ),
    "laptop": PainterPreset(),
}
"""ci: takes seconds, to test the code. laptop: the bundled painter was trained with it."""


class Codebook:
    """Moves the entries of a tokenizer to the mean of the vectors that chose them, and unused ones to where none is."""

    def __init__(self, tokenizer: Tokenizer, generator: torch.Generator, decay: float = 0.98):
        self.tokenizer, self.generator, self.decay = tokenizer, generator, decay
        self.counts = torch.ones(tokenizer.entries)
        self.sums = tokenizer.table.clone()

    @torch.no_grad()
    def update(self, latents: Tensor, codes: Tensor) -> None:
        """Follow one batch. latents: [tokens, latent], of length 1. codes: [tokens]."""
        chosen = F.one_hot(codes, self.tokenizer.entries).float()
        self.counts.lerp_(chosen.sum(0), 1 - self.decay)
        self.sums.lerp_(chosen.T @ latents, 1 - self.decay)
        unused = self.counts < 0.02 * self.counts.mean()
        if unused.any():
            near = (latents * self.tokenizer.table[codes]).sum(-1)
            missed = (1 - near + 1e-6).clamp(min=0)  # how far away the nearest entry is
            places = missed.multinomial(int(unused.sum()), generator=self.generator)
            self.sums[unused], self.counts[unused] = latents[places], 1.0
        self.tokenizer.table.copy_(F.normalize(self.sums, dim=-1))


def train_tokenizer(tokenizer: Tokenizer, pictures: Tensor, preset: PainterPreset) -> None:
    """Train a tokenizer on pictures, uint8 [covers, rows, columns, 3]."""
    generator, patch = torch.Generator().manual_seed(preset.seed), tokenizer.patch
    codebook = Codebook(tokenizer, generator)

    def loss(batch: Tensor) -> Tensor:
        latents = tokenizer.latents(batch)
        codes = tokenizer.nearest(latents)
        entries = tokenizer.table[codes]
        codebook.update(latents.detach().flatten(0, 2), codes.flatten())
        straight = latents + (entries - latents).detach()  # straight-through: the gradient ignores the rounding
        target = batch.permute(0, 3, 1, 2).float() / 127.5 - 1
        error = tokenizer.pixels(straight) - target
        return error.abs().mean() + error.square().mean() + 0.25 * (latents - entries).square().sum(-1).mean()

    optimizer = torch.optim.AdamW(tokenizer.parameters(), preset.rate)
    # A sharp tokenizer finds four times as many patches in a cover: fewer covers and fewer updates are enough.
    draws = _draws(len(pictures), preset.batch * patch // 4, preset.tokenizer_steps * patch // 4, preset.seed)
    _fit([optimizer], lambda rows: loss(pictures[rows]), draws, f"patch {patch}")


def train_reader(reader: Reader, pictures: Tensor, words: Tensor, preset: PainterPreset) -> None:
    """Train the judge on pictures [covers, rows, columns, 3] and the words in each slot, [covers, slots] from 0."""

    def loss(rows: Tensor) -> Tensor:
        noise = 12 * torch.randn(len(rows), *pictures.shape[1:])
        seen = (pictures[rows].float() + noise).clamp(0, 255).to(torch.uint8)
        return torch.stack([F.cross_entropy(a, words[rows, i]) for i, a in enumerate(reader(seen))]).sum()

    optimizer = torch.optim.AdamW(reader.parameters(), preset.rate, weight_decay=0.05)
    _fit([optimizer], loss, _draws(len(pictures), preset.batch, preset.reader_steps, preset.seed), "judge")


def train_model(model: CoverModel, codes: Tensor, words: Tensor, steps: int, preset: PainterPreset, name: str) -> None:
    """Train a masked transformer on codes [covers, codebooks, places] and captions [covers, slots]."""
    config = model.config
    for layer in model.layers:  # each block begins by adding nothing, as in `start_local`
        nn.init.zeros_(layer.self_attn.fc.weight)
        nn.init.zeros_(layer.feed_forward.w_2.weight)
    inside = [w for layer in model.layers for w in layer.parameters() if w.ndim == 2]
    known = {id(w) for w in inside}
    rest = [w for w in model.parameters() if id(w) not in known and w.requires_grad]
    optimizers = [Muon(inside, preset.muon_rate), torch.optim.AdamW(rest, preset.rate, weight_decay=0.0)]
    first = config.conditioning
    average = Average(model, preset.average)

    def loss(rows: Tensor) -> Tensor:
        given, said = codes[rows].clone(), words[rows]
        drop = torch.rand(said.shape) < preset.drop_word
        drop |= torch.rand(len(rows), 1) < preset.drop_caption
        wrong = torch.rand(given[:, :first].shape) < preset.corrupted
        given[:, :first][wrong] = torch.randint(config.entries, (int(wrong.sum()),))
        ratio = schedules.cosine(torch.rand(len(rows)))[:, None, None]
        mask = torch.rand(given.shape) < ratio
        mask[:, :first] = False
        logits = model(given, mask, said.masked_fill(drop, 0), hidden_only=True)
        average.update(model)  # the weights that the update before this one left
        return F.cross_entropy(logits, given[mask])

    _fit(optimizers, loss, _draws(len(codes), preset.batch, steps, preset.seed), name)
    model.load_state_dict(average.state)


def _draws(rows: int, batch: int, steps: int, seed: int) -> list[Tensor]:
    """Draw the rows of each batch."""
    generator = torch.Generator().manual_seed(seed + 1)
    return [torch.randint(rows, (batch,), generator=generator) for _ in range(steps)]


def _fit(
    optimizers: list[torch.optim.Optimizer], loss: Callable[[Tensor], Tensor], draws: list[Tensor], name: str
) -> None:
    """Minimise `loss(rows)`, batch by batch; the learning rates fall to 0 over the second half."""
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    with progress_bar(draws, desc=name, disable=None) as bar:
        for step, rows in enumerate(bar):
            factor = trapezoid(step, len(draws), min(50, len(draws) // 4 + 1))
            for optimizer, first in zip(optimizers, rates, strict=True):
                for group, rate in zip(optimizer.param_groups, first, strict=True):
                    group["lr"] = rate * factor
                optimizer.zero_grad()
            value = loss(rows)
            value.backward()
            for optimizer in optimizers:
                nn.utils.clip_grad_norm_([w for g in optimizer.param_groups for w in g["params"]], 1.0)
                optimizer.step()
            if step % 50 == 0:
                bar.set_postfix(loss=f"{float(value.detach()):.3f}")


def train_painter(preset: str | PainterPreset = "laptop", out: str | os.PathLike | None = None) -> Path:
    """Train a painter: two tokenizers, a judge, and the two masked transformers; or go on with a run that was stopped.

    Parameters
    ----------
    preset : str or PainterPreset
        "ci", "laptop", or your own settings.
    out : str or PathLike, optional
        Folder of the result; None: a folder in the cache. The parts that are done are kept in it.

    Returns
    -------
    Path
        The painter, painter.safetensors in `out`.

    Raises
    ------
    ValueError
        For an unknown preset.
    VampkitError
        If `out` holds a run with other settings, or another process trains there.
    """
    preset, _, folder = chosen_run(PAINTER_PRESETS, preset, "painter", out)
    with alone(folder):
        _begin(folder, preset)
        return _train(preset, folder)


def _begin(folder: Path, preset: PainterPreset) -> None:
    """Write the settings of a run, or compare them with those that it was begun with."""
    path, now, hint = folder / "settings.json", asdict(preset), "choose another folder, or delete this run"
    if path.exists():
        saved = json_of(path.read_text(encoding="utf-8"), str(path), "the settings of a run", hint)
        same_run(fields(str(path), saved, list(now), hint=hint), now, folder)
    elif there := sorted(folder.glob("*.safetensors")):
        raise VampkitError(
            f"{folder} holds {there[0].name} but no run to go on with, an empty folder was expected; choose another "
            "folder, or move that file away"
        )
    write_text(path, json.dumps(now, indent=1))


def _train(preset: PainterPreset, folder: Path) -> Path:
    """Make the parts one after another, each from the file of an earlier run if there is one."""

    def part(name: str, make: Callable[[], nn.Module], train: Callable[[Any], None]) -> Any:
        torch.manual_seed(preset.seed)
        network, path = make(), folder / f"{name}.safetensors"
        if path.exists():
            return restored(network, path)
        train(network)
        return stored(network, path)

    captions = draw_captions(preset.covers, preset.seed)
    pictures = torch.from_numpy(paint_covers(captions, range(preset.covers)))
    words = numbers(captions)
    rough = part("rough", lambda: Tokenizer(4, preset.entries), lambda made: train_tokenizer(made, pictures, preset))
    sharp = part("sharp", lambda: Tokenizer(2, preset.entries), lambda made: train_tokenizer(made, pictures, preset))
    reader = part("reader", Reader, lambda made: train_reader(made, pictures, words - words.min(0).values, preset))
    some = [pictures[i : i + 500].numpy() for i in range(0, preset.covers, 500)]
    coarse = torch.cat([rough.encode(shown) for shown in some]).flatten(1)[:, None]
    fine = torch.cat([blocks(sharp.encode(shown)) for shown in some])
    tables, codes = tables_of(rough, sharp), torch.cat([coarse, fine], 1)
    base = part(
        "base",
        lambda: CoverModel(preset.base, tables[:1]),
        lambda made: train_model(made, coarse, words, preset.base_steps, preset, "base"),
    )
    finer = part(
        "finer",
        lambda: CoverModel(preset.finer, tables),
        lambda made: train_model(made, codes, words, preset.finer_steps, preset, "finer"),
    )
    return save_painter(Painter(rough, sharp, base, finer, reader), folder / "painter.safetensors")
