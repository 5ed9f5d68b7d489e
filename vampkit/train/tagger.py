"""Training the tagger: composed music, whose genre, instruments and tempo are known, seen as log-mel spectra in windows
of 3 s.

The spectra are made first, in shards that are kept; then the network learns from random windows of them. Notebook: 11.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit import music
from vampkit.files import read_safetensors
from vampkit.metrics.embedding import HOP, RATE, log_mel
from vampkit.metrics.tagger import TEMPI, WINDOW, Tagger, save_tagger
from vampkit.train import checkpoint
from vampkit.train.optim import Average, Muon, ramp, set_rate

FORMAT = "vampkit.tagger-spectra/1"
SHARD = 20
"""Pieces a file: half a minute of work, which is what a kill may cost."""
GENRES = music.TRAINING_GENRES
INSTRUMENTS = (*(name for name in music.INSTRUMENTS if name not in music.HELD_OUT_INSTRUMENTS), "drums")
HEARD = 8
"""Frames, 0.1 s, that an instrument must sound within a window to be in it."""


@dataclass(frozen=True)
class TaggerPreset:
    """Settings of a tagger's training; each number with its reason."""

    pieces: int = 600  # 43 a genre, composed in 4 minutes on a core
    valid: int = 56  # held-out pieces for the checks
    seconds: float = 20.0  # notes are made once a piece: ten seconds more cost little
    batch: int = 32
    steps: int = 1100  # 6 minutes; each piece is seen 59 times, at other places
    muon_rate: float = 0.01  # for the convolutions
    adam_rate: float = 2e-3  # for the rest
    decay: float = 0.05
    warmup: int = 20
    gain_db: float = 3.0  # windows are made louder or softer by up to this, so that a level is no sign of a genre
    instruments_weight: float = 4.0  # its mean runs over names that mostly are not there
    average: float = 0.98  # of the weights, over the last 50 steps
    seed: int = 0
    save_seconds: float = 30.0
    check_every: int = 100


PRESETS = {
    "ci": TaggerPreset(pieces=4, valid=2, seconds=4.0, batch=4, steps=8, warmup=2, save_seconds=0.0, check_every=4),
    "laptop": TaggerPreset(),
}
"""ci: seconds, to prove the code. laptop: ten minutes on a core, the bundled one."""


@dataclass(frozen=True)
class Spectra:
    """Composed pieces as log-mel spectra with their truth.

    spectra: float16 [pieces, 64, frames]. playing: bool [pieces, instruments, frames]. genre, tempo: classes, int64
    [pieces].
    """

    spectra: Tensor
    playing: Tensor
    genre: Tensor
    tempo: Tensor

    def window(self, piece: int, start: int) -> tuple[Tensor, Tensor]:
        """Spectrum float32 [64, 256] from a frame on, and which instruments are in it, float32 [instruments]."""
        heard = self.playing[piece, :, start : start + WINDOW].sum(-1) >= HEARD
        return self.spectra[piece, :, start : start + WINDOW].float(), heard.float()


def compose_spectra(seeds: Sequence[int], folder: str | os.PathLike, seconds: float) -> Spectra:
    """Compose, render and analyse one piece a seed; finished shards are used again.

    seeds: of the pieces, whose genres are the training genres. folder: for the shards. seconds: of each piece, at least
    3.
    """
    from safetensors.torch import save_file
    from tqdm.auto import tqdm

    folder, parts = Path(folder), []
    folder.mkdir(parents=True, exist_ok=True)
    with tqdm(total=len(seeds), desc="composing", disable=None) as bar:
        for first in range(0, len(seeds), SHARD):
            some = seeds[first : first + SHARD]
            path = folder / f"{some[0]}-{some[-1]}-{seconds:g}.safetensors"
            if not path.is_file():
                rows = []
                for seed in some:
                    rows.append(_row(seed, seconds))
                    bar.update()
                part = path.with_name(path.name + ".part")
                save_file(
                    {k: torch.stack([row[k] for row in rows]) for k in rows[0]},
                    part,
                    metadata={"format": FORMAT, "settings": "{}"},
                )
                part.replace(path)
            bar.n = min(first + SHARD, len(seeds))
            parts.append(read_safetensors(path, FORMAT)[1])
    joined = {k: torch.cat([part[k] for part in parts]) for k in parts[0]}
    return Spectra(**joined | {"playing": joined["playing"].bool()})


def _row(seed: int, seconds: float) -> dict[str, Tensor]:
    piece = music.compose(seed, genre="training", seconds=seconds)
    spectrum = torch.from_numpy(log_mel(music.render(piece))).half()
    playing = torch.zeros(len(INSTRUMENTS), spectrum.shape[1], dtype=torch.uint8)
    names = {seat.part: INSTRUMENTS.index(seat.name) for seat in piece.instruments}
    for note in piece.notes:
        first = int(note.start_s * RATE / HOP)
        playing[names[note.part], first : first + max(HEARD, int(note.duration_s * RATE / HOP))] = 1
    return {
        "spectra": spectrum,
        "playing": playing,
        "genre": torch.tensor(GENRES.index(piece.genre)),
        "tempo": torch.tensor(int(np.searchsorted(TEMPI, piece.tempo))),
    }


class TaggerTraining:
    """One training of a tagger, from wherever it was left.

    preset: the settings. train, valid: spectra to learn from and to check on. out: folder for checkpoints, log and the
    result.
    """

    def __init__(self, preset: TaggerPreset, train: Spectra, valid: Spectra, out: str | os.PathLike):
        self.preset, self.train, self.valid, self.out, self.step = preset, train, valid, Path(out), 0
        torch.manual_seed(preset.seed)
        self.model = Tagger(GENRES, INSTRUMENTS).to(memory_format=torch.channels_last)
        convolutions = [w for name, w in self.model.named_parameters() if name.startswith("layers.") and w.ndim == 4]
        rest = [w for name, w in self.model.named_parameters() if not (name.startswith("layers.") and w.ndim == 4)]
        self.optimizers = [
            Muon(convolutions, preset.muon_rate),
            torch.optim.AdamW(rest, preset.adam_rate, weight_decay=preset.decay),
        ]
        self.average = Average(self.model, preset.average)
        if (self.out / "state.safetensors").is_file():
            self._resume()
        self.log = checkpoint.Log(self.out / "log.jsonl", self.step)

    def _resume(self) -> None:
        state = checkpoint.load(self.out / "state.safetensors")
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.average.state, self.average.updates = state["average"], state["updates"]
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state,
            "updates": self.average.updates,
        }
        checkpoint.save(
            state | {"optimizers": [o.state_dict() for o in self.optimizers]}, self.out / "state.safetensors"
        )

    def batch(self, step: int) -> tuple[Tensor, list[Tensor]]:
        """Spectra [batch, 64, 256] and their three targets: a function of seed and step alone."""
        rng = np.random.default_rng((self.preset.seed, step))
        pieces = rng.integers(0, len(self.train.genre), self.preset.batch)
        starts = rng.integers(0, self.train.spectra.shape[-1] - WINDOW + 1, self.preset.batch)
        rows = [self.train.window(int(piece), int(start)) for piece, start in zip(pieces, starts, strict=True)]
        gains = torch.from_numpy(rng.uniform(-1, 1, self.preset.batch) * self.preset.gain_db / 20).float()
        spectra = torch.stack([spectrum for spectrum, _ in rows]) + gains[:, None, None]
        return spectra, [self.train.genre[pieces], torch.stack([heard for _, heard in rows]), self.train.tempo[pieces]]

    def loss(self, answers: list[Tensor], targets: list[Tensor]) -> Tensor:
        """Cross entropies of genre and tempo class, and of each instrument's presence."""
        return (
            F.cross_entropy(answers[0], targets[0])
            + self.preset.instruments_weight * F.binary_cross_entropy_with_logits(answers[1], targets[1])
            + F.cross_entropy(answers[2], targets[2])
        )

    def train_step(self) -> dict:
        """One update; returns what to log."""
        set_rate(self.optimizers, ramp(self.step, self.preset.steps, self.preset.warmup))
        spectra, targets = self.batch(self.step)
        self.model.train()
        answers = self.model(spectra)
        loss = self.loss(answers, targets)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update(self.model)
        return {"loss": float(loss.detach()), "genre": float((answers[0].argmax(-1) == targets[0]).float().mean())}

    def run(self, minutes: float | None = None) -> Path | None:
        """Train until the end, or for so many minutes.

        Returns the path of the finished tagger, or None when time ran out.
        """
        from tqdm.auto import tqdm

        began = saved = time.monotonic()
        with tqdm(total=self.preset.steps, initial=self.step, desc="tagger", disable=None) as bar:
            while self.step < self.preset.steps:
                if minutes is not None and time.monotonic() - began > minutes * 60:
                    self.save()
                    return None
                row = self.train_step()
                self.step += 1
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.2f}", genre=f"{row['genre']:.0%}")
                if self.step % self.preset.check_every == 0:
                    row |= self.check()
                self.log.write(step=self.step - 1, **row)
                if time.monotonic() - saved > self.preset.save_seconds:
                    self.save()
                    saved = time.monotonic()
        self.save()
        (self.out / "settings.json").write_text(json.dumps(asdict(self.preset), indent=1), encoding="utf-8")
        return save_tagger(self.model, self.out / "tagger.safetensors", self.average.state)

    @torch.no_grad()
    def check(self) -> dict:
        """Share of held-out windows whose genre and tempo class the averaged weights name, and the loss, one window a
        piece.
        """
        model = Tagger(GENRES, INSTRUMENTS)
        model.load_state_dict(self.average.state)
        model.eval()
        rows = [
            self.valid.window(piece, (self.valid.spectra.shape[-1] - WINDOW) // 2)
            for piece in range(len(self.valid.genre))
        ]
        targets = [self.valid.genre, torch.stack([heard for _, heard in rows]), self.valid.tempo]
        answers = model(torch.stack([spectrum for spectrum, _ in rows]))
        right = [float((answers[i].argmax(-1) == targets[i]).float().mean()) for i in (0, 2)]
        return {"valid_loss": float(self.loss(answers, targets)), "valid_genre": right[0], "valid_tempo": right[1]}


def train(
    preset: str | TaggerPreset = "laptop", out: str | os.PathLike | None = None, minutes: float | None = None
) -> Path | None:
    """Train the tagger on composed music, resuming what is in `out`.

    preset: "ci", "laptop" or settings of your own. out: folder (None: in the cache). minutes: of training, beyond the
    composing. Raises ValueError for an unknown preset. Notebook: 11.
    """
    from vampkit.files import cache_folder

    name = preset if isinstance(preset, str) else "custom"
    if isinstance(preset, str):
        if preset not in PRESETS:
            raise ValueError(f"there is no tagger preset {preset!r}; {', '.join(PRESETS)} was expected")
        preset = PRESETS[preset]
    out = Path(out) if out else cache_folder() / "runs" / f"tagger-{name}"
    first = music.HELD_OUT_SEEDS
    train_set = compose_spectra(range(preset.pieces), out / "spectra", preset.seconds)
    valid_set = compose_spectra(range(first, first + preset.valid), out / "spectra", preset.seconds)
    return TaggerTraining(preset, train_set, valid_set, out).run(minutes)
