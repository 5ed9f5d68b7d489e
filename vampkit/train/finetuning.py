"""Fine-tuning on your own music: training small adapters (LoRA, with peft) for a model whose weights stay fixed.

The weight W of a linear layer becomes W + (alpha / rank) B A, with small matrices A and B. B is 0 at first, so the
training starts from the unchanged model. As in the reference code, adapters are added to queries, values, outputs and
both feed-forward layers of each block. Notebook: 12
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from torch import Tensor, nn

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import cache_folder, read_safetensors
from vampkit.metrics.statistics import Estimate, bootstrap
from vampkit.metrics.tokens import masked_cross_entropy
from vampkit.model import MaskedTransformer
from vampkit.train.masked import MaskedTraining
from vampkit.train.masked_presets import MaskedPreset
from vampkit.train.store import TokenStore, build_store
from vampkit.train.tokens import Part
from vampkit.weights import load_adapters, load_codec, load_model, merged, model_hash, save_adapters
from vampkit.weights.adapters import FORMAT as ADAPTERS

LAYERS = r".*\.(w_qs|w_vs|fc|w_1|w_2)"
"""The linear layers that get adapters. The keys get none, as in the reference code."""
HELD_OUT = 0.2
"""Fraction of the music that is held out, to measure the gain."""
EXCERPTS = 32
"""Largest number of held-out excerpts that are measured."""


@dataclass(frozen=True)
class AdapterPreset:
    """Settings for fine-tuning. Comments in the source give the reason for each default.

    Notebook: 12

    Parameters
    ----------
    rank : int
        Number of rows of A, and of columns of B.
    alpha : float
        The product B A is multiplied by alpha / rank.
    steps : int
        Total number of updates.
    batch : int
        Crops per update.
    frames : tuple of (int, int)
        Length of a crop, for the coarse and for the coarse-to-fine model.
    rate : float
        AdamW's learning rate.
    warmup : int
        Number of updates over which the learning rate rises.
    average : float
        Decay of the moving average of the adapters.
    precision : str
        "auto", "bf16" or "no"; see `MaskedPreset`.
    seed : int
        Seed of all random numbers.
    """

    rank: int = 8  # as in the reference code; half a megabyte for the tiny models
    alpha: float = 16.0  # a scale of 2, so that short runs have an effect; reference code: 1, with 500,000 steps
    steps: int = 600  # some minutes per model on a laptop
    batch: int = 8  # as in the training of the models, like the crops of 5 s and 3 s
    frames: tuple[int, int] = (288, 172)
    rate: float = 2e-3  # high, for weights that start at zero
    warmup: int = 20
    average: float = 0.98  # over the last 50 steps
    precision: str = "auto"
    seed: int = 0

    def masked(self, model: MaskedTransformer) -> MaskedPreset:
        """Convert to settings for `MaskedTraining`, which does the training.

        Parameters
        ----------
        model : MaskedTransformer
            The model to fine-tune.

        Returns
        -------
        MaskedPreset
            Settings with AdamW and a cosine schedule.
        """
        same = {name: getattr(self, name) for name in ("batch", "steps", "warmup", "average", "precision", "seed")}
        return MaskedPreset(
            replace(model.config, dropout=0.0),
            frames=self.frames[bool(model.config.conditioning)],
            optimizer="adamw",
            schedule="cosine",
            adam_rate=self.rate,
            adam_betas=(0.9, 0.99),
            check_every=max(1, self.steps // 4),
            **same,
        )


@dataclass(frozen=True)
class Finetuned:
    """The result of `finetune`.

    Parameters
    ----------
    folder : Path
        Folder of the adapters, for `load_vamp`.
    before, after : dict of str to Estimate
        Masked cross entropy of each model, in nats, on held-out excerpts of the music with half of the tokens hidden.
        The intervals are over the excerpts.
    gain : dict of str to Estimate
        Cross entropy before minus that after, paired by excerpt.
    held_out : tuple of str
        Names of the tracks that were held out completely, or of which the last fifth was held out.
    """

    folder: Path
    before: dict[str, Estimate]
    after: dict[str, Estimate]
    gain: dict[str, Estimate]
    held_out: tuple[str, ...]


class AdapterTraining(MaskedTraining):
    """The training of adapters for a masked model. The weights of the model are fixed.

    Notebook: 12

    Parameters
    ----------
    base : str or PathLike
        Name or path of the model that the adapters are for.
    preset : AdapterPreset
        The settings.
    codec : Codec
        The codec of the tokens.
    store : TokenStore
        Training music.
    out : str or PathLike
        Folder for checkpoints, log and adapters.
    valid : dict of str to TokenStore, optional
        Held-out music for the checks, by name.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".

    Raises
    ------
    VampkitError
        If peft is not installed; for other reasons see `MaskedTraining`.
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
        """Factor of the product B A."""
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
        """Give the averaged matrices A and B of each adapted layer.

        Returns
        -------
        dict of str to (Tensor, Tensor)
            A [rank, inputs] and B [outputs, rank] of each layer, by its name.
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
    """Split music into a training part and a held-out part.

    The last fifth of the tracks is held out. If there are fewer than five tracks, the last fifth of each is held out.

    Notebook: 12

    Parameters
    ----------
    store : TokenStore
        The music.
    frames : int
        Length of the parts into which the held-out music is cut, so that excerpts are spread over all of it.

    Returns
    -------
    learn, held : TokenStore
        Stores of the training part and of the held-out part.

    Raises
    ------
    VampkitError
        If one of the two would be empty.
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
    """Cut a long part into parts of `size` frames. The last one includes the rest."""
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
    """Fine-tune the models on a folder of music, and measure the gain on a held-out part of it.

    Use the result with `load_vamp("tiny", adapters=out)` (paper, section 3; the reference code's fine-tuning).

    Notebook: 12

    Parameters
    ----------
    folder : str or PathLike
        Folder of wav, flac, ogg, opus or mp3 files, at least some minutes. Files that cannot be read are skipped.
    out : str or PathLike, optional
        Folder for tokens, checkpoints and adapters; None: a folder in the cache.
    model : str or PathLike
        "tiny", or a folder with codec, coarse and fine weights.
    kinds : tuple of str
        The models to fine-tune: "coarse", "fine" or both.
    settings : AdapterPreset
        Settings of the adapters and of the training.
    minutes : float, optional
        Time limit for each model. The same call continues.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".

    Returns
    -------
    Finetuned or None
        The result; None if the time was up.

    Raises
    ------
    FileNotFoundError
        For a missing folder.
    VampkitError
        If there is too little music, if `out` holds a fine-tuning on other music or with other settings, or if peft is
        not installed.
    """
    folder = Path(folder)
    out = Path(out) if out else cache_folder() / "finetuned" / folder.name
    named = {"codec": "tiny", "coarse": "coarse", "fine": "fine"}
    if str(model) != "tiny":
        named = {name: Path(model) / f"{name}.safetensors" for name in ("codec", *kinds)}
    for kind in kinds:
        if (out / f"{kind}.safetensors").exists():
            read_safetensors(out / f"{kind}.safetensors", ADAPTERS)  # raises an error if it is a model, or another's
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
        models = (training.base, adapted)
        scores = [masked_cross_entropy(m, tokens, 0.5, seed=1, by_item=True).mean(1).tolist() for m in models]
        before[kind], after[kind] = map(bootstrap, scores)
        gain[kind] = bootstrap([a - b for a, b in zip(*scores, strict=True)])
    names = tuple(dict.fromkeys(held.tracks[track]["name"] for track, _, _ in held.parts))
    return Finetuned(out, before, after, gain, names)
