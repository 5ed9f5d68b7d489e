"""What the layers of the masked models know, beside what the sound itself and the codec tell.

`python -m tests.bench.bench_probes` makes data/probes.json, which notebook 13 shows. `--only PART ...` makes some parts
of it anew. Needs the music of `vampkit data fetch` (part "recordings") and the extra `peft` (part "finetuning").

Composed pieces of 5 s, seeds from 1,500,000 on, which no model was trained on. Four parts by piece: in turn each is
judged on, the next one chooses the penalty, the others train; so each piece is judged once. The result is a JSON file
with settings, n and intervals over pieces (bootstrap, 95 %). Features and finished parts are kept in the cache: a run
that was stopped goes on with the part it was at.
"""

import argparse
import json
import time
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import torch

import vampkit as vk
from tests.bench.probing import (
    FOLDS,
    SECONDS,
    STRIDE,
    Pieces,
    alike,
    beside,
    by_chance,
    folds,
    judged,
    row,
    skills,
    states_of,
    told,
)  # fmt: skip
from tests.bench.probing_songs import part_recordings
from tests.bench.probing_tuned import part_finetuning
from vampkit import load_vamp, metrics, music, probes
from vampkit.controls import curves
from vampkit.files import cache_folder, data_folder, written
from vampkit.probes import QUESTIONS
from vampkit.probes.probe import PENALTIES
from vampkit.sampling import Settings
from vampkit.weights import model_hash

FIRST, HELD_OUT = 1_500_140, 1_510_000
"""First seeds. The layers that stand below as numbers were chosen on the 140 pieces before the first one."""
SHARES = (0.0, 0.3, 0.6)


def part_beside(run):
    """What is read without the models, from shuffled answers, and along one random direction."""
    pieces, rng = run.pieces, np.random.default_rng(0)
    table = {name: told(name, skills(pieces, given)) for name, given in beside(pieces, run.vamp.codec).items()}
    best = run.states("coarse", 0.0)[5]
    shuffled = {}
    for name, question in QUESTIONS.items():
        answers, order = pieces.truth(name), rng.permutation(len(pieces))
        step = len(pieces.each) if question.by_frame else 1
        moved = answers.reshape(len(pieces), step, *answers.shape[1:])[order].reshape(answers.shape)
        losses, constant = judged(pieces, best, name, moved)
        shuffled[name] = row(probes.skill(losses, constant, pieces.groups(name)))
    table["shuffled answers, coarse 5"] = told("shuffled", shuffled)
    direction = {key: rows @ rng.normal(size=(rows.shape[1], 1)) for key, rows in best.items()}
    table["one direction, coarse 5"] = told("one direction", skills(pieces, direction))
    return table


def part_layers(run):
    """Each layer of both models, at three shares hidden, and of networks without training."""
    table = {}
    for model, shares in (
        ("coarse", SHARES),
        ("fine", SHARES),
        ("untrained coarse", (0.0,)),
        ("untrained fine", (0.0,)),
    ):
        for share in shares:
            layers = run.states(model, share)
            rows = [told(f"{model} {share} {n}", skills(run.pieces, given)) for n, given in enumerate(layers)]
            table.setdefault(model, {})[f"{share:g}"] = rows
    return table


def part_best(run):
    """The layer chosen on the choosing parts alone, and judged against what a filter reads, piece by piece."""
    pieces, table = run.pieces, {}
    rivals = beside(pieces, run.vamp.codec)
    for name, question in QUESTIONS.items():
        truth, groups = pieces.truth(name), pieces.groups(name)
        parts = list(folds(pieces, name))
        picked, losses, constant = [], {"model": np.zeros(len(truth))}, np.zeros(len(truth))
        layers = [g for model in ("coarse", "fine") for g in run.states(model, 0.0)]
        for train, valid, test in parts:
            made = [probes.train_probe(question, g[question.by_frame], truth, train, valid) for g in layers]
            wrong = [
                question.loss(p(g[question.by_frame][valid]), truth[valid]).mean()
                for p, g in zip(made, layers, strict=True)
            ]
            best = int(np.argmin(wrong))
            picked.append(("coarse " if best < 7 else "fine ") + str(best % 7))
            losses["model"][test] = question.loss(made[best](layers[best][question.by_frame][test]), truth[test])
            constant[test] = question.loss(question.constant(truth[train]), truth[test])
        for rival in ("codec latents, 1 s", "chroma, 1 s", "mel, 1 s", "rhythm, 1 s"):
            losses[rival] = judged(pieces, rivals[rival], name)[0]
        table[name] = {"layers": picked, "model": row(probes.skill(losses["model"], constant, groups))}
        for rival in list(losses)[1:]:
            # The difference of two skills is the skill that one has over the other, in units of the constant answer.
            gain = probes.skill(losses["model"] - losses[rival] + constant, constant, groups)
            table[name][f"less {rival}"] = row(gain)
        print(name, table[name], flush=True)
    return table


def part_same(run):
    """The fine model told no more than the coarse one: codebooks 5 to 14 hidden. Chords, piece by piece."""
    pieces, losses, table = run.pieces, {}, {}
    given = {"coarse 5": run.states("coarse", 0.0)[5], "fine 3": run.states("fine", 0.0)[3]}
    given["fine 3, same codebooks"] = run.states("fine", 1.0)[3]
    for name, states in given.items():
        losses[name], constant = judged(pieces, states, "chord")
        table[name] = row(probes.skill(losses[name], constant, pieces.groups("chord")))
    for name in ("fine 3", "fine 3, same codebooks"):
        less = losses[name] - losses["coarse 5"] + constant
        table[f"{name} less coarse 5"] = row(probes.skill(less, constant, pieces.groups("chord")))
    print(table, flush=True)
    return table


def part_transfer(run):
    """Trained on the training genres, judged on the genres and instruments that nothing here was trained on."""
    here, there, table = run.pieces, run.unheard, {}
    sources = {"chroma, 1 s": [beside(p, run.vamp.codec)["chroma, 1 s"] for p in (here, there)]}
    sources["mel, 1 s"] = [beside(p, run.vamp.codec)["mel, 1 s"] for p in (here, there)]
    for model, layer in (("coarse", 5), ("fine", 3)):
        given = states_of(run.models[model], there, 0.0)[layer]
        sources[f"{model} {layer}"] = [run.states(model, 0.0)[layer], given]
    for source, (known, new) in sources.items():
        table[source] = {}
        for name in ("chord", "beat", "key"):
            question = QUESTIONS[name]
            train, valid = probes.split(here.groups(name), shares=(0.8, 0.2))
            truth = here.truth(name)
            probe = probes.train_probe(question, known[question.by_frame], truth, train, valid)
            losses = question.loss(probe(new[question.by_frame]), there.truth(name))
            constant = question.loss(question.constant(truth[train]), there.truth(name))
            table[source][name] = row(probes.skill(losses, constant, there.groups(name)))
        told(source, table[source])
    return table


def part_leak(run):
    """A number that is drawn for each piece means nothing: what a probe reads of it when frames of a piece leak.

    In sets of 40 pieces, and in one set of all.
    """
    pieces, question, table = run.pieces, QUESTIONS["chord"], {}
    drawn = np.random.default_rng(0).integers(0, 12, len(pieces))[pieces.piece_of_frame]
    questions = {"a drawn number": drawn, "the chord": pieces.truth("chord")}
    for size in (40, len(pieces)):
        for (label, truth), model in product(questions.items(), ("coarse", "untrained coarse")):
            states = run.states(model, 0.0)[5][True]
            for rule in ("by piece", "by frame"):
                losses, constant, judged_on = [], [], []
                for first in range(0, len(pieces) - size + 1, size):
                    here = np.flatnonzero(pieces.piece_of_frame // size == first // size)
                    groups = pieces.piece_of_frame[here] if rule == "by piece" else here
                    train, valid, test = (here[part] for part in probes.split(groups))
                    probe = probes.train_probe(question, states, truth, train, valid)
                    losses.append(question.loss(probe(states[test]), truth[test]))
                    constant.append(question.loss(question.constant(truth[train]), truth[test]))
                    judged_on.append(pieces.piece_of_frame[test])
                found = row(probes.skill(*map(np.concatenate, (losses, constant, judged_on))))
                table[f"{size} pieces, {label}, {model}, {rule}"] = found
                print(size, label, model, rule, found, flush=True)
    return table


def part_choosing(run):
    """The best of all layers of both models on 40 pieces, and how the same one does on the others. 2,000 draws."""
    pieces, table, rng = run.pieces, {}, np.random.default_rng(0)
    tried = [g for model in ("coarse", "fine") for g in run.states(model, 0.0)]
    for name in ("genre", "section", "key"):
        losses = np.stack([judged(pieces, g, name)[0] for g in tried])
        constant = judged(pieces, tried[0], name)[1]
        gaps = []
        for _ in range(2000):
            order = rng.permutation(len(pieces))
            test, fresh = order[:40], order[40:]
            if not constant[test].sum():
                continue
            scores = 1 - losses[:, test].sum(1) / constant[test].sum()
            best = int(scores.argmax())
            gaps.append((scores[best], 1 - losses[best, fresh].sum() / constant[fresh].sum()))
        claimed, honest = np.mean(gaps, 0)
        low, high = np.quantile(np.subtract(*np.transpose(gaps)), [0.025, 0.975])
        table[name] = {"tried": len(tried), "claimed": round(float(claimed), 3), "fresh": round(float(honest), 3)}
        table[name]["too high by"] = [round(float(x), 3) for x in (claimed - honest, low, high)]
        print(name, table[name], flush=True)
    return table


def part_attention(run):
    """Heads that look one beat or one bar away more than they look that far in pieces of another tempo, 80 pieces."""
    pieces, table, rate = run.pieces, {}, curves.RATE / curves.HOP
    lags = np.arange(20, 222)
    chosen = [i for i, p in enumerate(pieces.pieces) if 60 < p.meter[0] * 60 / p.tempo * rate < 215][:80]
    for model in ("coarse", "fine"):
        profiles = []
        for i in chosen:
            codes = pieces.codes[i][None, : run.models[model].config.codebooks]
            weights = probes.attention(run.models[model], codes, torch.zeros_like(codes, dtype=torch.bool))[
                :, 0
            ].flatten(0, 1)
            both = weights + weights.transpose(1, 2)
            profiles.append(torch.stack([both.diagonal(int(g), 1, 2).mean(1) for g in lags], 1).numpy())
        # In units of even attention; a hundredth is added so that heads that look nowhere near do not count.
        profiles = np.log(0.01 + np.stack(profiles) * len(weights[0]) / 2)  # [pieces, heads, lags]
        for what in ("beat", "bar"):
            away = np.array([60 / pieces.pieces[i].tempo * rate for i in chosen])
            away = away * ([pieces.pieces[i].meter[0] for i in chosen] if what == "bar" else 1)
            other = np.abs(np.log(away[:, None] / away[None])) > 0.1  # pieces of clearly another tempo
            at = np.clip(np.round(away).astype(int) - lags[0], 1, len(lags) - 2)
            gain = np.stack(
                [
                    profiles[i, :, at[i] - 1 : at[i] + 2].mean(1)
                    - profiles[other[i]][:, :, at[i] - 1 : at[i] + 2].mean((0, 2))
                    for i in range(len(chosen))
                ]
            )  # [pieces, heads], in nats
            head = int(gain[::2].mean(0).argmax())  # chosen on one half, judged on the other
            best = metrics.bootstrap(gain[1::2, head])
            table[f"{model}, {what}"] = {"layer": head // 4 + 1, "head": head % 4 + 1, "gain": row(best)}
            table[f"{model}, {what}"]["all heads"] = row(metrics.bootstrap(gain[1::2].mean(1)))
            print(model, what, table[f"{model}, {what}"], flush=True)
    return table


def part_neighbours(run):
    """How often the nearest other piece is of the same genre."""
    pieces, table = run.pieces, {}
    genre = np.array([p.genre for p in pieces.pieces])
    given = {"coarse 4": run.states("coarse", 0.0)[4], "fine 3": run.states("fine", 0.0)[3]}
    given["untrained coarse 4"] = run.states("untrained coarse", 0.0)[4]
    rivals = beside(pieces, run.vamp.codec)
    given |= {name: rivals[name] for name in ("mel", "chroma", "codec latents")}
    hits = {name: alike(rows[False], genre) for name, rows in given.items()}
    table |= {name: row(metrics.bootstrap(found)) for name, found in hits.items()}
    table["coarse 4 less mel"] = row(metrics.bootstrap(hits["coarse 4"] - hits["mel"]))
    table["by chance"] = by_chance(genre)
    print(table, flush=True)
    return table


def part_steering(run):
    """A pitch class pushed into layer 4 while the coarse model writes from nothing: how strong it is in the sound."""
    vamp, pieces, rng = run.vamp, run.pieces, np.random.default_rng(0)
    question, truth = QUESTIONS["chord"], pieces.truth("chord")
    states = run.states("coarse", 0.6)[4][True].astype(np.float64)
    train, valid, _ = probes.split(pieces.piece_of_frame)
    probe = probes.train_probe(question, states, truth, train, valid)
    length = np.linalg.norm(states[train] - states[train].mean(0), axis=1).mean()
    push = 1000 * length * np.stack([probe.direction(pitch) for pitch in range(12)])
    found = {}
    for number in range(36):
        pitch, random = number % 12, rng.normal(size=states.shape[1])
        ways = {"probe": probe.direction(pitch), "random": random / np.linalg.norm(random)}
        pushes = {"none": (ways["probe"], 0.0), "probe": (ways["probe"], 1.0), "random": (ways["random"], 1.0)}
        for name, (way, size) in pushes.items():
            codes = torch.zeros(1, 4, 86, dtype=torch.long)
            added = torch.tensor(size * length * way, dtype=torch.float32)
            with probes.steered(vamp.coarse, 4, added):
                *_, last = vk.sample(vamp.coarse, codes, torch.ones_like(codes) > 0, [number], Settings(passes=12))
            wave = vamp.codec.decode_codes(last.codes).reshape(-1)
            power = np.square(curves.harmony(np.ascontiguousarray(wave, np.float32)))
            found.setdefault(name, []).append(float(power[pitch].mean() / max(power.sum(0).mean(), 1e-9)))
    found["probe less random"] = np.subtract(found["probe"], found["random"])
    pitches = [number % 12 for number in range(36)]  # takes of one direction are drawn together
    table = {name: row(metrics.bootstrap(values, pitches)) for name, values in found.items()}
    print(table, flush=True)
    # For the notebook: what is added for each pitch class, in tenths.
    return table | {"layer": 4, "push": np.round(push / 100).astype(int).tolist()}


PARTS = {
    "neighbours": part_neighbours, "recordings": part_recordings, "finetuning": part_finetuning,
    "transfer": part_transfer, "same": part_same, "attention": part_attention, "steering": part_steering,
    "leak": part_leak, "choosing": part_choosing, "beside": part_beside, "best": part_best, "layers": part_layers,
}  # fmt: skip
"""The quickest come first."""
FEWER = ("transfer", "same", "attention", "steering", "leak", "choosing")
"""Slow parts, which are content with half of the pieces."""


class Run:
    """What the parts share: models, pieces, and the hidden states that were computed already."""

    def __init__(self, count, folder):
        self.vamp = load_vamp("tiny")
        self.models = {"coarse": self.vamp.coarse, "fine": self.vamp.fine}
        self.models |= {f"untrained {name}": probes.untrained(model) for name, model in self.models.items()}
        self.pieces = Pieces([(FIRST + i, "training") for i in range(count)], self.vamp.codec, folder)
        self.folder, self._states = folder, {}

    @cached_property
    def unheard(self):
        """A quarter as many pieces of genres and instruments that no model was trained on."""
        jobs = [(HELD_OUT + i, music.HELD_OUT_GENRES[i % 2]) for i in range(len(self.pieces) // 4)]
        return Pieces(jobs, self.vamp.codec, self.folder)

    def states(self, model, share):
        """Hidden states of each layer of a model, with a share of its tokens hidden."""
        key = model, share
        if key not in self._states:
            self._states[key] = states_of(self.models[model], self.pieces, share)
        return self._states[key]


def settings_of(run):
    """What a result was made with. Parts that were made with something else are made anew."""
    return {
        "pieces": f"{len(run.pieces)}, half of them in {', '.join(FEWER)}",
        "seconds": SECONDS, "first seed": FIRST, "frames between": STRIDE, "folds": FOLDS,
        "penalties": list(PENALTIES), "numbers": "mean, low, high, n; 95 % bootstrap over pieces",
        "coarse": model_hash(run.vamp.coarse), "fine": model_hash(run.vamp.fine),
    }  # fmt: skip


def write(result, path):
    with written(path) as part:
        part.write_text(json.dumps(result, separators=(",", ":")).replace('},"', '},\n"') + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=320)
    parser.add_argument("--only", nargs="*", choices=tuple(PARTS), default=[])
    parser.add_argument("--out", type=Path, default=data_folder() / "probes.json")
    parser.add_argument("--cache", type=Path, default=cache_folder() / "probes")
    chosen = parser.parse_args()
    run, fewer = Run(chosen.pieces, chosen.cache), Run(chosen.pieces // 2, chosen.cache)
    kept, settings = chosen.cache / f"result-{chosen.pieces}.json", settings_of(run)
    result = json.loads(kept.read_text()) if kept.exists() else {}
    if result.get("settings") != settings:
        result = {"settings": settings}
    for name in PARTS:
        if name in result and name not in chosen.only:
            continue
        began = time.time()
        result[name] = PARTS[name](fewer if name in FEWER else run)
        write(result, kept)
        print(f"{name}: {time.time() - began:.0f} s", flush=True)
    write({"settings": settings, **{name: result[name] for name in PARTS}}, chosen.out)


if __name__ == "__main__":
    main()
