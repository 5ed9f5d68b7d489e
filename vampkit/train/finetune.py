"""Fine-tuning on one's own music: small adapters (LoRA, by peft) beside the weights of a model that stays as it is.

A linear layer W becomes W + (alpha / rank) B A with thin matrices A and B; B starts at zero, so the model starts as it
was. As in the reference, queries, values, outputs and both feed-forward layers of every block are adapted. Notebook:
12.
"""

from __future__ import annotations

import copy
import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from torch import Tensor

from vampkit.errors import VampkitError
from vampkit.metrics.statistics import Estimate, bootstrap
from vampkit.metrics.tokens import masked_cross_entropy
from vampkit.model import MaskedTransformer
from vampkit.train.masked import MaskedTraining
from vampkit.train.presets import MaskedPreset
from vampkit.train.store import TokenStore, build_store
from vampkit.weights import load_adapters, load_codec, load_model, merged, model_hash, save_adapters

LAYERS = r".*\.(w_qs|w_vs|fc|w_1|w_2)"
"""The linear layers that are adapted (vampnet b7); keys are left out there too."""
HELD_OUT = 0.2
"""Share of the music that the measurement keeps for itself."""
EXCERPTS = 32
"""Held-out excerpts that are measured, at most."""


@dataclass(frozen=True)
class AdapterPreset:
    """Settings of a fine-tuning; each number with its reason."""

    rank: int = 8  # the reference's: adapters of half a megabyte for the tiny models
    alpha: float = (
        16.0  # scale alpha / rank of 2, which lets short runs move; the reference has 1 and runs for 500,000 steps
    )
    steps: int = 600  # some minutes a model on a laptop
    batch: int = 8  # the models' own, as are the crops of 5 s and 3 s
    frames: tuple[int, int] = (288, 172)  # coarse, coarse-to-fine
    rate: float = 2e-3  # AdamW, for weights that start at zero
    warmup: int = 20
    average: float = 0.98  # over the last 50 steps
    precision: str = "auto"
    seed: int = 0

    def masked(self, model: MaskedTransformer) -> MaskedPreset:
        """The same as settings of the masked training that carries it out."""
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

    folder: adapters by model, for `load_vamp`. before, after: masked cross entropy in nats on held-out excerpts of the
    music, half of the tokens hidden, by model, with intervals over excerpts. gain: before minus after, excerpt by
    excerpt.
    held_out: names of the tracks that were kept for the measurement, or the last fifth of them.
    """

    folder: Path
    before: dict[str, Estimate]
    after: dict[str, Estimate]
    gain: dict[str, Estimate]
    held_out: tuple[str, ...]


class AdapterTraining(MaskedTraining):
    """A masked training in which only adapters learn.

    base: the model they are for, by name or path. settings: of the adapters.
    """

    def __init__(
        self,
        base: str | os.PathLike,
        settings: AdapterPreset,
        codec,
        store: TokenStore,
        out,
        valid=None,
        device: str = "auto",
    ):
        self.settings, self.base = settings, load_model(base, codec)
        super().__init__(settings.masked(self.base), codec, (store, None), out, valid, device, start=base)

    @property
    def scale(self) -> float:
        """What B A is multiplied by."""
        return self.settings.alpha / self.settings.rank

    def identity(self) -> dict:
        """The adapters' settings and the model they are for, beside the training's."""
        return super().identity() | {
            "rank": self.settings.rank,
            "alpha": self.settings.alpha,
            "model": model_hash(self.base),
        }

    def build(self, start) -> MaskedTransformer:
        """The base model, frozen, with adapters that learn. Raises VampkitError where peft is missing."""
        import vampkit.codec.descript  # noqa: F401  (before peft, which must not meet a torchaudio that cannot be loaded)

        try:
            from peft import LoraConfig, inject_adapter_in_model
        except ImportError:
            raise VampkitError('peft is not installed, it trains the adapters; install "vampkit[peft]"') from None
        s, network = self.settings, super().build(start)
        return inject_adapter_in_model(
            LoraConfig(r=s.rank, lora_alpha=s.alpha, target_modules=LAYERS, lora_dropout=0.0, bias="none"), network
        )

    def adapters(self) -> dict[str, tuple[Tensor, Tensor]]:
        """The averaged A and B of each adapted layer."""
        state, end = self.average.state, ".lora_A.default.weight"
        return {
            name.removesuffix(end): (w, state[name.replace("lora_A", "lora_B")])
            for name, w in state.items()
            if name.endswith(end)
        }

    def averaged(self) -> MaskedTransformer:
        """The base model with the averaged adapters in its weights."""
        return merged(self.base.to(self.accelerator.device), self.adapters(), self.scale)

    def finish(self) -> Path | None:
        """Write the averaged adapters, and the settings beside them (main process only)."""
        if not self.accelerator.is_main_process:
            return None
        (self.out / "settings.json").write_text(json.dumps(asdict(self.settings), indent=1), encoding="utf-8")
        return save_adapters(self.adapters(), self.out / "adapters.safetensors", model_hash(self.base), self.scale)


def split(store: TokenStore, frames: int = 288) -> tuple[TokenStore, TokenStore]:
    """Music to learn from and music to measure on.

    The last fifth of the tracks, or, of fewer than five, the last fifth of each.

    frames: what is measured on lies in parts of about so many, so that excerpts spread over it.

    Raises VampkitError where that leaves nothing to learn from or to measure on.
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
    return _only(store, learn), _only(
        store, [(i, a, b) for i, first, end in held for a, b in _pieces(first, end, frames)]
    )


def _only(store: TokenStore, parts: list[tuple[int, int, int]]) -> TokenStore:
    """The same store reduced to some parts, drawn by their lengths."""
    chosen = copy.copy(store)
    weight = np.array([end - first for _, first, end in parts], float)
    chosen.parts, chosen.chances, chosen._fitting = parts, weight / weight.sum(), cache(chosen._fit)
    return chosen


def _pieces(first: int, end: int, size: int) -> list[tuple[int, int]]:
    """A long part as parts of `size` frames; the last takes what is left."""
    starts = list(range(first, max(first + 1, end - size + 1), size))
    return list(zip(starts, [*starts[1:], end], strict=True))


def finetune(
    folder: str | os.PathLike,
    out: str | os.PathLike | None = None,
    model: str | os.PathLike = "tiny",
    kinds: tuple[str, ...] = ("coarse", "fine"),
    settings: AdapterPreset = AdapterPreset(),  # noqa: B008  (frozen)
    minutes: float | None = None,
    device: str = "auto",
) -> Finetuned | None:
    """Teach the models the style of a folder of music, and measure what it helped on music of the folder that was held
    out.

    folder: wav, flac, ogg, opus or mp3 files, some minutes at least. out: where tokens, checkpoints and adapters go
    (None: in the cache). model: "tiny" or a folder with codec, coarse and fine weights. kinds: which of the two models.
    settings: the adapters' and their training's. minutes: a model, at most; then None is returned, and the same call
    goes on. device: "auto", "cpu" or "cuda".

    Use the result with `load_vamp("tiny", adapters=out)`. Files that cannot be read are skipped. Raises
    FileNotFoundError for a folder that is not there, VampkitError where it holds too little music, where `out` holds a
    fine-tuning on other music or with other settings, or where peft is missing. Paper: section 3; reference code's
    fine-tuning. Notebook: 12.
    """
    from vampkit.files import cache_folder

    folder = Path(folder)
    out = Path(out) if out else cache_folder() / "finetuned" / folder.name
    named = (
        {"codec": "tiny", "coarse": "coarse", "fine": "fine"}
        if str(model) == "tiny"
        else {k: Path(model) / f"{k}.safetensors" for k in ("codec", *kinds)}
    )
    codec = load_codec(named["codec"])
    learn, held = split(build_store([folder], out / "tokens", named["codec"], add=False), max(settings.frames))
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
    return Finetuned(out, before, after, gain, tuple(dict.fromkeys(held.tracks[i]["name"] for i, _, _ in held.parts)))
