"""Training the adapters that follow controls. The coarse model is frozen; its tokens are told what their sound does.

The curves of a training piece are computed from its sound. They are then made rough in many ways (smoothed, few levels,
peaks alone, moved a little, left out), so that taps, sketches and single controls work as well. Notebook: 14.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit import masks, music, schedules
from vampkit.audio import Clip
from vampkit.codec import Codec
from vampkit.controls import AdapterConfig, Adapters, Control, Following, curves
from vampkit.controls.control import STEP
from vampkit.errors import VampkitError
from vampkit.files import cache_folder, read_safetensors, write_safetensors
from vampkit.model import MaskedTransformer
from vampkit.music.genres import HELD_OUT_SEEDS
from vampkit.pipeline.follow import save_controls
from vampkit.train.devices import chosen
from vampkit.train.optim import Muon, rate_factor, set_rate, total_norm
from vampkit.train.pool import music_files
from vampkit.train.training import Training, chosen_run
from vampkit.weights import load_codec, load_model, model_hash

FORMAT = "vampkit.followed/1"
SECONDS = 30.0
"""Length of a piece, and of the parts into which recordings are cut."""
GIVEN = {"rhythm": 0.8, "harmony": 0.6, "loudness": 0.4}
"""In which fraction of the examples each control is given. In the others the model learns to do without it."""


@dataclass(frozen=True)
class ControlPreset:
    """Settings for training control adapters. Comments in the source give the reason for each default.

    Notebook: 14

    Parameters
    ----------
    hidden, reading : int
        See `AdapterConfig`.
    frames, batch : int
        Length of an example, and examples an update.
    steps : int
        Total number of updates.
    muon_rate, muon_decay : float
        Learning rate and weight decay of the adapters' matrices.
    adam_rate : float
        AdamW's learning rate, for the convolutions.
    warmup : int
        Updates over which the rates rise.
    clip : float
        Gradients are clipped to this norm.
    prompted : float
        Fraction of examples in which every so many frames are kept as well, as periodic prompts do.
    average : float
        Decay of the moving average of the weights.
    seed : int
        Seed of all random numbers.
    save_seconds : float
        Time between checkpoints.
    keep : int
        How many of the newest checkpoints are kept.
    check_every : int
        Updates between checks.
    """

    hidden: int = 96  # the file stays below 0.8 MiB
    reading: int = 64
    frames: int = 512  # 9 s, nearly a window of the sampling loop
    batch: int = 8
    steps: int = 700  # 20 minutes of two cores
    muon_rate: float = 0.02  # as for the coarse model
    muon_decay: float = 0.01
    adam_rate: float = 2e-3
    warmup: int = 30
    clip: float = 1.0
    prompted: float = 0.4
    average: float = 0.99
    seed: int = 0
    save_seconds: float = 60.0
    keep: int = 2
    check_every: int = 150


CONTROL_PRESETS = {
    "ci": ControlPreset(hidden=8, reading=8, frames=64, batch=2, steps=6, warmup=2, check_every=3, save_seconds=0.0),
    "laptop": ControlPreset(),
    "gpu": ControlPreset(batch=64, steps=6000, warmup=100, average=0.999, check_every=1000),
}
"""ci: seconds, to test the code. laptop: as the bundled adapters. gpu: minutes on one card."""


class Followed:
    """Tokens and curves of pieces, from which training draws crops.

    Parameters
    ----------
    codes : list of Tensor
        int64 [codebooks, frames] of each piece.
    curves : list of ndarray
        float32 [16, frames] of each piece: the curves of all controls.
    """

    def __init__(self, codes: list[Tensor], curves: list[np.ndarray]):
        self.codes, self.curves = codes, curves

    def crop(self, frames: int, rng: np.random.Generator) -> tuple[Tensor, np.ndarray]:
        """Draw codes [codebooks, frames] and curves [16, frames]. Raises ValueError if all pieces are shorter."""
        long = [i for i, codes in enumerate(self.codes) if codes.shape[1] >= frames]
        if not long:
            raise ValueError(f"no piece is {frames} frames long; take longer music, or shorter examples")
        index = long[int(rng.integers(len(long)))]
        first = int(rng.integers(self.codes[index].shape[1] - frames + 1))
        return self.codes[index][:, first : first + frames], self.curves[index][:, first : first + frames]


def followed(
    codec: Codec, folder: Path, seeds: Iterable[int] = (), recordings: Path | None = None, codebooks: int = 4
) -> Followed:
    """Encode composed pieces and recordings with their curves, a file each; those that are there are only read.

    Raises VampkitError if none is loud enough.
    """
    from vampkit.files.bars import progress_bar

    def sounds():
        for seed in seeds:
            yield f"composed-{seed}", lambda seed=seed: [_composed(seed)]
        for artist, path in music_files(recordings) if recordings else ():
            yield f"{artist}-{path.stem}", lambda path=path: _parts(Clip.load(path))

    found = list(sounds())
    codes, values = [], []
    for name, make in progress_bar(found, desc=f"curves of {folder.name}", disable=None):
        path = folder / f"{name}.safetensors"
        if not path.is_file():
            write_safetensors(_encoded(make(), codec, codebooks), path, FORMAT, {"codec": codec.hash})
        header, tensors = read_safetensors(path, FORMAT)
        if header["codec"] != codec.hash:
            raise VampkitError(f"{path} holds tokens of codec {header['codec'][:8]}, {codec.hash[:8]} was expected")
        parts = sorted(name for name in tensors if name.startswith("codes"))
        codes += [tensors[name].long() for name in parts]
        values += [tensors[name.replace("codes", "curves")].float().numpy() for name in parts]
    if not codes:
        raise VampkitError(f"there is no music in {folder} to learn from; compose some pieces, or give a folder")
    return Followed(codes, values)


def _composed(seed: int) -> Clip:
    return music.render(music.compose(seed, genre="training", seconds=SECONDS))


def _parts(clip: Clip) -> list[Clip]:
    """A recording in parts of 30 s; a last one of less than half is left out."""
    starts = np.arange(0, max(clip.seconds - SECONDS / 2, 0.1), SECONDS)
    parts = [clip.excerpt(float(start), min(SECONDS, clip.seconds - float(start))) for start in starts]
    return [part for part in parts if part.loudness() > -50]


def _encoded(clips: list[Clip], codec: Codec, codebooks: int) -> dict[str, Tensor]:
    tensors = {}
    for number, clip in enumerate(clips):
        samples = curves.prepared(clip)
        with torch.inference_mode():
            codes = codec.encode_samples(samples)[0][:codebooks]
        rows = np.concatenate([kind.measure(samples) for kind in Control.kinds.values()])
        tensors[f"codes{number:03}"] = codes.to(torch.uint16)
        tensors[f"curves{number:03}"] = torch.from_numpy(rows).half()
    return tensors


def rough(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make exact curves [16, frames] rough, and leave some out: what the adapters read, float32 [19, frames]."""
    frames, rows, place = values.shape[1], [], 0
    chances = np.array([GIVEN[word] for word in Control.kinds])
    given = rng.random(len(chances)) < chances
    if not given.any():
        given[rng.integers(len(given))] = True
    for word, kind in Control.kinds.items():
        curve = values[place : place + kind.channels]
        place += kind.channels
        changed = {"rhythm": _rough_rhythm, "harmony": _rough_harmony, "loudness": _rough_loudness}[word](curve, rng)
        rows.append(np.round(np.clip(changed, kind.low, kind.high) / STEP) * STEP)
    rows = [row * on for row, on in zip(rows, given, strict=True)]
    return np.concatenate([*rows, np.repeat(given[:, None], frames, 1)]).astype(np.float32)


def _rough_rhythm(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    way = rng.choice(["exact", "smooth", "levels", "peaks", "even peaks"], p=[0.35, 0.15, 0.15, 0.15, 0.2])
    if way == "smooth":
        curve = 1.5 * _smooth(curve, int(rng.integers(2, 8)))
    elif way == "levels":
        levels, top = int(rng.integers(1, 4)), rng.uniform(2, 5)
        curve = np.round(np.clip(curve / top, 0, 1) * levels) / levels * 3
    elif way != "exact":
        curve = _peaks(curve, even=way == "even peaks")
    if way == "even peaks" or rng.random() < 0.15:  # a tap does not say which band it means
        curve = np.repeat(curve.mean(0, keepdims=True), len(curve), 0)
    if rng.random() < 0.3:  # nor is a hand exact
        curve = np.roll(curve, int(rng.integers(-2, 3)), 1)
    return curve


def _rough_harmony(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.4:
        curve = _smooth(curve, int(rng.integers(5, 60)))
        curve = curve / np.maximum(np.linalg.norm(curve, axis=0), 1e-6)
    return curve


def _rough_loudness(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _smooth(curve, int(rng.integers(5, 40))) if rng.random() < 0.5 else curve


def _smooth(curve: np.ndarray, size: int) -> np.ndarray:
    size = min(size, curve.shape[1])
    return np.stack([np.convolve(row, np.full(size, 1 / size), "same") for row in curve])


def _peaks(curve: np.ndarray, even: bool) -> np.ndarray:
    """Only the strokes, shaped as `curves.pulses` shapes taps; even: all alike."""
    mean = np.pad(curve.mean(0), 1)
    strokes = np.nonzero((mean[1:-1] >= mean[:-2]) & (mean[1:-1] > mean[2:]) & (mean[1:-1] > 0.8))[0]
    times = (strokes + 0.5) * curves.HOP / curves.RATE
    rows = [curves.pulses(times, curve.shape[1], 3.0 if even else row[strokes]) for row in curve]
    return np.stack(rows)


class ControlTraining(Training):
    """The training of control adapters. It can be stopped and continued.

    Notebook: 14

    Parameters
    ----------
    preset : ControlPreset
        The settings.
    base : MaskedTransformer
        The coarse model; it is not changed.
    train, valid : Followed
        Music to learn from, and held-out music for the checks.
    out : str or PathLike
        Folder for checkpoints, log and the result.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".

    Raises
    ------
    VampkitError
        If `out` holds a run with other settings or another model.
    """

    def __init__(
        self,
        preset: ControlPreset,
        base: MaskedTransformer,
        train: Followed,
        valid: Followed,
        out: str | os.PathLike,
        device: str = "auto",
    ):
        super().__init__(preset, out, preset.steps, preset.keep)
        self.base, self.train, self.valid = base.to(chosen(device)), train, valid
        self.device = next(base.parameters()).device
        shape = dict(layers=base.config.layers, width=base.config.width, hidden=preset.hidden, reading=preset.reading)
        self.model = Adapters(AdapterConfig(**shape)).to(self.device)
        matrices = [layer.weight for layers in (self.model.down, self.model.up) for layer in layers]
        rest = self.model.convolutions.parameters()
        self.optimizers = [
            Muon(matrices, lr=preset.muon_rate, weight_decay=preset.muon_decay),
            torch.optim.AdamW(rest, lr=preset.adam_rate, betas=(0.9, 0.95), weight_decay=0.0),
        ]
        self._begin()

    def _identity(self) -> dict:
        return super()._identity() | {"base": model_hash(self.base)}

    def example(self, number: int, ratio: float) -> tuple[Tensor, Tensor, Tensor]:
        """Make one example.

        Parameters
        ----------
        number : int
            Number of the example, from which all chance follows.
        ratio : float
            Mask ratio.

        Returns
        -------
        codes : Tensor
            int64 [codebooks, frames].
        mask : Tensor
            bool [codebooks, frames], True = hidden.
        curves : Tensor
            float32 [19, frames].
        """
        rng = np.random.default_rng((self.preset.seed, number))
        codes, values = self.train.crop(self.preset.frames, rng)
        mask = masks.random(*codes.shape, ratio, torch.Generator().manual_seed(int(rng.integers(2**62))))
        if rng.random() < self.preset.prompted:
            period = int(rng.integers(5, 40))
            pillars = torch.zeros_like(mask)
            pillars[:, int(rng.integers(period)) :: period] = True
            mask = ~pillars if rng.random() < 0.5 else mask & ~pillars
        return codes, mask, torch.from_numpy(rough(values, rng))

    def train_step(self) -> dict:
        p = self.preset
        factor = rate_factor("trapezoid", self.step, p.steps, p.warmup, 0)
        set_rate(self.optimizers, factor)
        ratios = schedules.cosine(schedules.training_ratios(p.batch, seed=p.seed, step=self.step)).tolist()
        rows = [self.example(self.step * p.batch + i, ratio) for i, ratio in enumerate(ratios)]
        codes, mask, told = (torch.stack(part).to(self.device) for part in zip(*rows, strict=True))
        logits = Following(self.base, self.model, told)(codes, mask, hidden_only=True)
        loss = F.cross_entropy(logits, codes[mask])
        self._zero_grad()
        loss.backward()
        norm = total_norm(self.model.parameters(), p.clip)
        self._update()
        return {"loss": float(loss.detach()), "norm": norm, "rate": factor}

    def check(self) -> dict:
        """Cross entropy in nats on held-out music without, and with each control, at three mask ratios."""
        adapters = Adapters(self.model.config).to(self.device)
        adapters.load_state_dict(self.average.state)
        words, found = list(Control.kinds), {}
        for ratio in (0.5, 0.9, 1.0):
            for name, given in {"none": (), **{word: (word,) for word in words}, "all": words}.items():
                total = count = 0
                for number in range(min(16, len(self.valid.codes))):
                    codes, mask, told = self._held_out(number, ratio, given)
                    model = Following(self.base, adapters, told) if given else self.base
                    with torch.inference_mode():
                        logits = model(codes, mask, hidden_only=True)
                    total += float(F.cross_entropy(logits, codes[mask], reduction="sum"))
                    count += int(mask.sum())
                found[f"{name}_{ratio}"] = round(total / count, 4)
        return found

    def _held_out(self, number: int, ratio: float, given: Iterable[str]) -> tuple[Tensor, Tensor, Tensor]:
        frames = self.preset.frames
        codes, values = self.valid.codes[number], self.valid.curves[number]
        first = max(0, (codes.shape[1] - frames) // 2)
        codes, values = codes[None, :, first : first + frames], values[:, first : first + frames]
        mask = masks.random(*codes.shape[1:], ratio, torch.Generator().manual_seed(number))[None]
        place, rows = 0, []
        for word, kind in Control.kinds.items():
            rows.append(values[place : place + kind.channels] * (word in given))
            place += kind.channels
        rows += [np.full((1, values.shape[1]), float(word in given)) for word in Control.kinds]
        told = torch.from_numpy(np.concatenate(rows).astype(np.float32))[None]
        return codes.to(self.device), mask.to(self.device), told.to(self.device)

    def _write_result(self) -> Path:
        return save_controls(self.model, self.out / "controls.safetensors", self.base, self.average.state)


def train_controls(
    preset: str | ControlPreset = "laptop",
    model: str | os.PathLike = "tiny",
    out: str | os.PathLike | None = None,
    music: str | os.PathLike | None = None,
    composed: int = 300,
    minutes: float | None = None,
    device: str = "auto",
) -> Path | None:
    """Train the adapters that follow rhythm, harmony and loudness, or continue the run in `out`.

    Notebook: 14

    Parameters
    ----------
    preset : str or ControlPreset
        "ci", "laptop", "gpu", or your own settings.
    model : str or PathLike
        "tiny", or a folder with codec and coarse weights.
    out : str or PathLike, optional
        Folder of the run; None: a folder in the cache.
    music : str or PathLike, optional
        Folder with train/ and valid/, such as `vampkit data fetch` makes; None: only composed music.
    composed : int
        Number of composed pieces of 30 s.
    minutes : float, optional
        Stop after this time. The next call continues.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".

    Returns
    -------
    Path or None
        controls.safetensors in `out`, to be put beside the models; None if the time was up.

    Raises
    ------
    ValueError
        For an unknown preset.
    VampkitError
        If `out` holds a run with other settings.
    """
    preset, name, out = chosen_run(CONTROL_PRESETS, preset, "controls", out)
    named = (
        ("tiny", "coarse")
        if str(model) == "tiny"
        else (Path(model) / "codec.safetensors", Path(model) / "coarse.safetensors")
    )
    codec = load_codec(named[0])
    base = load_model(named[1], codec)
    small, home = name == "ci", cache_folder() / "followed" / codec.hash
    made, held = (2, 1) if small else (composed, 24)
    folders = [None, None] if music is None else [Path(music) / part for part in ("train", "valid")]
    train = followed(codec, home / "train", range(made), folders[0], base.config.codebooks)
    valid = followed(
        codec, home / "valid", range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + held), folders[1], base.config.codebooks
    )
    return ControlTraining(preset, base, train, valid, out, device).run(minutes)
