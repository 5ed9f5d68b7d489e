"""Recordings with a truth of their own, for `bench_probes`: songs whose tempo and guitar are known, and their makers.

Two bands made songs for a game that plays the guitar's stem beside the rest. The note file of each song, in the same
Debian package, holds its tempo; its first beat is at the start. Where the guitar sounds is told by its stem.
`vampkit data fetch` brings the sound.
"""

import json
from functools import partial

import numpy as np
import soundfile

from tests.bench.probing import SECONDS, STRIDE, Pieces, alike, beside, by_chance, heard, row, states_of
from vampkit import Clip, metrics, probes
from vampkit.controls import curves
from vampkit.errors import VampkitError
from vampkit.files import cache_folder
from vampkit.probes import QUESTIONS, Question

TEMPI = {
    "Escape from chaosland": 135.0, "Feelings": 95.0, "Metal madness": 150.0, "War of freedom": 140.0,
    "Armygeddon": 170.0, "Chaos God": 170.0, "Internal Degeneration": 190.0, "Mutilated Mime": 180.0,
}  # fmt: skip
"""Beats a minute by the note file. The last four songs are of the band that the masked models were trained on."""
EXCERPTS, FIRST_S, STEP_S = 12, 10.0, 10.0
FAINT = 20.0
"""The guitar's level counts down to this many dB below the rest."""
ASKED = (
    QUESTIONS["beat"],
    Question("eighth", "numbers", True, "the place between two eighth notes, as cosine and sine"),
    Question("guitar", "numbers", True, "the level of the recorded guitar, in dB of all else"),
)


def _rows():
    """What is said of each recording that was fetched, with its path."""
    folder = cache_folder() / "music"
    if not (folder / "attributions.jsonl").exists():
        raise VampkitError(f"{folder} holds no music, the recordings were expected there; run `vampkit data fetch`")
    lines = (folder / "attributions.jsonl").read_text(encoding="utf-8").splitlines()
    return [{**row, "path": folder / row["file"]} for row in map(json.loads, lines)]


class Excerpts(Pieces):
    """Excerpts of recordings, with features as `Pieces` has them. `whose`: the number or maker of each one's song.

    items: (name in the cache, a function that makes the sound, whose it is).
    """

    def __init__(self, items, codec, folder):
        made = [heard(folder / f"{name}.npz", sound, codec) for name, sound, _ in items]
        self.codes, self.features = map(list, zip(*made, strict=True))
        self.whose = np.array([whose for _, _, whose in items])
        self.each = np.arange(0, self.codes[0].shape[1], STRIDE)
        self.piece_of_frame = np.repeat(self.whose, len(self.each))


def songs(codec, folder):
    """Excerpts of the eight songs, guitar and backing together, and the answers for each frame that is asked about."""
    paths, items, starts = {row["title"]: row["path"] for row in _rows()}, [], []

    def stems(title, start):
        return [Clip.load(paths[f"{title} ({name} stem)"], start, SECONDS).mono() for name in ("guitar", "backing")]

    def mixed(title, start):
        guitar, backing = stems(title, start)
        return Clip(guitar.samples + backing.samples, guitar.rate)

    for number, title in enumerate(TEMPI):
        for turn in range(EXCERPTS):
            starts.append((title, start := FIRST_S + turn * STEP_S))
            items.append((f"song-{number}-{turn}", partial(mixed, title, start), number))
    made, answers = Excerpts(items, codec, folder), {question.name: [] for question in ASKED}
    for (title, start), codes in zip(starts, made.codes, strict=True):
        beats = (start + (made.each + 0.5) * curves.HOP / curves.RATE) * TEMPI[title] / 60
        for name, turns in (("beat", beats), ("eighth", 2 * beats)):
            answers[name].append(np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)], 1))
        guitar, rest = (_power(clip, codes.shape[1])[made.each] for clip in stems(title, start))
        answers["guitar"].append(np.clip(10 * np.log10(guitar / rest), -FAINT, FAINT)[:, None])
    return made, {name: np.concatenate(rows) for name, rows in answers.items()}


def _power(clip, frames):
    """Mean square of each frame."""
    samples = clip.resample(curves.RATE).samples[0]
    samples = np.pad(samples, (0, max(0, frames * curves.HOP - len(samples))))[: frames * curves.HOP]
    return np.square(samples.reshape(frames, curves.HOP)).mean(1) + 1e-12


def makers(codec, folder):
    """An excerpt from the middle of each whole recording that no model was trained on, where its maker made several."""
    rows = [row for row in _rows() if row["split"] != "train" and "stem)" not in row["title"]]
    many = [row for row in rows if sum(other["artist"] == row["artist"] for other in rows) > 1]

    def middle(row):
        length = soundfile.info(row["path"]).duration
        return Clip.load(row["path"], max(0.0, (length - SECONDS) / 2), SECONDS).mono()

    return Excerpts([(f"recording-{r['sha256'][:12]}", partial(middle, r), r["artist"]) for r in many], codec, folder)


def by_band():
    """(train, valid, test) songs: learned from one band and judged on the other. No band lies on both sides."""
    for band in (0, 4):
        yield [band, band + 1, band + 2], [band + 3], [4 - band + i for i in range(4)]


def by_song():
    """(train, valid, test) songs: other songs, but of the same two bands."""
    for i in range(4):
        yield [(i + j) % 4 + band for j in (1, 2) for band in (0, 4)], [(i + 3) % 4, (i + 3) % 4 + 4], [i, i + 4]


def judged_songs(known, song, question, truth, folds):
    """Errors of probes and of the constant answer; each song is judged once. song: the song of each frame."""
    losses, constant = np.zeros(len(truth)), np.zeros(len(truth))
    for parts in folds:
        train, valid, test = three = [np.flatnonzero(np.isin(song, part)) for part in parts]
        probes.check_split(three, song)
        probe = probes.train_probe(question, known, truth, train, valid)
        losses[test] = question.loss(probe(known[test]), truth[test])
        constant[test] = question.loss(question.constant(truth[train]), truth[test])
    return losses, constant


def part_recordings(run):
    """Songs whose tempo and stems are known, and recordings whose makers are."""
    excerpts, answers = songs(run.vamp.codec, run.folder)
    song, composed = excerpts.piece_of_frame, _features(run, run.pieces)
    table = {"excerpts": len(excerpts), "read": {}}
    for name, states in _features(run, excerpts).items():
        known, found = states[True], {}
        for question in ASKED:
            for rule, folds in (("by song", by_song()), ("by band", by_band())):
                truth = answers[question.name]
                found[f"{question.name}, {rule}"] = judged_songs(known, song, question, truth, folds)
        found["beat, from composed"] = _from_composed(run.pieces, composed[name][True], known, answers["beat"])
        table["read"][name] = {key: row(probes.skill(*errors, song)) for key, errors in found.items()}
        print(name, table["read"][name], flush=True)
    recordings = makers(run.vamp.codec, run.folder)
    table["same maker"] = {
        name: row(metrics.bootstrap(alike(states[False], recordings.whose), recordings.whose))
        for name, states in _features(run, recordings).items()
    } | {"by chance": by_chance(recordings.whose), "makers": len(set(recordings.whose))}
    print(table["same maker"], flush=True)
    return table


def _features(run, pieces):
    """What is compared: filters, and the layers that read chords best in composed pieces."""
    rivals = beside(pieces, run.vamp.codec)
    given = {name: rivals[name] for name in ("mel, 1 s", "chroma, 1 s", "rhythm, 1 s", "codec latents, 1 s")}
    for model, layer in (("untrained coarse", 5), ("coarse", 5), ("untrained fine", 3), ("fine", 3)):
        layers = run.states(model, 0.0) if pieces is run.pieces else states_of(run.models[model], pieces, 0.0)
        given[f"{model} {layer}"] = layers[layer]
    return given


def _from_composed(pieces, known, asked, truth):
    """Errors about the beat of the songs, of a probe that learned from composed pieces alone."""
    question, learned = QUESTIONS["beat"], pieces.truth("beat")
    train, valid = probes.split(pieces.piece_of_frame, shares=(0.8, 0.2))
    probe = probes.train_probe(question, known, learned, train, valid)
    return question.loss(probe(asked), truth), question.loss(question.constant(learned[train]), truth)
