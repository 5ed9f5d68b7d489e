"""Clip: what it accepts, what it refuses, and that nothing is lost on the way."""

import time

import numpy as np
import pytest

from vampkit.audio import LEVEL, Clip, clips, load_clip
from vampkit.audio.blocks import FileBlocks
from vampkit.errors import VampkitError


@pytest.mark.parametrize("suffix, tolerance", [(".wav", 0.0), (".flac", 1e-6), (".ogg", 0.1)])
def test_round_trip_through_a_file(tmp_path, tone, suffix, tolerance):
    back = Clip.load(tone.save(tmp_path / f"a{suffix}"))
    assert back.rate == tone.rate and back.samples.shape == tone.samples.shape
    assert np.abs(back.samples - tone.samples).max() <= tolerance
    assert not list(tmp_path.glob("*.part"))


def test_loudness_is_what_it_was_brought_to(tone):
    assert tone.at_loudness().loudness() == pytest.approx(LEVEL, abs=0.05)
    assert tone.gain(-6).loudness() == pytest.approx(tone.loudness() - 6, abs=0.05)
    assert Clip(np.zeros((1, 1000)), 44_100).loudness() == float("-inf")
    assert np.isfinite(tone.excerpt(0, 0.05).loudness())


def test_resampling_keeps_pitch_and_length(tone):
    slow = tone.resample(16_000)
    assert slow.seconds == pytest.approx(tone.seconds, abs=1e-3)
    peak = np.abs(np.fft.rfft(slow.samples[0])).argmax() / slow.seconds
    assert (
        peak == pytest.approx(220, abs=1) or peak == pytest.approx(277.2, abs=1) or peak == pytest.approx(329.6, abs=1)
    )


def test_excerpts_while_loading_equal_excerpts_after(tmp_path, tone):
    path = tone.save(tmp_path / "a.wav")
    assert np.array_equal(Clip.load(path, 0.5, 0.25).samples, tone.excerpt(0.5, 0.25).samples)


def test_peak_in_decibels():
    assert Clip(np.array([0.5, -0.25]), 10).peak() == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize(
    "samples, rate, words",
    [
        (np.array([[0.0, np.nan]]), 10, "NaN"),
        (np.array([[0.0, np.inf]]), 10, "infinite"),
        (np.zeros((2, 2, 2)), 10, "shape"),
        (np.zeros((100, 12)), 10, "transpose"),
        (np.zeros(5), 0, "rate"),
        (np.zeros(5), 44.1, "rate"),
    ],
)
def test_arrays_that_are_no_sound_are_refused(samples, rate, words):
    with pytest.raises(ValueError, match=words):
        Clip(samples, rate)


def test_files_that_are_no_sound_are_refused(tmp_path, tone):
    with pytest.raises(FileNotFoundError, match="no sound file"):
        Clip.load(tmp_path / "missing.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(VampkitError, match="empty"):
        Clip.load(tmp_path / "empty.wav")
    (tmp_path / "text.wav").write_text("this is a letter, not a song\n" * 20)
    with pytest.raises(VampkitError, match="cannot be read as sound"):
        Clip.load(tmp_path / "text.wav")
    Clip(np.zeros((1, 0)), 44_100).save(tmp_path / "none.wav")
    with pytest.raises(VampkitError, match="no samples"):
        Clip.load(tmp_path / "none.wav")
    with pytest.raises(ValueError, match="start earlier"):
        Clip.load(tone.save(tmp_path / "a.wav"), start=9)
    with pytest.raises(ValueError, match="rename"):
        tone.save(tmp_path / "a.mp4")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_a_truncated_file_is_refused(tmp_path, tone, suffix):
    whole = tone.save(tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / f"b{suffix}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VampkitError, match="damaged|cannot be read"):
        Clip.load(tmp_path / f"b{suffix}")


def promising(path, samples):
    """An Ogg file whose last page promises so many samples more than there are, as some encoders write them."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"OggS")
    end = int.from_bytes(data[at + 6 : at + 14], "little") + samples
    data[at + 6 : at + 14], data[at + 22 : at + 26] = end.to_bytes(8, "little"), bytes(4)
    crc = 0
    for byte in data[at:]:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    data[at + 22 : at + 26] = crc.to_bytes(4, "little")
    path.write_bytes(data)


def test_a_file_that_ends_a_little_early_is_read(tmp_path, tone):
    path = tone.save(tmp_path / "a.ogg")
    held = Clip.load(path).samples
    promising(path, 2000)
    whole = Clip.load(path).samples
    assert (
        whole.shape[1] == held.shape[1] + 2000
        and np.array_equal(whole[:, : held.shape[1]], held)
        and not whole[:, -500:].any()
    )
    blocks = FileBlocks(path)
    assert np.array_equal(np.concatenate(list(blocks.blocks()), 1), whole)
    assert np.array_equal(blocks.piece(held.shape[1] - 10, whole.shape[1]), whole[:, -2010:])
    promising(path, 5000)
    for read in (Clip.load, lambda p: list(FileBlocks(p).blocks())):
        with pytest.raises(VampkitError, match="is damaged: it promises"):
            read(path)


def test_bundled_clips_have_makers():
    names = clips()
    assert len(names) >= 18
    for name in names:
        assert load_clip(name).credit, f"{name} has no maker"
    with pytest.raises(FileNotFoundError, match="there are:"):
        load_clip("no such clip")


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_equal_sounds_give_equal_files_at_any_time(tone, tmp_path, suffix):
    first = tone.save(tmp_path / f"a.{suffix}")
    time.sleep(1.1)  # a header may hold the second of its writing
    assert tone.save(tmp_path / f"b.{suffix}").read_bytes() == first.read_bytes()
