"""Two models for the comparison of notebook 11: the same shape, music, crops and number of updates.

One is the masked transformer, the other its autoregressive sister. `python -m tests.bench.paper_training`. What exists
is not made again, a stopped run goes on. It takes some minutes on one core.
"""

import argparse
from dataclasses import replace
from functools import cache
from pathlib import Path

import soundfile
import torch

from vampkit import Clip, music
from vampkit.files import cache_folder, read_safetensors, write_safetensors
from vampkit.paper import CausalTransformer
from vampkit.train import MASKED_PRESETS, ExcerptStore, MaskedTraining
from vampkit.train.examples import Examples
from vampkit.train.pool import music_files
from vampkit.weights import load_codec, load_model

COUNT, SECONDS = 32, 30.0
"""Recordings of the train split (the middle of each), and as many composed pieces, that both learn from."""
FIRST = 500_000
"""Seed of the first of these pieces."""
PRESET = replace(MASKED_PRESETS["coarse"]["laptop"], steps=200, check_every=10**9)
"""The bundled coarse model's shape and the usual settings, in few updates."""
FORMAT = "vampkit.paper-tokens/1"


class CausalExamples(Examples):
    """The same crops; every token counts, as each is predicted from the earlier ones."""

    def example(self, number, ratio):
        codes, mask = super().example(number, ratio)
        return codes, torch.ones_like(mask)


class CausalTraining(MaskedTraining):
    """The training of the autoregressive model."""

    def __init__(self, *options):
        super().__init__(*options)
        self.examples = CausalExamples(self.preset, self.stores)

    def _untrained(self):
        return CausalTransformer(self.preset.model, self.codec.tables[: self.preset.model.codebooks])


@cache
def long_tracks(folder):
    """Recordings of a folder that last half a minute or more, one of each artist in turn."""
    by_artist = {}
    for artist, path in music_files(folder):
        if soundfile.info(path).duration >= SECONDS:
            by_artist.setdefault(artist, []).append(path)
    turns = max(map(len, by_artist.values()))
    return [paths[turn] for turn in range(turns) for _, paths in sorted(by_artist.items()) if turn < len(paths)]


def middle(path, seconds):
    """The middle of a recording, mono at 44.1 kHz and -24 LUFS."""
    clip = Clip.load(path).mono()
    return clip.excerpt((clip.seconds - seconds) / 2, seconds).resample(44_100).at_loudness()


def stores(folder, source, codec):
    """Tokens of recordings and of composed pieces, made once."""
    sounds = {
        "real": lambda n: middle(long_tracks(source / "train")[n], SECONDS),
        "composed": lambda n: music.render(music.compose(FIRST + n, genre="training", seconds=SECONDS)).at_loudness(),
    }
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    found, frames = [], int(SECONDS * codec.rate) // codec.hop
    for name, sound in sounds.items():
        paths = [folder / "tokens" / f"{name}-{n:02}.safetensors" for n in range(COUNT)]
        for n, path in enumerate(paths):
            if not path.is_file():
                codes = codec.encode_samples(sound(n).samples[0])[0, :, :frames]
                write_safetensors({"codes": codes.to(torch.uint16)}, path, FORMAT, {"codec": codec.hash})
        codes = torch.stack([read_safetensors(path, FORMAT)[1]["codes"] for path in paths])
        found.append(ExcerptStore(codes, [1 / COUNT] * COUNT, codec.hash))
    return tuple(found)


def trained(folder, source, preset=PRESET):
    """Both models, trained: autoregressive, masked."""
    codec, made = load_codec("tiny"), []
    pair = stores(folder, source, codec)
    for name, training in (("causal", CausalTraining), ("masked", MaskedTraining)):
        path = folder / name / "model.safetensors"
        if not path.is_file():
            training(preset, codec, pair, folder / name, {}, "cpu").run()
        made.append(load_model(path, codec))
    causal = CausalTransformer(made[0].config, made[0].tables)
    causal.load_state_dict(made[0].state_dict())
    return causal.eval().requires_grad_(False), made[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=cache_folder() / "paper")
    parser.add_argument("--music", type=Path, default=cache_folder() / "music")
    parser.add_argument("--steps", type=int, default=PRESET.steps)
    options = parser.parse_args()
    trained(options.folder, options.music, replace(PRESET, steps=options.steps))


if __name__ == "__main__":
    main()
