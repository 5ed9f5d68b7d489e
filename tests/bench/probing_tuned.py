"""What fine-tuning changes: the coarse model with adapters of notebook 12, under the same probes. For `bench_probes`.

The band is the whistling robot of notebook 12: pure tones of one scale, fourteen a second.
"""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from tests.bench.probing import STRIDE, Pieces, folds_of, heard, judged, row, states_of
from vampkit import Clip, metrics, probes
from vampkit.controls import curves
from vampkit.probes import QUESTIONS, Question

LAYER = 5
STEPS = np.array([0, 2, 4, 7, 9, 12, 14, 16, 19, 21])
TONE = Question("tone", "classes", True, "which of the ten tones the robot whistles", len(STEPS))
TONE_SAMPLES = 3087
LEARN, JUDGE = range(12), range(100, 140)
"""Seeds of the robot's pieces: those that adapters learn from (and two to measure the gain on), and those probed."""


def robot(seed):
    """A piece of the robot, 7 s: its sound, and the number of its tone at each sample."""
    tones = np.random.default_rng(seed).integers(len(STEPS), size=100).repeat(TONE_SAMPLES)
    pitch = 440 * 2 ** (STEPS[tones] / 12)
    wave = np.sin(2 * np.pi * np.cumsum(pitch) / curves.RATE).astype(np.float32)
    return Clip(wave[None], curves.RATE).at_loudness(-20), tones


class Whistled(Pieces):
    """Pieces of the robot that no adapter learned from, with its tone for each frame that is asked about."""

    def __init__(self, codec, folder):
        made = [heard(folder / f"robot-{seed}.npz", partial(lambda s: robot(s)[0], seed), codec) for seed in JUDGE]
        self.codes, self.features = map(list, zip(*made, strict=True))
        self.each = np.arange(0, self.codes[0].shape[1] - 1, STRIDE)
        middles = ((self.each + 0.5) * curves.HOP).astype(int)
        self.tones = np.concatenate([robot(seed)[1][middles] for seed in JUDGE])
        self.piece_of_frame = np.repeat(np.arange(len(JUDGE)), len(self.each))


def adapters(run):
    """Train adapters of the coarse model as notebook 12 does. Returns their file, and held-out tokens."""
    from vampkit.train import AdapterPreset, AdapterTraining, build_store, split_store

    folder = Path(tempfile.mkdtemp())
    for seed in LEARN:
        robot(seed)[0].save(folder / "robot" / f"robot-{seed:02}.flac")
    learn, held = split_store(build_store([folder / "robot"], folder / "tokens"), frames=115)
    preset = AdapterPreset(
        steps=60, batch=4, frames=(144, 144), rate=4e-3, warmup=5, average=0.9, precision="no", seed=12
    )
    path = AdapterTraining("coarse", preset, run.vamp.codec, learn, folder / "run", device="cpu").run()
    return path, held.held_out(8, 4, 115)


def part_finetuning(run):
    """What a layer tells before and after fine-tuning: of composed pieces, and of the robot's own tones."""
    from vampkit.weights import load_adapters

    path, codes = adapters(run)
    base, tuned = run.vamp.coarse, load_adapters(path, run.vamp.coarse)
    nats = [metrics.masked_cross_entropy(m, codes, 0.5, seed=12, by_item=True).mean(1) for m in (base, tuned)]
    table = {"nats gained on held-out pieces": row(metrics.bootstrap((nats[0] - nats[1]).numpy()))}
    old, new = run.states("coarse", 0.0)[LAYER], states_of(tuned, run.pieces, 0.0)[LAYER]
    for name in QUESTIONS:
        (was, constant), (now, _) = (judged(run.pieces, given, name) for given in (old, new))
        table[name] = _compared(was, now, constant, run.pieces.groups(name))
    whistled = Whistled(run.vamp.codec, run.folder)
    was, now = (_tone_errors(whistled, states_of(model, whistled, 0.0)[LAYER][True]) for model in (base, tuned))
    table["tone"] = _compared(was[0], now[0], was[1], whistled.piece_of_frame)
    print(table, flush=True)
    return table


def _compared(was, now, constant, groups):
    """Skill before and after, and the difference: the skill that one has over the other, piece by piece."""
    found = {"before": was, "after": now, "change": now - was + constant}
    return {name: row(probes.skill(losses, constant, groups)) for name, losses in found.items()}


def _tone_errors(whistled, states):
    losses, constant = np.zeros(len(states)), np.zeros(len(states))
    for train, valid, test in folds_of(whistled.piece_of_frame):
        probe = probes.train_probe(TONE, states, whistled.tones, train, valid)
        losses[test] = TONE.loss(probe(states[test]), whistled.tones[test])
        constant[test] = TONE.loss(TONE.constant(whistled.tones[train]), whistled.tones[test])
    return losses, constant
