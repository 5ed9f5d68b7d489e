"""Beats: tracked ones are where they are, annotations are read as they are, and mistakes get one sentence."""

import json
import sys
import types

import numpy as np
import pytest
import torch

from vampkit import metrics, music
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.prompts import Beats, beats
from vampkit.prompts.beats import BeatGrid, BeatThis, LibrosaBeats, guess_downbeats

RATE = 44_100
SILENCE = Clip(np.zeros((1, RATE), np.float32), RATE)


def clicks(times, seconds=6.0, loud=()):
    samples = np.zeros(int(seconds * RATE), np.float32)
    for i, t in enumerate(times):
        at = int(t * RATE)
        burst = np.random.default_rng(i).standard_normal(2000) * np.exp(-np.arange(2000) / 500)
        samples[at : at + 2000] += 0.2 * burst[: len(samples) - at]
        if t in loud:
            samples[at : at + 6000] += (
                0.5 * np.sin(2 * np.pi * 60 * np.arange(6000) / RATE) * np.exp(-np.arange(6000) / 2000)
            )[: len(samples) - at]
    return Clip(samples[None], RATE, name="clicks")


@pytest.fixture(scope="module")
def truth():
    return tuple(np.arange(0.3, 5.9, 0.5).round(3).tolist())


def test_a_beat_and_an_onset_at_the_very_start_are_found():
    times = np.arange(0.0, 5.9, 0.5)
    loop = clicks(times, loud=times[::4])
    found = LibrosaBeats().track(loop)
    assert np.abs(np.array(found.beats[:12]) - times).max() < 0.03
    assert np.abs(np.array(found.downbeats[:3]) - times[::4]).max() < 0.03
    plain = clicks(times)
    assert np.abs(beats.onset_times(plain, opening=True) - times).max() < 0.03
    assert beats.onset_times(plain, backtrack=True, opening=True)[0] == 0
    assert beats.onset_times(plain)[0] == pytest.approx(0.5, abs=0.03), "measures leave it out"
    assert metrics.beat_times(loop)[0] > 0.3
    cut = plain.excerpt(0.25, 4)
    assert beats.onset_times(cut, opening=True)[0] == pytest.approx(0.25, abs=0.03), "no stroke where there is none"


def test_librosa_finds_clicks_without_its_lateness(truth):
    found = np.asarray(LibrosaBeats().track(clicks(truth)).beats)
    assert metrics.beat_f(np.asarray(truth), found) > 0.9
    late = np.array([t - min(truth, key=lambda true: abs(true - t)) for t in found])
    assert abs(np.median(late)) < 0.01 < beats.BIAS, "at most 10 ms are left, of 18 that are taken off"
    assert np.array_equal(metrics.beat_times(clicks(truth)), found), "one tracker for prompts and for measures"


def test_the_octave_is_a_choice(truth):
    sound = clicks(truth)
    tempos = {octave: LibrosaBeats(octave=octave).track(sound).tempo for octave in (-1, 0, 1)}
    assert (
        tempos[0] == pytest.approx(120, rel=0.03)
        and tempos[-1] == pytest.approx(60, rel=0.1)
        and tempos[1] == pytest.approx(240, rel=0.1)
    )


def test_the_prior_decides_between_half_and_double():
    """Clicks at 240 a minute, every second one with a bass: 120 by default, 240 where that is expected."""
    times = tuple(np.arange(0.25, 5.9, 0.25).tolist())
    sound = clicks(times, loud=times[::2])
    assert LibrosaBeats().track(sound).tempo == pytest.approx(120, rel=0.05)
    assert LibrosaBeats(tempo=240, spread=0.2).track(sound).tempo == pytest.approx(240, rel=0.05)


def test_downbeats_are_a_guess_and_say_so(truth):
    for first in (0, 2, 3):
        assert guess_downbeats(truth, clicks(truth, loud=truth[first::4])) == truth[first::4]
    grid = LibrosaBeats(meter=3).track(clicks(truth))
    assert (
        grid.guessed
        and len(grid.downbeats) == pytest.approx(len(grid.beats) / 3, abs=1)
        and set(grid.downbeats) <= set(grid.beats)
    )
    assert guess_downbeats(truth, meter=4) == truth[::4] and guess_downbeats((), meter=4) == ()
    assert not beats.beats_from_score(music.compose(1_000_000, seconds=4.0)).guessed


def test_a_grid_sorts_its_beats_out():
    grid = BeatGrid((0.0, 0.5, 1.0, 1.5, 2.0), (0.02, 2.0))
    assert grid.upbeats == (0.5, 1.0, 1.5) and grid.tempo == 120
    assert (
        grid.times("all") == (0.02, 0.5, 1.0, 1.5, 2.0)
        and grid.times("up", 2) == (0.5, 1.5)
        and grid.times("down") == (0.02, 2.0)
    )
    assert (
        BeatGrid(np.arange(3)).beats == (0.0, 1.0, 2.0)
        and BeatGrid(()).times() == ()
        and np.isnan(BeatGrid((1.0,)).tempo)
    )


def test_truth_comes_back_from_every_kind_of_file(tmp_path):
    piece = music.compose(1_000_002, seconds=8.0)
    score = beats.beats_from_score(piece)
    assert score == BeatGrid(piece.beats, piece.downbeats) and len(score.beats) > 4
    path = music.save_jams(piece, tmp_path / "a.jams")
    for source in (path, music.to_jams(piece)):
        read = beats.beats_from_jams(source)
        assert read.beats == pytest.approx(score.beats) and read.downbeats == pytest.approx(score.downbeats)
    places = [1 if b in piece.downbeats else 2 for b in piece.beats]
    for name, between, head in (
        ("a.csv", ",", "time,position\n"),
        ("b.txt", "\t", ""),
        ("c.beats", " ", "# by hand\n"),
        ("d.csv", " ; ", ""),
    ):
        (tmp_path / name).write_text(
            head + "\n".join(f"{b}{between}{p}" for b, p in zip(piece.beats, places, strict=True)) + "\n"
        )
        assert beats.beats_from_csv(tmp_path / name) == score, name
    (tmp_path / "e.txt").write_text("0.5\n1.0\n")
    assert beats.beats_from_csv(tmp_path / "e.txt") == BeatGrid((0.5, 1.0))
    track = types.SimpleNamespace(beats=types.SimpleNamespace(times=np.array(piece.beats), positions=np.array(places)))
    assert beats.beats_from_mirdata(track) == score
    assert beats.beats_from_mirdata(
        types.SimpleNamespace(beats=types.SimpleNamespace(times=[0.5], positions=None))
    ) == BeatGrid((0.5,))


def test_beat_positions_of_jams_count_too():
    import jams

    made = jams.JAMS()
    made.file_metadata.duration = 3
    rows = jams.Annotation(namespace="beat_position", time=0, duration=3)
    for i in range(5):
        rows.append(
            time=i * 0.5,
            duration=0,
            value={"position": i % 4 + 1, "measure": 1 + i // 4, "num_beats": 4, "beat_units": 4},
        )
    made.annotations.append(rows)
    assert beats.beats_from_jams(made) == BeatGrid((0.0, 0.5, 1.0, 1.5, 2.0), (0.0, 2.0))


def test_beat_this_by_a_stand_in(monkeypatch, tmp_path):
    """Its interface (beat_this 1.1): Audio2Beats(checkpoint_path, device, dbn)(signal, rate) -> beats, downbeats."""
    seen = {}

    class Audio2Beats:
        def __init__(self, checkpoint_path, device, dbn):
            seen.update(path=checkpoint_path, device=device, dbn=dbn)

        def __call__(self, signal, sr):
            seen.update(shape=signal.shape, rate=sr)
            return np.array([0.5, 1.0, 1.5]), np.array([0.5])

    package, inference = types.ModuleType("beat_this"), types.ModuleType("beat_this.inference")
    inference.Audio2Beats = Audio2Beats
    file = tmp_path / "small.ckpt"
    file.write_bytes(b"weights")
    with pytest.raises(FileNotFoundError, match="no file at"):
        BeatThis(tmp_path / "final0")
    monkeypatch.setitem(sys.modules, "beat_this", None)
    with pytest.raises(VampkitError, match=r"install vampkit\[beats\]"):
        BeatThis(file)
    monkeypatch.setitem(sys.modules, "beat_this", package)
    monkeypatch.setitem(sys.modules, "beat_this.inference", inference)
    stereo = Clip(np.ones((2, RATE), np.float32) * 0.1, RATE)
    assert BeatThis(file).track(stereo) == BeatGrid((0.5, 1.0, 1.5), (0.5,))
    assert seen == {"path": str(file), "device": "cpu", "dbn": False, "shape": (RATE,), "rate": RATE}
    assert BeatThis(file).track(SILENCE) == BeatGrid(())


def test_silence_has_no_beats():
    short = Clip(np.ones((1, 3000), np.float32) * 0.1, RATE)
    for clip in (SILENCE, short):
        assert LibrosaBeats().track(clip) == BeatGrid(()) and not len(beats.onset_times(clip))


def test_taps_pass_straight_in_and_every_tracker_serves(truth):
    tokens = Tokens(torch.zeros(2, 345, dtype=torch.int64), "c", RATE, 768, 16, 345 * 768, RATE)
    grid = LibrosaBeats().track(clicks(truth))
    corrected = [t + 0.01 for t in grid.beats[:-1]] + [5.95]
    assert torch.equal(Beats(beats=grid).mask(tokens), Beats().mask(tokens, clicks(truth)))
    assert Beats(beats=corrected).beats == tuple(corrected)


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: BeatGrid((1.0, 0.5)), ValueError, "out of order"),
        (lambda: BeatGrid((0.5, 0.5)), ValueError, "out of order"),
        (lambda: BeatGrid((-1.0,)), ValueError, "0 or more"),
        (lambda: BeatGrid((float("nan"),)), ValueError, "0 or more"),
        (lambda: BeatGrid(("x",)), TypeError, "numbers of seconds"),
        (lambda: BeatGrid((0.5,), (1.0, 0.5)), ValueError, "downbeats are out of order"),
        (lambda: BeatGrid((0.5,)).times("left"), ValueError, '"all"'),
        (lambda: BeatGrid((0.5,)).times("all", 0), ValueError, "1 or more"),
        (lambda: LibrosaBeats(tempo=0), ValueError, "positive"),
        (lambda: LibrosaBeats(octave=3), ValueError, "-2 to 2"),
        (lambda: guess_downbeats((0.5, 1.0), meter=0), ValueError, "1 or more"),
        (lambda: beats.beats_from_csv("nowhere.csv"), FileNotFoundError, "no file"),
        (lambda: beats.beats_from_jams("nowhere.jams"), FileNotFoundError, "no file"),
        (lambda: beats.beats_from_mirdata(types.SimpleNamespace(track_id="a")), VampkitError, "no beats"),
    ],
)
def test_bad_input_gets_one_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    "text, words",
    [
        ("time\n", "no beats"),
        ("0.5\nhalf past\n", "line 2"),
        ("0.5 one\n0.6 two\n", "line 2"),
        ("1.0\n1.0\n", "out of order"),
    ],
)
def test_files_that_hold_something_else(tmp_path, text, words):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(VampkitError, match=words):
        beats.beats_from_csv(tmp_path / "a.txt")


def test_jams_without_beats(tmp_path):
    (tmp_path / "a.jams").write_text("no json")
    (tmp_path / "b.jams").write_text(json.dumps({"annotations": [], "file_metadata": {"duration": 1}, "sandbox": {}}))
    for name in ("a.jams", "b.jams"):
        with pytest.raises(VampkitError, match="beats"):
            beats.beats_from_jams(tmp_path / name)
