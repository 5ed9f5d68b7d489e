"""Training the tagger on composed music, whose genre, instruments and tempo are known.

First the log-mel spectra of all pieces are computed and stored in shards. Then the network is trained on random windows
of 3 s.
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
"""Pieces in a file. Making one takes half a minute, which is lost if the program is killed."""
GENRES = music.TRAINING_GENRES
INSTRUMENTS = (*(name for name in music.INSTRUMENTS if name not in music.HELD_OUT_INSTRUMENTS), "drums")
HEARD = 8
"""An instrument counts as present in a window if it sounds for at least this many frames (0.1 s)."""


@dataclass(frozen=True)
class TaggerPreset:
    """Settings for training a tagger. Comments in the source give the reason for each default.

    Parameters
    ----------
    pieces, valid : int
        Number of composed pieces for training, and of held-out pieces for the checks.
    seconds : float
        Length of each piece.
    batch : int
        Windows per update.
    steps : int
        Total number of updates.
    muon_rate, adam_rate : float
        Learning rates of the convolutions (Muon) and of the other weights (AdamW).
    decay : float
        AdamW's weight decay.
    warmup : int
        Number of updates over which the learning rates rise.
    gain_db : float
        Windows are made louder or softer by up to this many dB.
    instruments_weight : float
        Weight of the instruments' loss. The losses of genre and tempo have weight 1.
    average : float
        Decay of the moving average of the weights.
    seed : int
        Seed of all random numbers.
    save_seconds : float
        Time between checkpoints.
    check_every : int
        Updates between checks.
    """

    pieces: int = 600  # 43 per genre, composed in 4 minutes on one core
    valid: int = 56
    seconds: float = 20.0  # a piece is composed only once, so longer pieces take little more time
    batch: int = 32
    steps: int = 1100  # 6 minutes; 59 windows per piece
    muon_rate: float = 0.01
    adam_rate: float = 2e-3
    decay: float = 0.05
    warmup: int = 20
    gain_db: float = 3.0  # so that the network cannot tell a genre by its level
    instruments_weight: float = 4.0  # this loss is a mean over all instruments, most of which are absent
    average: float = 0.98  # over the last 50 steps
    seed: int = 0
    save_seconds: float = 30.0  # at most this is lost if the run is killed
    check_every: int = 100


TAGGER_PRESETS = {
    "ci": TaggerPreset(pieces=4, valid=2, seconds=4.0, batch=4, steps=8, warmup=2, save_seconds=0.0, check_every=4),
    "laptop": TaggerPreset(),
}
"""ci: takes seconds, to test the code. laptop: ten minutes on one core; the bundled tagger was trained with it."""


@dataclass(frozen=True)
class Spectra:
    """Log-mel spectra of composed pieces, with their annotations.

    spectra: float16 [pieces, 64, frames]. playing: bool [pieces, instruments, frames]. genre, tempo: number of the
    class, int64 [pieces].
    """

    spectra: Tensor
    playing: Tensor
    genre: Tensor
    tempo: Tensor

    def window(self, piece: int, start: int) -> tuple[Tensor, Tensor]:
        """The spectrum from frame `start` on, float32 [64, 256], and the instruments in it, float32 [instruments]."""
        heard = self.playing[piece, :, start : start + WINDOW].sum(-1) >= HEARD
        return self.spectra[piece, :, start : start + WINDOW].float(), heard.float()


def compose_spectra(seeds: Sequence[int], folder: str | os.PathLike, seconds: float) -> Spectra:
    """Compose, render and analyse one piece per seed, or load the shards that were made before.

    seeds: seeds of the pieces; the genres are the training genres. folder: folder for the shards. seconds: length of
    each piece, at least 3.
    """
    from vampkit.files.bars import progress_bar

    folder, parts = Path(folder), []
    with progress_bar(total=len(seeds), desc="composing", disable=None) as bar:
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
    """The training of a tagger. It can be stopped and continued.

    Parameters
    ----------
    preset : TaggerPreset
        The settings.
    train, valid : Spectra
        Data for training and for the checks.
    out : str or PathLike
        Folder for checkpoints, log and the result.

    Raises
    ------
    VampkitError
        If `out` holds a run with other settings.
    """

    def __init__(self, preset: TaggerPreset, train: Spectra, valid: Spectra, out: str | os.PathLike):
        super().__init__(preset, out, preset.steps)
        self.train, self.valid = train, valid
        self.model = Tagger(GENRES, INSTRUMENTS).to(memory_format=torch.channels_last)
        convolutions, rest = [], []
        for name, weight in self.model.named_parameters():
            (convolutions if name.startswith("layers.") and weight.ndim == 4 else rest).append(weight)
        adam = torch.optim.AdamW(rest, preset.adam_rate, weight_decay=preset.decay)
        self.optimizers = [Muon(convolutions, preset.muon_rate), adam]
        self._begin()

    def batch(self, step: int) -> tuple[Tensor, list[Tensor]]:
        """Draw the windows for one step. They depend only on seed and step.

        Parameters
        ----------
        step : int
            Number of the step, from 0.

        Returns
        -------
        spectra : Tensor
            float32 [batch, 64, 256].
        targets : list of Tensor
            Genre, instruments and tempo class of each window.
        """
        rng = np.random.default_rng((self.preset.seed, step))
        pieces = rng.integers(0, len(self.train.genre), self.preset.batch)
        starts = rng.integers(0, self.train.spectra.shape[-1] - WINDOW + 1, self.preset.batch)
        rows = [self.train.window(int(piece), int(start)) for piece, start in zip(pieces, starts, strict=True)]
        gains = torch.from_numpy(rng.uniform(-1, 1, self.preset.batch) * self.preset.gain_db / 20).float()
        spectra = torch.stack([spectrum for spectrum, _ in rows]) + gains[:, None, None]
        return spectra, [self.train.genre[pieces], torch.stack([heard for _, heard in rows]), self.train.tempo[pieces]]

    def loss(self, answers: list[Tensor], targets: list[Tensor]) -> Tensor:
        """Compute the loss: the cross entropies of genre, of tempo class, and of the presence of each instrument.

        Parameters
        ----------
        answers : list of Tensor
            Logits of genre [batch, genres], instruments [batch, instruments] and tempo [batch, classes].
        targets : list of Tensor
            Targets as `batch` gives them: [batch], [batch, instruments], [batch].

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
        """Loss on one held-out window per piece, and how often genre and tempo are right."""
        model = self._with_average(Tagger(GENRES, INSTRUMENTS))
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
    """Train the tagger on composed music, or continue the run in `out`.

    Notebook: 11

    Parameters
    ----------
    preset : str or TaggerPreset
        "ci", "laptop", or your own settings.
    out : str or PathLike, optional
        Folder of the run; None: a folder in the cache.
    minutes : float, optional
        Stop after this time, not counting the time for composing. The next call continues.

    Returns
    -------
    Path or None
        The tagger, tagger.safetensors in `out`; None if the time was up.

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
