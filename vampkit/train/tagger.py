"""Training the tagger on composed music, whose genre, instruments and tempo are known.

Log-mel spectra are made first, in shards that are kept; then the network learns from random windows of 3 s of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit import music
from vampkit.files import read_safetensors, write_safetensors
from vampkit.metrics.embedding import HOP, RATE, log_mel
from vampkit.metrics.tagger import TEMPI, WINDOW, Tagger, save_tagger
from vampkit.train.optim import Muon, ramp, set_rate
from vampkit.train.training import Training, chosen_run

FORMAT = "vampkit.tagger-spectra/1"
SHARD = 20
"""Pieces a file: half a minute of work, which a kill may cost."""
GENRES = music.TRAINING_GENRES
INSTRUMENTS = (*(name for name in music.INSTRUMENTS if name not in music.HELD_OUT_INSTRUMENTS), "drums")
HEARD = 8
"""Frames, 0.1 s, that an instrument must sound within a window to be in it."""


@dataclass(frozen=True)
class TaggerPreset:
    """Settings of a tagger's training; the source gives the reason for each number.

    Parameters
    ----------
    pieces, valid : int
        Composed pieces to learn from, and held-out ones for the checks.
    seconds : float
        Length of each.
    batch : int
        Windows an update.
    steps : int
        Updates in all.
    muon_rate, adam_rate : float
        Learning rates of the convolutions (Muon) and of the rest (AdamW).
    decay : float
        AdamW's weight decay.
    warmup : int
        Updates over which the rates rise.
    gain_db : float
        Windows are made louder or softer by up to this many dB.
    instruments_weight : float
        Weight of the instruments' loss; genre and tempo have 1.
    average : float
        Decay of the weights' moving average.
    seed : int
        Of everything random.
    save_seconds : float
        Time between checkpoints.
    check_every : int
        Updates between checks.
    """

    pieces: int = 600  # 43 a genre, composed in 4 minutes on a core
    valid: int = 56
    seconds: float = 20.0  # a piece is composed once: ten seconds more cost little
    batch: int = 32
    steps: int = 1100  # 6 minutes; each piece is seen 59 times, at other places
    muon_rate: float = 0.01
    adam_rate: float = 2e-3
    decay: float = 0.05
    warmup: int = 20
    gain_db: float = 3.0  # so that a level is no sign of a genre
    instruments_weight: float = 4.0  # its mean runs over names most of which are absent
    average: float = 0.98  # over the last 50 steps
    seed: int = 0
    save_seconds: float = 30.0  # what a kill may cost
    check_every: int = 100


TAGGER_PRESETS = {
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
    from tqdm.auto import tqdm

    folder, parts = Path(folder), []
    with tqdm(total=len(seeds), desc="composing", disable=None) as bar:
        for first in range(0, len(seeds), SHARD):
            some = seeds[first : first + SHARD]
            path = folder / f"{some[0]}-{some[-1]}-{seconds:g}.safetensors"
            if not path.is_file():
                rows = []
                for seed in some:
                    rows.append(_row(seed, seconds))
                    bar.update()
                write_safetensors({k: torch.stack([row[k] for row in rows]) for k in rows[0]}, path, FORMAT, {})
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


class TaggerTraining(Training):
    """One training of a tagger, which goes on where it was left.

    Parameters
    ----------
    preset : TaggerPreset
        The settings.
    train, valid : Spectra
        What to learn from and what to check on.
    out : str or PathLike
        Folder for checkpoints, log and the result.

    Raises
    ------
    VampkitError
        For an `out` in which a run with other settings began.
    """

    def __init__(self, preset: TaggerPreset, train: Spectra, valid: Spectra, out: str | os.PathLike):
        super().__init__(preset, out, preset.steps)
        self.train, self.valid = train, valid
        self.model = Tagger(GENRES, INSTRUMENTS).to(memory_format=torch.channels_last)
        convolutions, rest = [], []
        for name, weight in self.model.named_parameters():
            (convolutions if name.startswith("layers.") and weight.ndim == 4 else rest).append(weight)
        self.optimizers = [
            Muon(convolutions, preset.muon_rate),
            torch.optim.AdamW(rest, preset.adam_rate, weight_decay=preset.decay),
        ]
        self._begin()

    def batch(self, step: int) -> tuple[Tensor, list[Tensor]]:
        """Windows for one step, a function of seed and step alone.

        Parameters
        ----------
        step : int
            From 0.

        Returns
        -------
        spectra : Tensor
            float32 [batch, 64, 256].
        targets : list of Tensor
            Genre, instruments and tempo class of each.
        """
        rng = np.random.default_rng((self.preset.seed, step))
        pieces = rng.integers(0, len(self.train.genre), self.preset.batch)
        starts = rng.integers(0, self.train.spectra.shape[-1] - WINDOW + 1, self.preset.batch)
        rows = [self.train.window(int(piece), int(start)) for piece, start in zip(pieces, starts, strict=True)]
        gains = torch.from_numpy(rng.uniform(-1, 1, self.preset.batch) * self.preset.gain_db / 20).float()
        spectra = torch.stack([spectrum for spectrum, _ in rows]) + gains[:, None, None]
        return spectra, [self.train.genre[pieces], torch.stack([heard for _, heard in rows]), self.train.tempo[pieces]]

    def loss(self, answers: list[Tensor], targets: list[Tensor]) -> Tensor:
        """Cross entropies of genre and tempo class, and of each instrument's presence.

        Parameters
        ----------
        answers : list of Tensor
            Logits of genre [batch, genres], instruments [batch, instruments] and tempo [batch, classes].
        targets : list of Tensor
            As `batch` gives them: [batch], [batch, instruments], [batch].

        Returns
        -------
        Tensor
            A scalar.
        """
        return (
            F.cross_entropy(answers[0], targets[0])
            + self.preset.instruments_weight * F.binary_cross_entropy_with_logits(answers[1], targets[1])
            + F.cross_entropy(answers[2], targets[2])
        )

    def train_step(self) -> dict:
        set_rate(self.optimizers, ramp(self.step, self.preset.steps, self.preset.warmup))
        spectra, targets = self.batch(self.step)
        self.model.train()
        answers = self.model(spectra)
        loss = self.loss(answers, targets)
        self._zero_grad()
        loss.backward()
        self._update()
        return {"loss": float(loss.detach()), "genre": float((answers[0].argmax(-1) == targets[0]).float().mean())}

    def _progress(self, row: dict) -> dict[str, str]:
        return super()._progress(row) | {"genre": f"{row['genre']:.0%}"}

    @torch.no_grad()
    def check(self) -> dict:
        """Loss on one held-out window a piece, and how often genre and tempo are right."""
        model = Tagger(GENRES, INSTRUMENTS)
        model.load_state_dict(self.average.state)
        model.eval()
        middle = (self.valid.spectra.shape[-1] - WINDOW) // 2
        rows = [self.valid.window(piece, middle) for piece in range(len(self.valid.genre))]
        targets = [self.valid.genre, torch.stack([heard for _, heard in rows]), self.valid.tempo]
        answers = model(torch.stack([spectrum for spectrum, _ in rows]))
        right = [float((answers[i].argmax(-1) == targets[i]).float().mean()) for i in (0, 2)]
        return {"valid_loss": float(self.loss(answers, targets)), "valid_genre": right[0], "valid_tempo": right[1]}

    def _write_result(self) -> Path:
        return save_tagger(self.model, self.out / "tagger.safetensors", self.average.state)


def train_tagger(
    preset: str | TaggerPreset = "laptop", out: str | os.PathLike | None = None, minutes: float | None = None
) -> Path | None:
    """Train the tagger on composed music, going on from what is in `out`.

    Notebook: 11

    Parameters
    ----------
    preset : str or TaggerPreset
        "ci", "laptop", or settings of your own.
    out : str or PathLike, optional
        Folder of the run; None: in the cache.
    minutes : float, optional
        When to stop, beside the time for composing; the next call goes on.

    Returns
    -------
    Path or None
        The tagger's file, tagger.safetensors in `out`; None when time ran out.

    Raises
    ------
    ValueError
        For an unknown preset.
    """
    preset, _, out = chosen_run(TAGGER_PRESETS, preset, "tagger", out)
    first = music.HELD_OUT_SEEDS
    train_set = compose_spectra(range(preset.pieces), out / "spectra", preset.seconds)
    valid_set = compose_spectra(range(first, first + preset.valid), out / "spectra", preset.seconds)
    return TaggerTraining(preset, train_set, valid_set, out).run(minutes)
