"""Settings for training a masked model: the presets ci, laptop, bundled, gpu and paper."""

from __future__ import annotations

from dataclasses import dataclass, field

from vampkit.model import ModelConfig


@dataclass(frozen=True)
class MaskedPreset:
    """Settings for training a masked model. Comments in the source give the reason for each default.

    Notebook: 04

    Parameters
    ----------
    model : ModelConfig
        The shape of the model.
    frames : int
        Length of an example.
    batch : int
        Examples per update, in all processes together. So a run is the same on one device and on eight.
    accumulate : int
        Number of parts into which a process splits its examples of an update. More parts need less memory; the result
        is the same.
    steps : int
        Total number of updates.
    optimizer : str
        "muon": Muon for the matrices inside the blocks and AdamW for the rest; "adamw": AdamW for all.
    schedule : str
        Schedule of the learning rates: "trapezoid", "cosine", or "noam" (then adam_rate is a factor of Noam's rate).
    local_start : bool
        Initialize the weights with `start_local` instead of torch's defaults.
    muon_rate, muon_decay : float
        Learning rate and weight decay of the matrices inside the blocks.
    adam_rate : float
        Learning rate of input, relative bias and norms, or of all weights without Muon.
    adam_betas : tuple of (float, float)
        The two decay rates of AdamW.
    adam_decay : float
        AdamW's weight decay.
    head_rate : float
        Learning rate of the weights `weight_v` of the head, if Muon is used.
    warmup : int
        Number of updates over which the learning rates rise.
    clip : float
        Gradients are clipped to this norm.
    smoothing : float
        Label smoothing.
    average : float
        Decay of the moving average of the weights.
    composed : float
        Fraction of composed music, if there is both composed and real music.
    speeds : tuple of float
        Speeds at which real music is used, changing tempo and pitch together.
    precision : str
        "auto": bf16 if the processor multiplies it faster (see `bf16_is_fast`), else float32; "bf16"; "no".
    compile : bool
        Use torch.compile for the blocks. It takes minutes at the start, and is faster on a GPU.
    seed : int
        Seed of all random numbers.
    save_seconds : float
        Time between checkpoints.
    keep : int
        How many of the newest checkpoints are kept, in addition to the best one.
    check_every : int
        Updates between checks.
    audio_every : int
        Updates between sounds written to OUT/audio; 0: none.
    tensorboard : bool
        Write curves for TensorBoard to OUT/tensorboard (extra `tensorboard`), in addition to log.jsonl.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    frames: int = 288  # 5 s: long enough for two bars
    batch: int = 8
    accumulate: int = 1
    steps: int = 4000
    optimizer: str = "muon"  # small models learn about ten times faster than with AdamW alone
    schedule: str = "trapezoid"
    local_start: bool = True  # small models need not learn first that near frames matter most
    muon_rate: float = 0.02
    muon_decay: float = 0.01
    adam_rate: float = 2e-3
    adam_betas: tuple[float, float] = (0.9, 0.95)  # a shorter memory than the usual 0.999, as runs are short
    adam_decay: float = 0.0  # the weights without Muon are few: input, norms, head
    head_rate: float = 2e-4  # low: each entry occurs only once in about 1000 tokens, so its gradients are noisy
    warmup: int = 50
    clip: float = 1.0
    smoothing: float = 0.0  # paper, equation 1
    average: float = 0.99  # over the last 100 steps, as short runs change until they end
    composed: float = 0.5
    speeds: tuple[float, ...] = (1.0,)
    precision: str = "auto"
    compile: bool = False
    seed: int = 0
    save_seconds: float = 60.0  # at most this is lost if the run is killed
    keep: int = 2
    check_every: int = 500
    audio_every: int = 0
    tensorboard: bool = False


# No dropout: models this small do not overfit in so few steps, and dropout hurts the fine codebooks, whose vectors are
# small corrections.
COARSE = ModelConfig(codebooks=4, conditioning=0, layers=6, width=192, heads=4, dropout=0.0)
FINE = ModelConfig(codebooks=14, conditioning=4, layers=6, width=192, heads=4, dropout=0.0)


def _ci(codebooks: int, conditioning: int) -> MaskedPreset:
    return MaskedPreset(
        # two blocks, so that the second uses the bias of the first; four heads, one of each kind of `local_bias`
        ModelConfig(codebooks, conditioning, layers=2, width=32, heads=4),
        frames=32,  # half a second
        batch=2,  # the smallest batch over which mask ratios are spread
        steps=20,
        precision="no",  # float32, so that results are the same everywhere
        warmup=3,
        check_every=10,  # two checks
        save_seconds=0.0,  # a checkpoint after every step
    )


def _bundled(model: ModelConfig, frames: int, batch: int, steps: int) -> MaskedPreset:
    return MaskedPreset(
        model,
        frames=frames,  # multiples of 16, for which attention is fast on a GPU
        batch=batch,
        steps=steps,
        warmup=100,
        average=0.999,  # over the last 1000 steps
        speeds=(1.0, 1.06, 0.944),  # recordings are few, so they are also used a semitone up and down
        check_every=1000,
    )


def _gpu(codebooks: int, conditioning: int, frames: int, steps: int) -> MaskedPreset:
    return MaskedPreset(
        # 10 times as many parameters as "laptop", 64 channels per head
        ModelConfig(codebooks, conditioning, layers=8, width=512, heads=8),
        frames=frames,
        batch=64,  # fills a card of 16 GiB
        steps=steps,
        warmup=500,  # a wider model needs a slower start
        average=0.999,  # over the last 1000 steps of a long run
        check_every=1000,
        audio_every=5000,
    )


def _paper(codebooks: int, conditioning: int, layers: int, frames: int, steps: int) -> MaskedPreset:
    return MaskedPreset(
        ModelConfig(codebooks, conditioning, layers=layers, width=1280, heads=20, dropout=0.1),  # section 4.2
        frames=frames,  # reference code: 10 s coarse, 3 s coarse-to-fine; the paper does not say
        batch=25,  # section 4.2; reference code: 8
        steps=steps,  # section 4.2: 1M coarse, 500k coarse-to-fine; reference code: no end
        optimizer="adamw",  # section 4.2
        schedule="noam",  # section 4.2, "target learning rate 0.001"; the formula's peak is 5.59e-4
        local_start=False,  # torch's defaults: neither the paper nor the reference code names another initialization
        adam_rate=1.0,  # the formula gives the rate itself; in the reference code it overwrites AdamW's 1e-3
        adam_betas=(0.9, 0.999),  # section 4.2
        adam_decay=0.01,  # the paper does not say; reference code: torch's default
        warmup=10_000,  # section 4.2
        clip=5.0,  # the paper does not say; reference code: 5
        smoothing=0.0,  # equation 1; reference code: 0.1
        average=0.9999,  # over the last 10,000 steps; the paper and the reference code have no average
        composed=0.0,  # only real music, section 4.1
        save_seconds=600.0,  # a checkpoint is 4 GB
        check_every=1000,  # the paper does not say; reference code: 1000
        audio_every=10_000,  # reference code: 10,000
    )


MASKED_PRESETS = {
    "coarse": {
        "ci": _ci(4, 0),
        "laptop": MaskedPreset(COARSE, steps=4850),  # 46 minutes on one core
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
"""The presets of both models.

ci: takes seconds, to test the code. laptop: about 46 minutes per model on one core. bundled: the same shape, trained
longer on a GPU, as the bundled models were. gpu: a wider model. paper: the size and the settings of the paper.
"""
