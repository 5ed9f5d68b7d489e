"""Training a masked model: hide a random share of the tokens, guess them from the rest (paper, equation 1).

One readable loop on Accelerate. The share hidden is cos(pi r / 2) with r spread evenly over (0, 1), a new one for each example; only hidden tokens count.
Notebook: 04.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vampkit import masks, schedules
from vampkit.codec import Codec, load_codec
from vampkit.errors import VampkitError
from vampkit.metrics.tokens import masked_cross_entropy
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.train import checkpoint
from vampkit.train.optim import Average, set_rate, total_norm, trapezoid
from vampkit.train.store import TokenStore
from vampkit.train.tokens import Store, encode_pool
from vampkit.weights import save_model

RATIOS = (0.25, 0.5, 0.75, 1.0)
"""Shares hidden at which a check measures the cross entropy."""


@dataclass(frozen=True)
class MaskedPreset:
    """Settings of a masked model's training; each number with its reason."""

    model: ModelConfig = field(default_factory=ModelConfig)
    frames: int = 288  # 5 s: long enough for two bars
    batch: int = 8
    steps: int = 4000
    muon_rate: float = 0.02  # for the matrices inside the blocks; recipes: ten times faster than AdamW alone
    muon_decay: float = 0.01
    adam_rate: float = 2e-3  # for input, relative bias and norms
    head_rate: float = 2e-4  # for the head's directions: an entry's turn comes once in a thousand tokens, and at a higher rate noise blurs where it started
    warmup: int = 50
    clip: float = 1.0
    average: float = 0.99  # of the weights: over the last 100 steps, as short runs change until they end
    composed: float = 0.5  # share of composed music in a batch
    precision: str = "auto"  # bf16 where the processor multiplies it faster (a GPU, AMX), else float32; or "bf16", "no"
    seed: int = 0
    save_seconds: float = 60.0
    check_every: int = 500


# No dropout: models this small do not learn by heart within so few steps, and residues that must be told to a hair suffer from it most.
COARSE = ModelConfig(codebooks=4, conditioning=0, layers=6, width=192, heads=4, dropout=0.0)
FINE = ModelConfig(codebooks=14, conditioning=4, layers=6, width=192, heads=4, dropout=0.0)
PRESETS = {
    "coarse": {
        "ci": MaskedPreset(
            ModelConfig(codebooks=4, layers=2, width=32, heads=4), frames=32, batch=2, steps=20, precision="no", warmup=3, check_every=10, save_seconds=0.0
        ),
        "laptop": MaskedPreset(COARSE, steps=4850),
        "gpu": MaskedPreset(ModelConfig(codebooks=4, layers=8, width=512, heads=8), frames=575, batch=64, steps=30_000, warmup=500),
    },
    "c2f": {
        "ci": MaskedPreset(
            ModelConfig(codebooks=14, conditioning=4, layers=2, width=32, heads=4),
            frames=32,
            batch=2,
            steps=20,
            precision="no",
            warmup=3,
            check_every=10,
            save_seconds=0.0,
        ),
        "laptop": MaskedPreset(FINE, frames=172, steps=7295),
        "gpu": MaskedPreset(ModelConfig(codebooks=14, conditioning=4, layers=8, width=512, heads=8), frames=172, batch=64, steps=20_000, warmup=500),
    },
}
"""ci: seconds, to prove the code. laptop: about 46 minutes a model on a core, the bundled ones. gpu: wider and longer."""


def masked_loss(model: nn.Module, codes: Tensor, mask: Tensor) -> Tensor:
    """Sum of -log p over hidden tokens (paper, equation 1, without label smoothing).

    codes, mask: [batch, codebooks, frames]; conditioning codebooks must not be hidden. Divide by mask.sum() for the mean.
    """
    logits = model(codes, mask, hidden_only=True)
    return F.cross_entropy(logits.float(), codes[mask], reduction="sum")


class MaskedTraining:
    """One training of a masked model, from wherever it was left.

    preset: the settings. codec: whose tokens. stores: tokens of real and of composed music (either may be None). out: folder for checkpoints, log and result.
    valid: held-out stores for the checks, by name.
    """

    def __init__(
        self,
        preset: MaskedPreset,
        codec: Codec,
        stores: tuple[Store | TokenStore | None, Store | TokenStore | None],
        out: str | os.PathLike,
        valid: dict[str, Store | TokenStore] | None = None,
        cpu: bool = True,
    ):
        from accelerate import Accelerator

        self.preset, self.codec, self.stores, self.out, self.valid = preset, codec, stores, Path(out), valid or {}
        self.accelerator = Accelerator(cpu=cpu, mixed_precision=resolved_precision(preset.precision, cpu))
        torch.manual_seed(preset.seed)
        network = MaskedTransformer(preset.model, codec.tables[: preset.model.codebooks])
        network.start_local(torch.Generator().manual_seed(preset.seed))
        inside, rest = split_parameters(network)
        muon = torch.optim.Muon(inside, lr=preset.muon_rate, momentum=0.95, weight_decay=preset.muon_decay)
        # A weight-normed head grows by its magnitudes alone: at the rate of single weights it would be sqrt(width) times too slow.
        head = network.classifier.layers[0]
        others = [w for w in rest if w is not head.weight_g and w is not head.weight_v]
        groups = [
            {"params": others},
            {"params": [head.weight_g], "lr": preset.adam_rate * preset.model.width**0.5},
            {"params": [head.weight_v], "lr": preset.head_rate},
        ]
        adam = torch.optim.AdamW(groups, lr=preset.adam_rate, betas=(0.9, 0.95), weight_decay=0.0)
        self.model, *self.optimizers = self.accelerator.prepare(network, muon, adam)
        self.average = Average(self.network, preset.average)
        self.step = 0
        if (self.out / "state.safetensors").is_file():
            self._resume()
        self.log = checkpoint.Log(self.out / "log.jsonl", self.step) if self.accelerator.is_main_process else None

    @property
    def network(self) -> MaskedTransformer:
        """The model without what Accelerate wrapped around it."""
        return self.accelerator.unwrap_model(self.model)

    def _resume(self) -> None:
        state = checkpoint.load(self.out / "state.safetensors")
        self.step = state["step"]
        self.network.load_state_dict(state["model"])
        self.average.state, self.average.updates = state["average"], state["updates"]
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

    def save(self) -> None:
        """Write the checkpoint (main process only)."""
        if self.accelerator.is_main_process:
            checkpoint.save(
                {
                    "step": self.step,
                    "model": self.network.state_dict(),
                    "average": self.average.state,
                    "updates": self.average.updates,
                    "optimizers": [o.state_dict() for o in self.optimizers],
                },
                self.out / "state.safetensors",
            )

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Codes and mask [batch, codebooks, frames] of one step on this process: a function of seed, step and process alone."""
        p, rank = self.preset, self.accelerator.process_index
        rng = np.random.default_rng((p.seed, step, rank))
        real, composed = self.stores
        share = 0.0 if composed is None else 1.0 if real is None else p.composed
        count = int(rng.binomial(p.batch, share))
        codes = torch.cat([store.crops(n, p.model.codebooks, p.frames, rng) for store, n in ((real, p.batch - count), (composed, count)) if n])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        ratios = schedules.cosine(schedules.training_ratios(p.batch, seed=p.seed + 7919 * rank, step=step))
        mask = torch.stack([masks.random(*codes.shape[1:], float(r), generator) for r in ratios])
        mask[:, : p.model.conditioning] = False
        return codes.to(self.accelerator.device), mask.to(self.accelerator.device)

    def train_step(self) -> dict:
        """One update; returns what to log."""
        set_rate([getattr(o, "optimizer", o) for o in self.optimizers], trapezoid(self.step, self.preset.steps, self.preset.warmup))
        torch.manual_seed(self.preset.seed * 1_000_003 + self.step)
        codes, mask = self.batch(self.step)
        self.model.train()
        # The mean is over the hidden tokens of all processes: a mean of means would weigh tokens unequally.
        count = self.accelerator.reduce(mask.sum(), "sum").clamp(min=1)
        with self.accelerator.autocast():
            loss = masked_loss(self.model, codes, mask) / count
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.accelerator.backward(loss * self.accelerator.num_processes)
        norm = total_norm(self.network.parameters(), self.preset.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update(self.network)
        return {
            "loss": float(self.accelerator.reduce(loss.detach(), "sum")),
            "hidden": float(mask[:, self.preset.model.conditioning :].float().mean()),
            "norm": norm,
        }

    def run(self, minutes: float | None = None) -> Path | None:
        """Train until the end, or for so many minutes; returns the path of the finished model, or None when time ran out."""
        from tqdm.auto import tqdm

        began = saved = time.monotonic()
        frames = self.preset.batch * self.preset.frames * self.accelerator.num_processes
        with tqdm(total=self.preset.steps, initial=self.step, desc=self.out.name, disable=None if self.accelerator.is_main_process else True) as bar:
            while self.step < self.preset.steps:
                if minutes is not None and time.monotonic() - began > minutes * 60:
                    self.save()
                    return None
                row = self.train_step()
                self.step += 1
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.3f}", frames_s=f"{frames * (bar.format_dict['rate'] or 0):.0f}")
                if self.step % self.preset.check_every == 0 or self.step == self.preset.steps:
                    row |= self.check()
                if self.log:
                    self.log.write(step=self.step - 1, **row)
                if time.monotonic() - saved > self.preset.save_seconds:
                    self.save()
                    saved = time.monotonic()
        self.save()
        return self.finish()

    @torch.no_grad()
    def check(self) -> dict:
        """Cross entropy in nats of the averaged weights on held-out tokens: by codebook with half hidden, and by share hidden."""
        model = MaskedTransformer(self.preset.model, self.codec.tables[: self.preset.model.codebooks]).to(self.accelerator.device)
        model.load_state_dict(self.average.state)
        model.eval()
        found = {}
        for name, store in self.valid.items():
            codes = store.held_out(16, self.preset.model.codebooks, self.preset.frames).to(self.accelerator.device)
            for ratio in RATIOS:
                by_codebook = masked_cross_entropy(model, codes, ratio, seed=17)
                found[f"{name}_{ratio}"] = float(by_codebook.mean())
                if ratio == 0.5:
                    found[f"{name}_codebooks"] = [round(float(x), 3) for x in by_codebook]
        return found

    def finish(self) -> Path | None:
        """Write the averaged weights as a model in half precision, and the settings beside it (main process only)."""
        if not self.accelerator.is_main_process:
            return None
        path = save_model(self.network, self.out / "model.safetensors", self.codec.hash, weights=self.average.state)
        (self.out / "settings.json").write_text(json.dumps(asdict(self.preset), indent=1), encoding="utf-8")
        return path


def resolved_precision(precision: str, cpu: bool) -> str:
    """ "auto" becomes "bf16" on a GPU and on processors with AMX, "no" elsewhere."""
    if precision != "auto":
        return precision
    fast = torch.cuda.is_available() if not cpu else torch.cpu._is_amx_tile_supported()
    return "bf16" if fast else "no"


def split_parameters(model: MaskedTransformer) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices inside the blocks, which Muon trains, and all the rest (input, relative bias, norms, head)."""
    inside, rest = [], []
    for name, weight in model.named_parameters():
        block = name.startswith("transformer.layers.") and weight.ndim == 2 and "relative_attention_bias" not in name
        (inside if block else rest).append(weight)
    return inside, rest


def train(
    kind: str,
    preset: str | MaskedPreset = "laptop",
    codec: str | os.PathLike | Codec = "tiny",
    out: str | os.PathLike | None = None,
    music: str | os.PathLike | None = None,
    composed: int = 1500,
    minutes: float | None = None,
    cpu: bool = True,
    store: str | os.PathLike | None = None,
    valid_store: str | os.PathLike | None = None,
) -> Path | None:
    """Train the "coarse" or the "c2f" model on composed music and a folder of real music, resuming what is in `out`.

    preset: "ci", "laptop", "gpu" or settings of your own. codec: a codec or its name. music: folder with train/ and valid/, as `vampkit data fetch` lays it
    out (None: composed music only). composed: number of composed pieces of 30 s. store, valid_store: token stores of `vampkit data build` to train and to
    check on, in place of music and composed pieces. Raises ValueError for an unknown kind or preset, VampkitError for a store of another codec.
    Notebook: 04.
    """
    from vampkit.fetch import cache_folder
    from vampkit.train.pool import build_pool, compose_pool

    if kind not in PRESETS:
        raise ValueError(f'there is no masked model {kind!r}; "coarse" or "c2f" was expected')
    name = preset if isinstance(preset, str) else "custom"
    if isinstance(preset, str):
        if preset not in PRESETS[kind]:
            raise ValueError(f"there is no {kind} preset {preset!r}; {', '.join(PRESETS[kind])} was expected")
        preset = PRESETS[kind][preset]
    codec = codec if isinstance(codec, Codec) else load_codec(codec)
    out = Path(out) if out else cache_folder() / "runs" / f"{kind}-{name}"
    if store is not None:
        mine, valid = TokenStore(store), {} if valid_store is None else {"held_out": TokenStore(valid_store)}
        for given in (mine, *valid.values()):
            if given.codec != codec.hash:
                raise VampkitError(f"{given.folder} holds tokens of codec {given.codec[:8]}, {codec.hash[:8]} was expected; build it with this codec")
        return MaskedTraining(preset, codec, (mine, None), out, valid, cpu).run(minutes)
    pools, stores = cache_folder() / "pools", cache_folder() / "tokens" / codec.hash
    composed, held_out = (4, 2) if name == "ci" else (composed, 24)

    def made(seeds: range, folder: str) -> Store:
        return encode_pool(compose_pool(seeds, pools / folder), codec, stores / f"{folder}.safetensors")

    mine = made(range(composed), f"composed-{composed}")
    valid = {"composed": made(range(1_000_000, 1_000_000 + held_out), f"composed-valid-{held_out}")}
    real = None
    if music is not None:
        real = encode_pool(build_pool(Path(music) / "train", pools / "train"), codec, stores / "train.safetensors")
        valid["real"] = encode_pool(build_pool(Path(music) / "valid", pools / "valid"), codec, stores / "valid.safetensors")
    return MaskedTraining(preset, codec, (real, mine), out, valid, cpu).run(minutes)
