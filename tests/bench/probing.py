"""Composed pieces with their answers, and probes that are judged on each of them once. For `bench_probes`."""

from functools import partial

import numpy as np
import torch

from vampkit import music, probes
from vampkit.files import written
from vampkit.probes import QUESTIONS

SECONDS = 5.0
STRIDE = 12
"""Frames between two that are asked about, 0.2 s."""
FOLDS = 4


def heard(path, sound, codec):
    """Codes and features of a sound: from the cache, or of what sound() makes."""
    if not path.exists():
        made = probes.hear(sound(), codec)
        halves = {name: rows.astype(np.float16) for name, rows in made.features.items()}
        with written(path) as part, open(part, "wb") as file:
            np.savez(file, codes=made.codes.numpy().astype(np.uint16), **halves)
    with np.load(path) as file:
        features = {name: file[name].astype(np.float32) for name in file.files if name != "codes"}
        return torch.from_numpy(file["codes"].astype(np.int64)), features


class Pieces:
    """Composed pieces with their codes, features and answers, one after another."""

    def __init__(self, jobs, codec, folder):
        self.codes, self.features, self.answers, self.pieces = [], [], [], []
        for seed, genre in jobs:
            piece = music.compose(seed, genre=genre, seconds=SECONDS)
            codes, features = heard(folder / f"{genre}-{seed}.npz", partial(music.render, piece), codec)
            self.codes.append(codes)
            self.features.append(features)
            self.answers.append(probes.truth(piece, self.codes[-1].shape[1]))
            self.pieces.append(piece)
        self.each = np.arange(0, self.codes[0].shape[1], STRIDE)
        self.piece_of_frame = np.repeat(np.arange(len(jobs)), len(self.each))

    def __len__(self):
        return len(self.codes)

    def truth(self, name):
        """Answers to a question, of every STRIDE-th frame or of the pieces."""
        rows = [answers[name] for answers in self.answers]
        return np.concatenate([row[self.each] if QUESTIONS[name].by_frame else row for row in rows])

    def groups(self, name):
        """The piece of each item that a question is asked about."""
        return self.piece_of_frame if QUESTIONS[name].by_frame else np.arange(len(self))

    def given(self, make):
        """Features by frame and by piece: make(index) gives [frames, dims] of a piece."""
        rows = [make(i) for i in range(len(self))]
        return {
            True: np.concatenate([r[self.each] for r in rows]),
            False: np.concatenate([probes.pooled(r) for r in rows]),
        }


def states_of(model, pieces, share):
    """Hidden states of each layer: a list of features as `Pieces.given` makes them."""
    frames, whole = [], []
    for number, codes in enumerate(pieces.codes):
        codes = codes[None, : model.config.codebooks]
        mask = probes.hidden_share(model, codes.shape[2], share, seed=number)
        states = probes.hidden_states(model, codes, mask)[:, 0].numpy()  # [layers, frames, width]
        frames.append(states[:, pieces.each])
        whole.append(np.stack([probes.pooled(layer) for layer in states]))
    by_frame, by_piece = np.concatenate(frames, 1), np.concatenate(whole, 1)
    return [{True: by_frame[n], False: by_piece[n]} for n in range(len(by_frame))]


def beside(pieces, codec):
    """What is known without the models, by name. The clock hears nothing: it knows how late it is in the piece."""

    def row(name):
        return lambda i: pieces.features[i][name]

    def vectors(i, codebooks=14):
        tables = codec.tables[:codebooks]
        return torch.cat([t[c] for t, c in zip(tables, pieces.codes[i][:codebooks], strict=True)], 1).numpy()

    tempograms = np.concatenate([probes.tempogram(f["rhythm"]) for f in pieces.features])
    clock = np.tile(np.eye(len(pieces.each)), (len(pieces), 1))
    rhythm = pieces.given(lambda i: probes.around(pieces.features[i]["rhythm"], 12, 3))[True]
    return {
        "mel": pieces.given(row("mel")),
        "mel, 1 s": pieces.given(lambda i: probes.around(pieces.features[i]["mel"])),
        "chroma": pieces.given(row("chroma")),
        "chroma, 1 s": pieces.given(lambda i: probes.smoothed(pieces.features[i]["chroma"])),
        "rhythm, 1 s": {True: rhythm, False: tempograms},
        "codec latents": pieces.given(row("latents")),
        "codec latents, 1 s": pieces.given(lambda i: probes.around(pieces.features[i]["latents"], 2, 14)),
        "tokens, 4 codebooks": pieces.given(lambda i: vectors(i, 4)),
        "tokens, 14 codebooks": pieces.given(vectors),
        "clock": {True: clock, False: np.zeros((len(pieces), 1))},
    }


def folds(pieces, name):
    """(train, valid, test) of a question, for each fold; no piece lies in two of them."""
    yield from folds_of(pieces.groups(name))


def folds_of(groups):
    """(train, valid, test) for each fold; groups: the piece of each item."""
    parts = probes.split(groups, shares=(1,) * FOLDS)
    for at in range(FOLDS):
        rest = [parts[i] for i in range(FOLDS) if i not in (at, (at + 1) % FOLDS)]
        three = np.concatenate(rest), parts[(at + 1) % FOLDS], parts[at]
        probes.check_split(three, groups)
        yield three


def judged(pieces, given, name, truth=None, hidden=0):
    """How wrong the probe and the constant answer are about each item; each is judged once."""
    question, truth = QUESTIONS[name], pieces.truth(name) if truth is None else truth
    states = given[question.by_frame]
    losses, constant = np.zeros(len(truth)), np.zeros(len(truth))
    for train, valid, test in folds(pieces, name):
        probe = probes.train_probe(question, states, truth, train, valid, hidden)
        losses[test] = question.loss(probe(states[test]), truth[test])
        constant[test] = question.loss(question.constant(truth[train]), truth[test])
    return losses, constant


def row(estimate):
    """An estimate as it is written: mean, low, high, n."""
    return [round(estimate.mean, 3), round(estimate.low, 3), round(estimate.high, 3), estimate.n]


def skills(pieces, given, names=tuple(QUESTIONS), **options):
    """The skill in each question, as it is written."""
    found = {}
    for name in names:
        losses, constant = judged(pieces, given, name, **options)
        found[name] = row(probes.skill(losses, constant, pieces.groups(name)))
    return found


def told(label, found):
    print(f"{label:28}", "  ".join(f"{name} {value[0]:5.2f}" for name, value in found.items()), flush=True)
    return found


def alike(rows, labels):
    """Whether the nearest other item, by cosine, has the same label. rows: a vector for each item, [items, dims]."""
    x = (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-6)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return (labels[(x @ x.T - 2 * np.eye(len(x))).argmax(1)] == labels) * 1.0


def by_chance(labels):
    """How often a random other item has the same label."""
    counts = np.unique(labels, return_counts=True)[1]
    return round(float((counts * (counts - 1)).sum() / len(labels) / (len(labels) - 1)), 3)
