"""The tagger: trained, stopped, resumed and read back; it and the other embeddings put known degradations in order."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from tests.degradations import DEGRADATIONS
from vampkit import cli, metrics, music
from vampkit.audio import LEVEL, Clip
from vampkit.errors import VampkitError
from vampkit.metrics.tagger import STEP, WINDOW, Tagger, load_tagger, tags
from vampkit.train import tagger as training
from vampkit.weights import load_codec

PRESET = training.TAGGER_PRESETS["ci"]
KINDS = (
    "noise",
    "much noise",
    "low-pass at 1 kHz",
    "all frames shuffled",
    "Opus at 12 kbit/s",
    "codec, 14 codebooks",
    "codec, 1 codebook",
)


@pytest.fixture(scope="module")
def spectra(tmp_path_factory):
    return training.compose_spectra(range(4), tmp_path_factory.mktemp("spectra"), 4.0)


def test_spectra_hold_the_truth(spectra):
    pieces = [music.compose(seed, genre="training", seconds=4.0) for seed in range(4)]
    assert [training.GENRES[g] for g in spectra.genre] == [piece.genre for piece in pieces]
    for number, piece in enumerate(pieces):
        names = {seat.part: seat.name for seat in piece.instruments}
        heard = {training.INSTRUMENTS[i] for i in torch.nonzero(spectra.playing[number].any(-1)).flatten()}
        assert heard == {names[note.part] for note in piece.notes}
        edges = (0.0, *training.TEMPI, np.inf)
        assert edges[spectra.tempo[number]] < piece.tempo <= edges[spectra.tempo[number] + 1]
    whole = metrics.log_mel(music.render(pieces[1]))
    spectrum, present = spectra.window(1, 40)
    assert np.abs(spectrum.numpy() - whole[:, 40 : 40 + WINDOW]).max() < 0.01 and set(present.tolist()) <= {0.0, 1.0}


def test_it_learns_and_resumes_exactly(spectra, tmp_path):
    preset = training.TaggerPreset(batch=4, steps=12, warmup=2, save_seconds=0.0, check_every=4)
    first = training.TaggerTraining(preset, spectra, spectra, tmp_path / "a").run()
    assert training.TaggerTraining(preset, spectra, spectra, tmp_path / "b").run(minutes=0) is None
    parts = training.TaggerTraining(preset, spectra, spectra, tmp_path / "b")
    for _ in range(5):
        parts.train_step()
        parts.step += 1
    parts.save()
    second = training.TaggerTraining(preset, spectra, spectra, tmp_path / "b").run()
    states = [load_tagger(path).state_dict() for path in (first, second)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert len(list((tmp_path / "b").glob("state-*.safetensors"))) == 2
    with pytest.raises(VampkitError, match="other settings .*batch 4 then, 8 now"):
        training.TaggerTraining(dataclasses.replace(preset, batch=8), spectra, spectra, tmp_path / "b")
    rows = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert (
        np.mean([r["loss"] for r in rows[-3:]]) < np.mean([r["loss"] for r in rows[:3]]) and "valid_tempo" in rows[-1]
    )


def test_from_the_command_line(tmp_path, capsys):
    cli.main(["train", "tagger", "--preset", "ci", "--out", str(tmp_path / "run")])
    path = capsys.readouterr().out.strip()
    assert load_tagger(path).genres == music.TRAINING_GENRES
    with pytest.raises(SystemExit):
        cli.main(["train", "tagger", "--stream", "2"])
    assert "composed music of its own" in capsys.readouterr().err
    with pytest.raises(ValueError, match="ci, laptop"):
        training.train_tagger("large", tmp_path)


def test_windows_of_an_embedding(tone):
    clip = Clip(np.tile(tone.samples, 3), tone.rate)
    frames = clip.samples.shape[1] // 512 + 1
    found = metrics.tagger_embedding(clip)
    assert found.shape == (1 + (frames - WINDOW) // STEP, 64) and found.dtype == np.float64
    assert np.allclose(found, metrics.tagger_embedding(Clip(clip.samples * 0.5, clip.rate)), atol=1e-2), (
        "the level does not count"
    )
    said = tags(clip)
    assert sum(said.genre.values()) == pytest.approx(1, abs=1e-5) and sum(said.tempo.values()) == pytest.approx(
        1, abs=1e-5
    )
    with pytest.raises(ValueError, match="at least 2.96 s"):
        metrics.tagger_embedding(tone)


def test_another_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_tagger(tmp_path / "none.safetensors")
    path = metrics.save_tagger(Tagger(("a", "b"), ("piano",)), tmp_path / "two.safetensors")
    assert load_tagger(path).genres == ("a", "b") and load_tagger(path) is load_tagger(path)
    with pytest.raises(VampkitError):
        load_tagger(load_codec("tiny").save(tmp_path / "codec.safetensors"))


def test_the_bundled_tagger_hears_what_was_composed():
    """It names genres of short held-out pieces far more often than by chance, and hears drums where they play."""
    right, drums = [], {True: [], False: []}
    for seed in (1_400_000, 1_400_001):
        for genre in music.TRAINING_GENRES:
            piece = music.compose(seed, genre=genre, seconds=8.0)
            said = tags(music.render(piece))
            right.append(max(said.genre, key=said.genre.get) == genre)
            drums[any(n.part == "drums" for n in piece.notes)].append(said.instruments["drums"])
    assert sum(right) >= 8, "a guess would be right twice in 28 times"
    assert len(drums[True]) >= 3 and np.mean(np.greater.outer(drums[True], drums[False])) > 0.8, (
        "drums are likelier where they play"
    )
    assert sum(w.numel() for w in load_tagger().parameters()) < 400_000


@pytest.fixture(scope="module")
def sets():
    """Fourteen held-out pieces of 4 s, degraded, and fourteen others."""
    made = [
        [
            music.render(music.compose(first + i, genre=genre, seconds=4.0)).at_loudness(LEVEL)
            for i, genre in enumerate(music.TRAINING_GENRES)
        ]
        for first in (1_410_000, 1_420_000)
    ]
    return {how: [DEGRADATIONS[how](clip) for clip in made[0]] for how in ("none", *KINDS)}, made[1]


@pytest.mark.parametrize("name", ["tagger", "log-mel statistics", "codec latents"])
def test_degradations_come_in_order(name, sets):
    """Degraded music lies farther from other music than the same music undegraded, the worse the farther."""
    changed, others = sets
    codec = load_codec("tiny")
    embed = {
        "tagger": metrics.tagger_embedding,
        "log-mel statistics": metrics.logmel_statistics,
        "codec latents": lambda c: metrics.codec_latents(c, codec),
    }
    reference = [embed[name](clip) for clip in others]
    width = metrics.bandwidth_of(reference)
    here = {how: [embed[name](clip) for clip in clips] for how, clips in changed.items()}
    kad = {
        how: metrics.kernel_distance(tracks, reference, width, shuffles=1).estimate.mean for how, tracks in here.items()
    }
    frechet = {
        how: metrics.frechet_distance(np.concatenate(tracks), np.concatenate(reference)) for how, tracks in here.items()
    }
    for far in (kad, frechet):
        assert far["none"] < far["noise"] < far["much noise"], far
        assert far["none"] < far["low-pass at 1 kHz"] and far["none"] < far["Opus at 12 kbit/s"], far
        assert far["codec, 14 codebooks"] < far["codec, 1 codebook"], far
        # Statistics over a quarter of a second hardly see the order of frames within it.
        assert far["none"] < far["all frames shuffled"], far
