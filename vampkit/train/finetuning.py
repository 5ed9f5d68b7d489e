"""Fine-tuning on one's own music: small adapters (LoRA, by peft) beside the weights of a model that stays as it is.

A linear layer W becomes W + (alpha / rank) B A with thin matrices A and B; B starts at zero, so the model starts as it
was. As in the reference code, queries, values, outputs and both feed-forward layers of every block are adapted.
Notebook: 12
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from torch import Tensor, nn

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import cache_folder
from vampkit.metrics.statistics import Estimate, bootstrap
from vampkit.metrics.tokens import masked_cross_entropy
from vampkit.model import MaskedTransformer
from vampkit.train.masked import MaskedTraining
from vampkit.train.masked_presets import MaskedPreset
from vampkit.train.store import TokenStore, build_store
from vampkit.train.tokens import Part
from vampkit.weights import load_adapters, load_codec, load_model, merged, model_hash, save_adapters

LAYERS = r".*\.(w_qs|w_vs|fc|w_1|w_2)"
"""The linear layers that are adapted; the reference code leaves keys out too."""
HELD_OUT = 0.2
"""Fraction of the music that is kept for the measurement."""
EXCERPTS = 32
"""Held-out excerpts that are measured, at most."""


@dataclass(frozen=True)
class AdapterPreset:
    """Settings of a fine-tuning; the source gives the reason for each number.

    Notebook: 12

    Parameters
    ----------
    rank : int
        Rows of A and columns of B.
    alpha : float
        What B A is multiplied by, times `rank`.
    steps : int
        Updates in all.
    batch : int
        Crops an update.
    frames : tuple of (int, int)
        Length of a crop, for the coarse and the coarse-to-fine model.
    rate : float
        AdamW's learning rate.
    warmup : int
        Updates over which it rises.
    average : float
        Decay of the adapters' moving average.
    precision : str
        "auto", "bf16" or "no"; see `MaskedPreset`.
    seed : int
        Of everything random.
    """

    rank: int = 8  # the reference code's: adapters of half a megabyte for the tiny models
    alpha: float = 16.0  # a scale of 2, so that short runs move; the reference code has 1, and 500,000 steps
    steps: int = 600  # some minutes a model on a laptop
    batch: int = 8  # the models' own, as are the crops of 5 s and 3 s
    frames: tuple[int, int] = (288, 172)
    rate: float = 2e-3  # high, for weights that start at zero
    warmup: int = 20
    average: float = 0.98  # over the last 50 steps
    precision: str = "auto"
    seed: int = 0

    def masked(self, model: MaskedTransformer) -> MaskedPreset:
        """The same as settings of the masked training that carries it out.

        Parameters
        ----------
        model : MaskedTransformer
            What is fine-tuned.

        Returns
        -------
        MaskedPreset
            With AdamW and a cosine schedule.
        """
        return MaskedPreset(
            replace(model.config, dropout=0.0),
            frames=self.frames[bool(model.config.conditioning)],
            batch=self.batch,
            steps=self.steps,
            optimizer="adamw",
            schedule="cosine",
            adam_rate=self.rate,
            adam_betas=(0.9, 0.99),
            warmup=self.warmup,
            average=self.average,
            precision=self.precision,
            seed=self.seed,
            check_every=max(1, self.steps // 4),
        )


@dataclass(frozen=True)
class Finetuned:
    """What `finetune` made.

    Parameters
    ----------
    folder : Path
        Adapters by model, for `load_vamp`.
    before, after : dict of str to Estimate
        Masked cross entropy in nats on held-out excerpts of the music, half of the tokens hidden, by model; with
        intervals over excerpts.
    gain : dict of str to Estimate
        Before minus after, excerpt by excerpt.
    held_out : tuple of str
        Tracks that were kept for the measurement, wholly or their last fifth.
    """

    folder: Path
    before: dict[str, Estimate]
    after: dict[str, Estimate]
    gain: dict[str, Estimate]
    held_out: tuple[str, ...]


class AdapterTraining(MaskedTraining):
    """A masked training in which only adapters learn.

    Notebook: 12

    Parameters
    ----------
    base : str or PathLike
        The model they are for, by name or path.
    preset : AdapterPreset
        The settings.
    codec : Codec
        Whose tokens they are.
    store : TokenStore
        Music to learn from.
    out : str or PathLike
        Folder for checkpoints, log and adapters.
    valid : dict of str to TokenStore, optional
        Held-out music for the checks, by name.
    device : str
        "auto" (a GPU where there is one), "cpu" or "cuda".

    Raises
    ------
    VampkitError
        If peft is missing, and as for `MaskedTraining`.
    """

    def __init__(
        self,
        base: str | os.PathLike,
        preset: AdapterPreset,
        codec: Codec,
        store: TokenStore,
        out: str | os.PathLike,
        valid: dict[str, TokenStore] | None = None,
        device: str = "auto",
    ):
        self.adapter_preset, self.base = preset, load_model(base, codec)
        super().__init__(preset.masked(self.base), codec, (store, None), out, valid, device, start=base)

    @property
    def scale(self) -> float:
        """What B A is multiplied by."""
        return self.adapter_preset.alpha / self.adapter_preset.rank

    def _identity(self) -> dict:
        own = {"rank": self.adapter_preset.rank, "alpha": self.adapter_preset.alpha, "model": model_hash(self.base)}
        return super()._identity() | own

    def _settings(self) -> dict:
        return asdict(self.adapter_preset)

    def _build(self, start: str | os.PathLike | None) -> nn.Module:
        import vampkit.codec.descript  # noqa: F401  (before peft, which must not meet a torchaudio that cannot be loaded)

        try:
            from peft import LoraConfig, inject_adapter_in_model
        except ImportError:
            raise VampkitError('peft is not installed, it trains the adapters; install "vampkit[peft]"') from None
        rank, alpha, network = self.adapter_preset.rank, self.adapter_preset.alpha, super()._build(start)
        lora = LoraConfig(r=rank, lora_alpha=alpha, target_modules=LAYERS, lora_dropout=0.0, bias="none")
        return inject_adapter_in_model(lora, network)

    def adapters(self) -> dict[str, tuple[Tensor, Tensor]]:
        """The averaged A and B of each adapted layer.

        Returns
        -------
        dict of str to (Tensor, Tensor)
            By the layer's name: A [rank, inputs], B [outputs, rank].
        """
        state, end = self.average.state, ".lora_A.default.weight"
        return {
            name.removesuffix(end): (w, state[name.replace("lora_A", "lora_B")])
            for name, w in state.items()
            if name.endswith(end)
        }

    def averaged(self) -> MaskedTransformer:
        return merged(self.base.to(self.accelerator.device), self.adapters(), self.scale)

    def _write_result(self) -> Path:
        return save_adapters(self.adapters(), self.out / "adapters.safetensors", model_hash(self.base), self.scale)


def split_store(store: TokenStore, frames: int = 288) -> tuple[TokenStore, TokenStore]:
    """Split music into what is learned from and what is measured on.

    What is measured on is the last fifth of the tracks, or, of fewer than five tracks, the last fifth of each.

    Notebook: 12

    Parameters
    ----------
    store : TokenStore
        The music.
    frames : int
        What is measured on lies in parts of about this length, so that excerpts spread over it.

    Returns
    -------
    learn, held : TokenStore
        The same tracks, other parts of them.

    Raises
    ------
    VampkitError
        If that leaves nothing to learn from or to measure on.
    """
    if len(store) >= 5:
        first_held = len(store) - max(1, round(HELD_OUT * len(store)))
        learn = [part for part in store.parts if part[0] < first_held]
        held = [part for part in store.parts if part[0] >= first_held]
    else:
        cut = {i: int((1 - HELD_OUT) * row["frames"]) for i, row in enumerate(store.tracks)}
        learn = [(i, first, min(end, cut[i])) for i, first, end in store.parts if first < cut[i]]
        held = [(i, max(first, cut[i]), end) for i, first, end in store.parts if end > cut[i]]
    if not learn or not held:
        raise VampkitError(
            f"{store.folder} holds too little music to learn from and to measure on; add some more minutes"
        )
    return store.only(learn), store.only([piece for part in held for piece in _pieces(part, frames)])


def _pieces(part: Part, size: int) -> list[Part]:
    """A long part as parts of `size` frames; the last takes what is left."""
    track, first, end = part
    starts = list(range(first, max(first + 1, end - size + 1), size))
    return [(track, a, b) for a, b in zip(starts, [*starts[1:], end], strict=True)]


def finetune(
    folder: str | os.PathLike,
    out: str | os.PathLike | None = None,
    model: str | os.PathLike = "tiny",
    kinds: tuple[str, ...] = ("coarse", "fine"),
    settings: AdapterPreset = AdapterPreset(),  # noqa: B008  (frozen)
    minutes: float | None = None,
    device: str = "auto",
) -> Finetuned | None:
    """Teach the models the style of a folder of music, and measure on held-out music of it what that helped.

    Use the result with `load_vamp("tiny", adapters=out)` (paper, section 3; the reference code's fine-tuning).

    Notebook: 12

    Parameters
    ----------
    folder : str or PathLike
        wav, flac, ogg, opus or mp3 files, some minutes at least; those that cannot be read are skipped.
    out : str or PathLike, optional
        Where tokens, checkpoints and adapters go; None: in the cache.
    model : str or PathLike
        "tiny", or a folder with codec, coarse and fine weights.
    kinds : tuple of str
        Which of the two models, "coarse" and "fine".
    settings : AdapterPreset
        Of adapters and training.
    minutes : float, optional
        For each model, at most; the same call goes on.
    device : str
        "auto" (a GPU where there is one), "cpu" or "cuda".

    Returns
    -------
    Finetuned or None
        None when time ran out.

    Raises
    ------
    FileNotFoundError
        For a folder that is not there.
    VampkitError
        If it holds too little music, where `out` holds a fine-tuning on other music or with other settings, or
        where peft is missing.
    """
    folder = Path(folder)
    out = Path(out) if out else cache_folder() / "finetuned" / folder.name
    named = {"codec": "tiny", "coarse": "coarse", "fine": "fine"}
    if str(model) != "tiny":
        named = {name: Path(model) / f"{name}.safetensors" for name in ("codec", *kinds)}
    codec = load_codec(named["codec"])
    learn, held = split_store(build_store([folder], out / "tokens", named["codec"], add=False), max(settings.frames))
    before, after, gain = {}, {}, {}
    for kind in kinds:
        training = AdapterTraining(named[kind], settings, codec, learn, out / kind, {"held_out": held}, device)
        if training.run(minutes) is None:
            return None
        path = (out / kind / "adapters.safetensors").replace(out / f"{kind}.safetensors")
        tokens = held.held_out(EXCERPTS, training.preset.model.codebooks, training.preset.frames)
        adapted = load_adapters(path, training.base.cpu())
        scores = [
            masked_cross_entropy(m, tokens, 0.5, seed=1, by_item=True).mean(1).tolist()
            for m in (training.base, adapted)
        ]
        before[kind], after[kind] = map(bootstrap, scores)
        gain[kind] = bootstrap([a - b for a, b in zip(*scores, strict=True)])
    names = tuple(dict.fromkeys(held.tracks[track]["name"] for track, _, _ in held.parts))
    return Finetuned(out, before, after, gain, names)
