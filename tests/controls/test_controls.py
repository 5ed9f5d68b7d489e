"""Controls: curves of known sounds, what can be done to them, JSON, and bad input."""

import numpy as np
import pytest

from vampkit.audio import Clip
from vampkit.controls import Control, Harmony, Loudness, Rhythm
from vampkit.controls.control import FRAME
from vampkit.controls.curves import strokes
from vampkit.controls.kinds import stacked
from vampkit.errors import VampkitError

RATE = 44_100


def struck(times, seconds=2.0, hertz=440.0):
    """Decaying tones at some times."""
    t = np.arange(int(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * hertz * t) * np.exp(-8 * np.maximum(t - at, 0)) * (t >= at) for at in times)
    return Clip(0.3 * sound.astype(np.float32)[None], RATE)


def chord(hertz, seconds=1.0):
    t = np.arange(int(seconds * RATE)) / RATE
    return Clip(np.mean([np.sin(2 * np.pi * f * t) for f in hertz], 0).astype(np.float32)[None], RATE)


def test_a_rhythm_has_a_peak_at_each_stroke():
    times = [0.3, 0.8, 1.1, 1.6]
    rhythm = Rhythm(struck(times))
    assert rhythm.curve.shape == (3, 115) and rhythm.frames == 115
    found = rhythm.times(least=1.0)
    assert len(found) == 4 and np.abs(np.array(found) - times).max() < 1.5 * FRAME


def test_a_loud_stroke_does_not_hide_the_soft_ones():
    times = [0.3 + 0.5 * t for t in range(12)]
    soft = 0.07 * struck(times, 6.5).samples
    soft = soft + 0.02 * np.random.default_rng(0).standard_normal(soft.shape)
    loud, place = soft.copy(), int(3.05 * RATE)
    loud[:, place : place + 4000] += 0.9 * np.random.default_rng(1).standard_normal((1, 4000))
    frames = [round(t / FRAME) for t in times]
    for sound, least in ((soft, 2.0), (loud, 1.0)):
        curve = Rhythm(Clip(sound.astype(np.float32), RATE)).curve[1]
        assert min(curve[t - 2 : t + 3].max() for t in frames) > least


def test_strokes_stand_out_of_noise():
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, 4 * RATE)).astype(np.float32)
    curve = Rhythm(Clip(noise, RATE)).curve
    near = np.convolve(strokes(curve), np.ones(3), "same") > 0
    mean = curve.mean(0)
    assert mean[~near].mean() < 0.6 * mean[near].mean()  # without the halving 0.8


def test_the_end_of_a_sound_is_no_stroke():
    curve = Rhythm(struck([0.3, 0.8, 1.1, 1.6])).curve
    assert strokes(curve).sum() == 4 and not curve[:, -1].any()


@pytest.mark.parametrize("first", [0.0, 0.005, 0.01])
def test_a_stroke_at_the_very_start_counts(first):
    """A loop that was cut on its first beat; music that was cut in the middle of a tone has no stroke there."""
    times = [first, 0.5, 1.0, 1.5]
    found = Rhythm(struck(times)).times(least=1.0)
    assert len(found) == 4 and np.abs(np.array(found) - times).max() < 1.5 * FRAME
    noise = np.random.default_rng(0).standard_normal((1, 2 * RATE)).astype(np.float32)
    for going_on in (chord([220, 277, 330]), Clip(0.1 * noise, RATE)):
        assert Rhythm(going_on).curve[:, 0].max() == 0


def test_taps_and_a_sound_with_the_same_strokes_agree():
    times = [0.3, 0.8, 1.1, 1.6]
    taps = Rhythm.of_times(times, seconds=2.0)
    assert np.abs(np.array(taps.times()) - times).max() <= FRAME
    assert taps.curve.max() == 3.0 and (taps.curve[0] == taps.curve[2]).all()


def test_harmony_names_the_pitch_classes():
    curve = Harmony(chord((261.63, 329.63, 392.0))).curve  # C, E, G
    assert set(np.argsort(curve.mean(1))[-3:]) == {0, 4, 7}
    assert np.allclose(np.linalg.norm(curve[:, 10:-10], axis=0), 1, atol=0.05)


def test_harmony_hardly_depends_on_timbre():
    t = np.arange(RATE) / RATE
    soft = np.sin(2 * np.pi * 220 * t)
    bright = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 12))
    a, b = (Harmony(Clip(0.2 * x.astype(np.float32)[None], RATE)).curve[:, 10:-10].mean(1) for x in (soft, bright))
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.85 and a.argmax() == b.argmax() == 9


def test_loudness_is_in_steps_of_ten_decibels_and_ignores_gain():
    clip = chord((440.0,), 2.0)
    steps = Clip(clip.samples * np.where(np.arange(clip.samples.shape[1]) < RATE, 1, 0.1), RATE)
    curve = Loudness(steps).curve[0]
    assert curve[20:40].mean() - curve[80:100].mean() == pytest.approx(2, abs=0.1)
    assert np.abs(Loudness(steps.gain(-12)).curve - curve).max() < 0.1


def test_moved_curves():
    taps = Rhythm.of_times([0.5, 1.0], seconds=2.0)
    assert taps.shift(0.25).times() == pytest.approx([0.75, 1.25], abs=1.5 * FRAME)
    assert taps.shift(3).curve.max() == 0 and taps.shift(-0.75).times() == pytest.approx([0.25], abs=1.5 * FRAME)
    assert taps.stretch(4.0).times(0.5) == pytest.approx([1.0, 2.0], abs=2 * FRAME)
    assert taps.cut(0.4, 1.0).times() == pytest.approx([0.1, 0.6], abs=1.5 * FRAME)
    assert taps.smooth(0.3).curve.max() < 1 and taps.smooth(0.3).curve.sum() == pytest.approx(taps.curve.sum(), rel=0.2)


def test_quantized_to_beats():
    rhythm = Rhythm.of_times([0.05, 0.53, 0.77, 1.52], seconds=2.0)
    assert rhythm.quantize([0, 0.5, 1.0, 1.5], division=2).times() == pytest.approx([0, 0.5, 0.75, 1.5], abs=FRAME)


def test_no_stroke_is_moved_out_of_the_curve():
    rhythm = Rhythm.of_times([0.05, 1.97], seconds=2.0).quantize([-0.1, 0.4, 0.9, 1.4, 2.02], division=1)
    assert rhythm.times() == pytest.approx([0.4, 1.4], abs=FRAME)


def test_mixed():
    a, b = Rhythm.of_times([0.5], 1.0), Rhythm.of_times([0.8], 1.0)
    mixed = a.mix(b, 0.25).curve
    assert mixed.max() == pytest.approx(0.75 * 3, abs=0.05) and mixed[0, int(0.8 / FRAME)] == pytest.approx(
        0.75, abs=0.05
    )


@pytest.mark.parametrize(
    "control",
    [Rhythm.of_times([0.2, 0.7], 1.0), Harmony(chord((220.0, 330.0))), Loudness(struck([0.1, 0.9]))],
    ids=lambda c: c.word,
)
def test_json_gives_the_same_control(control):
    assert Control.from_json(control.to_json()) == control
    assert len(control.to_json()["curve"]) < 12 * control.curve.size


def test_stacked_rows_and_flags():
    rhythm, harmony = Rhythm.of_times([0.2], 1.0), Harmony(chord((220.0,)))
    rows = stacked([harmony, rhythm], 50)
    assert rows.shape == (19, 50) and rows.dtype == np.float32
    assert (rows[:3] == rhythm.curve[:, :50]).all() and (rows[3:15] == harmony.curve[:, :50]).all()
    assert rows[15].max() == 0 and rows[16:, 0].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: Rhythm(Clip(np.zeros((1, 4410), np.float32), RATE)), ValueError, "silent"),
        (lambda: Rhythm(np.zeros((3, 0))), ValueError, r"\[3, frames\] was expected"),
        (lambda: Rhythm(np.zeros((2, 9))), ValueError, r"shape \(2, 9\)"),
        (lambda: Harmony(np.full((12, 9), np.nan)), ValueError, "not finite"),
        (lambda: Rhythm("drums.wav"), TypeError, "str was given, a Clip or a curve"),
        (lambda: Rhythm.of_times([0.1, np.inf], 1.0), ValueError, "finite times"),
        (lambda: Rhythm.of_times([0.1], 0.0), ValueError, "at least one frame"),
        (lambda: Rhythm.of_times([0.1], 1.0).quantize([0.5]), ValueError, "two or more rising beats"),
        (lambda: Rhythm.of_times([0.1], 1.0).quantize([5, 6]), ValueError, "no beat lies inside the 0.99 s"),
        (lambda: Rhythm.of_times([0.1], 1.0).mix(Rhythm.of_times([0.1], 2.0)), ValueError, "equal lengths"),
        (lambda: Rhythm.of_times([0.1], 1.0).mix(Loudness(np.zeros(9))), TypeError, "another Rhythm"),
        (lambda: Rhythm.of_times([0.1], 1.0).stretch(0), ValueError, "one frame"),
        (lambda: Rhythm.of_times([0.1], 1.0).cut(0.5, 1.0), ValueError, "0.99 s long"),
        (lambda: Control.from_json({"format": "x"}), VampkitError, "'x', 'vampkit.control/1' was expected"),
        (lambda: Control.from_json({"format": "vampkit.control/1"}), VampkitError, "this is no control"),
        (lambda: stacked([3], 5), TypeError, "int was given to follow"),
        (lambda: stacked([Loudness(np.zeros(9))] * 2, 5), ValueError, "two controls for loudness"),
        (lambda: stacked([Loudness(np.zeros(9))], 50), ValueError, "0.16 s long, 0.87 s were expected"),
    ],
)
def test_bad_input_gets_one_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()
