"""How well the masked models predict, and how near their vamps come.

`python -m tests.bench.bench_models [--clips N] [--split test]`. Prints tables.
"""

import argparse
import time
from pathlib import Path

import torch

from tests.bench.bench_codec import composed, real
from vampkit import Periodic, load_vamp, metrics, music
from vampkit.cli.demo import prompts
from vampkit.files import cache_folder


def cross_entropies(vamp, codes, kind, tracks):
    """Nats by codebook with half of the predicted cells hidden, beside the clips' own unigram."""
    for name, model, first in (("coarse", vamp.coarse, 0), ("fine", vamp.fine, 4)):
        by_item = metrics.masked_cross_entropy(model, codes.to(model.tables.device), 0.5, by_item=True).cpu()
        measured, mean = by_item.mean(0), metrics.bootstrap(by_item.mean(1).numpy(), tracks)
        unigram = metrics.unigram_cross_entropy(codes)[first : model.config.codebooks]
        row = [" ".join(f"{x:.2f}" for x in values) for values in (measured, unigram)]
        below = float((unigram - measured).mean())
        print(f"| {kind} | {name} | {row[0]} | {mean} | {row[1]} | {below:.2f} |", flush=True)


def chain(vamp, tokens, reference, kind):
    """Frechet distance of P = 16 vamps and of the same with noise in place of the model, to other clips."""
    counts = metrics.entry_counts(torch.stack([t.codes for t in tokens])).float() + 1
    noise, vamps = [], []
    for i, t in enumerate(tokens):
        take = vamp.vamp(t, Periodic(16), seed=i)
        vamps.append(take.clip)
        generator = torch.Generator().manual_seed(i)
        drawn = torch.stack([torch.multinomial(row, t.frames, replacement=True, generator=generator) for row in counts])
        noise.append(vamp.codec.decode(t.replace(codes=torch.where(take.mask, drawn, t.codes))))
    made = {
        "excerpts through the codec": [vamp.codec.decode(t) for t in tokens],
        "model": vamps,
        "kept + unigram noise": noise,
    }
    stats = {name: [metrics.logmel_statistics(c) for c in clips] for name, clips in made.items()}
    far = [metrics.logmel_statistics(c) for c in reference]
    for name, values in stats.items():
        print(f"| {kind} | {name} | {metrics.frechet_interval(values, far)} |", flush=True)
    ratio = metrics.frechet_ratio(stats["model"], stats["kept + unigram noise"], far)
    print(f"| {kind} | ratio of model to noise | {ratio} |")


def agreement(vamp, clips, tokens):
    """Onset F and chroma similarity of each prompt's vamp to its input, and to another clip's."""
    for name, prompt in prompts(10.0).items():
        made = [vamp.vamp(t, prompt, seed=i).clip for i, t in enumerate(tokens)]
        for measure in (metrics.onset_f, metrics.chroma_similarity):
            own = [measure(c, m) for c, m in zip(clips, made, strict=True)]
            other = [measure(c, m) for c, m in zip(clips, made[1:] + made[:1], strict=True)]
            difference = [a - b for a, b in zip(own, other, strict=True)]
            cells = [name, measure.__name__, *map(metrics.bootstrap, (own, other, difference))]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--music", type=Path, default=cache_folder() / "music")
    parser.add_argument(
        "--split", default="valid", choices=("valid", "test"), help="the real excerpts; choices are made on valid alone"
    )
    parser.add_argument("--only", choices=("entropies",), help="leave the vamps out")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="where the models run")
    options = parser.parse_args()
    vamp = load_vamp("tiny", device=options.device)
    kinds = {"composed": composed(options.clips), "real": real(options.music / options.split, options.clips)}
    tokens = {kind: [vamp.codec.encode(c) for c, _ in clips] for kind, clips in kinds.items()}
    print(
        "| clips | model | cross entropy, half hidden | mean, over tracks | unigram of the same clips | below, mean |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for kind, made in tokens.items():
        cross_entropies(vamp, torch.stack([t.codes[:, :574] for t in made]), kind, [track for _, track in kinds[kind]])
    if options.only == "entropies":
        return
    # Compared with other pieces, and with excerpts of the train split, whose artists are as mixed as the valid split's.
    seeds = range(1_001_000, 1_001_000 + options.clips)
    references = {
        "composed": [music.render(music.compose(seed, genre="training", seconds=10.0)) for seed in seeds],
        "real": [c for c, _ in real(options.music / "train", options.clips)],
    }
    began = time.monotonic()
    vamp.codec.decode(vamp.vamp(tokens["composed"][0], Periodic(16)).tokens)
    print(f"\n10 s vamp, 36 passes, decoding included: {time.monotonic() - began:.1f} s")
    print("\n| clips | what | Frechet distance, log-mel statistics |\n| --- | --- | --- |")
    for kind, made in tokens.items():
        chain(vamp, made, references[kind], kind)
    print("\n| prompt | measure | own input | another clip | difference |\n| --- | --- | --- | --- | --- |")
    agreement(vamp, [c for c, _ in kinds["composed"]], tokens["composed"])


if __name__ == "__main__":
    main()
