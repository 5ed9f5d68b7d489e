"""Settings of a masked model's training: the presets ci, laptop, bundled, gpu and paper."""

from __future__ import annotations

from dataclasses import dataclass, field

from vampkit.model import ModelConfig


@dataclass(frozen=True)
class MaskedPreset:
    """Settings of a masked model's training; the source gives the reason for each number.

    Notebook: 04

    Parameters
    ----------
    model : ModelConfig
        Its shape.
    frames : int
        Length of an example.
    batch : int
        Examples an update, over all processes: the same run on one device and on eight.
    accumulate : int
        Parts in which a process takes its examples of an update: more where memory is short, with the same result.
    steps : int
        Updates in all.
    optimizer : str
        "muon": Muon for the matrices inside the blocks and AdamW for the rest; "adamw": AdamW for all.
    schedule : str
        Of the learning rates: "trapezoid", "cosine", or "noam" (then adam_rate multiplies Noam's own rate).
    local_start : bool
        Start as `start_local` does; else as torch does.
    muon_rate, muon_decay : float
        Learning rate and weight decay of the matrices inside the blocks.
    adam_rate : float
        Learning rate of input, relative bias and norms, or of all weights without Muon.
    adam_betas : tuple of (float, float)
        AdamW's two memories.
    adam_decay : float
        AdamW's weight decay.
    head_rate : float
        Learning rate of the head's directions, with Muon.
    warmup : int
        Updates over which the rates rise.
    clip : float
        Norm at which gradients are clipped.
    smoothing : float
        Label smoothing.
    average : float
        Decay of the weights' moving average.
    composed : float
        Fraction of composed music, where there is some.
    speeds : tuple of float
        At which real music is heard, tempo and pitch together.
    precision : str
        "auto": bf16 where the processor multiplies it faster (a GPU, AMX, AVX-512 BF16), else float32; "bf16"; "no".
    compile : bool
        torch.compile of the blocks: minutes to start, then faster on a GPU.
    seed : int
        Of everything random.
    save_seconds : float
        Time between checkpoints.
    keep : int
        Newest checkpoints that stay, beside the best.
    check_every : int
        Updates between checks.
    audio_every : int
        Updates between sounds written to OUT/audio; 0: none.
    tensorboard : bool
        Curves for TensorBoard in OUT/tensorboard (extra `tensorboard`), beside log.jsonl.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    frames: int = 288  # 5 s: long enough for two bars
    batch: int = 8
    accumulate: int = 1
    steps: int = 4000
    optimizer: str = "muon"  # small models learn about ten times faster than with AdamW alone
    schedule: str = "trapezoid"
    local_start: bool = True  # small models must not first discover that neighbours matter
    muon_rate: float = 0.02
    muon_decay: float = 0.01
    adam_rate: float = 2e-3
    adam_betas: tuple[float, float] = (0.9, 0.95)  # a shorter memory than the usual 0.999, as runs are short
    adam_decay: float = 0.0  # what Muon does not train is small: tables, norms, head
    head_rate: float = 2e-4  # low: an entry's turn comes once in a thousand tokens, and noise would blur its start
    warmup: int = 50
    clip: float = 1.0
    smoothing: float = 0.0  # paper, equation 1
    average: float = 0.99  # over the last 100 steps, as short runs change until they end
    composed: float = 0.5
    speeds: tuple[float, ...] = (1.0,)
    precision: str = "auto"
    compile: bool = False
    seed: int = 0
    save_seconds: float = 60.0  # what a kill may cost
    keep: int = 2
    check_every: int = 500
    audio_every: int = 0
    tensorboard: bool = False


# No dropout: models this small do not learn by heart within so few steps, and dropout blurs the fine codebooks, whose
# vectors are small corrections.
COARSE = ModelConfig(codebooks=4, conditioning=0, layers=6, width=192, heads=4, dropout=0.0)
FINE = ModelConfig(codebooks=14, conditioning=4, layers=6, width=192, heads=4, dropout=0.0)


def _ci(codebooks: int, conditioning: int) -> MaskedPreset:
    return MaskedPreset(
        # two blocks: the second takes the bias of the first; four heads: one of each kind
        ModelConfig(codebooks, conditioning, layers=2, width=32, heads=4),
        frames=32,  # half a second
        batch=2,  # the least over which mask ratios are spread
        steps=20,
        precision="no",  # bit for bit the same anywhere
        warmup=3,
        check_every=10,  # two checks
        save_seconds=0.0,  # after every step: a kill costs one
    )


def _bundled(model: ModelConfig, frames: int, batch: int, steps: int) -> MaskedPreset:
    return MaskedPreset(
        model,
        frames=frames,  # multiples of 16, for which attention is fast on a GPU
        batch=batch,
        steps=steps,
        warmup=100,
        average=0.999,  # over the last 1000 steps
        speeds=(1.0, 1.06, 0.944),  # a semitone up and down: composed music comes in all keys, recordings are few
        check_every=1000,
    )


def _gpu(codebooks: int, conditioning: int, frames: int, steps: int) -> MaskedPreset:
    return MaskedPreset(
        # 10 times the laptop's parameters, 64 channels a head
        ModelConfig(codebooks, conditioning, layers=8, width=512, heads=8),
        frames=frames,
        batch=64,  # fills a card of 16 GiB
        steps=steps,
        warmup=500,  # a wider model is less forgiving at the start
        average=0.999,  # over the last 1000 steps of a long run
        check_every=1000,
        audio_every=5000,
    )


def _paper(codebooks: int, conditioning: int, layers: int, frames: int, steps: int) -> MaskedPreset:
    return MaskedPreset(
        ModelConfig(codebooks, conditioning, layers=layers, width=1280, heads=20, dropout=0.1),  # section 4.2
        frames=frames,  # the reference code's: 10 s coarse, 3 s coarse-to-fine; the paper does not say
        batch=25,  # section 4.2; reference code: 8
        steps=steps,  # section 4.2: 1M coarse, 500k coarse-to-fine; reference code: no end
        optimizer="adamw",  # section 4.2
        schedule="noam",  # section 4.2, "target learning rate 0.001"; the formula's peak is 5.59e-4
        local_start=False,  # torch's usual start: neither paper nor reference code name another
        adam_rate=1.0,  # the formula gives the rate itself; in the reference code it overwrites AdamW's 1e-3
        adam_betas=(0.9, 0.999),  # section 4.2
        adam_decay=0.01,  # the paper does not say; reference code: torch's default
        warmup=10_000,  # section 4.2
        clip=5.0,  # the paper does not say; reference code: 5
        smoothing=0.0,  # equation 1; reference code: 0.1
        average=0.9999,  # ours, the last 10,000 steps; paper and reference code keep no average
        composed=0.0,  # real music alone, section 4.1
        save_seconds=600.0,  # 4 GB a checkpoint
        check_every=1000,  # the paper does not say; reference code: 1000
        audio_every=10_000,  # reference code: 10,000
    )


MASKED_PRESETS = {
    "coarse": {
        "ci": _ci(4, 0),
        "laptop": MaskedPreset(COARSE, steps=4850),  # 46 minutes on a core
        "bundled": _bundled(COARSE, frames=512, batch=64, steps=17_700),  # 9 s, nearly a window of the sampling loop
        "gpu": _gpu(4, 0, frames=575, steps=30_000),  # 10 s: phrases; an hour or two on one card
        "paper": _paper(4, 0, layers=20, frames=575, steps=1_000_000),
    },
    "fine": {
        "ci": _ci(14, 4),
        "laptop": MaskedPreset(FINE, frames=172, steps=7295),  # 3 s: fine tokens depend on near ones; 46 minutes
        "bundled": _bundled(FINE, frames=176, batch=128, steps=22_900),
        "gpu": _gpu(14, 4, frames=172, steps=20_000),
        "paper": _paper(14, 4, layers=16, frames=172, steps=500_000),
    },
}
"""ci: seconds, to prove the code. laptop: about 46 minutes a model on a core. bundled: models of the same shape on a
GPU, as the bundled ones were trained. gpu: wider and longer. paper: the paper's size and recipe."""
