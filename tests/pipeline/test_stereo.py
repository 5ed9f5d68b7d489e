"""Stereo stays stereo: equal channels to the bit, the width of real music, every prompt with restore, exact lengths."""

import numpy as np
import pytest
import torch

from vampkit.audio import Clip, clips, load_clip
from vampkit.audio import blocks as sound_blocks
from vampkit.pipeline import vamp_file
from vampkit.pipeline.source import Source
from vampkit.prompts import (
    Beats,
    Compression,
    Continuation,
    Everything,
    Inpaint,
    Loop,
    Nothing,
    Outpaint,
    Periodic,
    Prefix,
    Random,
    Suffix,
)
from vampkit.weights import load_codec

QUICK = dict(passes=2, fine_passes=1)


def width(samples):
    """The energy of the side against that of the mid, in dB."""
    mid, side = samples[0] + samples[1], samples[0] - samples[1]
    return 10 * np.log10(np.square(side).mean() / np.square(mid).mean())


@pytest.fixture(scope="module")
def stereo(tone):
    sound = tone.excerpt(0, 0.7).samples
    return Clip(np.concatenate([sound, 0.4 * sound[:, ::-1]]), tone.rate, "two")


@pytest.mark.parametrize("how", ["mid-side", "items"])
@pytest.mark.parametrize("prompt", [Periodic(7), Nothing(), Compression(1), Continuation(0.3), Loop(seconds=0.5)])
def test_equal_channels_stay_equal_to_the_bit(vamp, tone, how, prompt):
    one = tone.excerpt(0, 0.7)
    two = Clip(np.repeat(one.samples, 2, 0), one.rate)
    take, alone = (vamp.vamp(x, prompt, seed=3, stereo=how, **QUICK) for x in (two, one))
    assert take.clip.channels == 2 and np.array_equal(take.clip.samples[0], take.clip.samples[1])
    if how == "mid-side":
        assert np.array_equal(take.clip.samples[0], alone.clip.samples[0]), "and equal to the take of one of them"


def test_the_mid_of_a_stereo_take_is_the_take_of_the_mix(vamp, stereo):
    both, mix = (vamp.vamp(x, Periodic(7), seed=3, **QUICK).tokens for x in (stereo, stereo.mono()))
    assert torch.equal(both.codes[0], mix.codes) and both.codes.shape[0] == 2
    asked = vamp.vamp(stereo, Periodic(7), seed=3, stereo="mix", **QUICK)
    assert asked.clip.channels == 1 and torch.equal(asked.tokens.codes, mix.codes)


@pytest.mark.parametrize(
    "prompt",
    [
        Periodic(7),
        Prefix(0.3),
        Suffix(0.2),
        Inpaint(0.2, 0.4),
        Compression(1),
        Beats(beats=[0.1, 0.5]),
        Nothing(),
        Everything(),
        Random(0.7),
        Continuation(0.2),
        Outpaint(0.2, 0.2),
    ],
)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_every_prompt_restores_both_channels(vamp, stereo, prompt, rate, tmp_path, monkeypatch):
    monkeypatch.setattr(sound_blocks, "SIZE", 9000)
    sound = Clip(stereo.samples, rate)
    take = vamp.vamp(sound, prompt, seed=1, restore=True, **QUICK)
    path = vamp_file(vamp, sound.save(tmp_path / "in.wav"), tmp_path / "out.wav", prompt, seed=1, restore=True, **QUICK)
    made = Clip.load(path)
    assert take.clip.channels == made.channels == 2 and made.samples.shape == take.clip.samples.shape
    if isinstance(prompt, Everything):
        assert np.array_equal(take.clip.samples, sound.samples) and np.array_equal(made.samples, sound.samples)


@pytest.mark.parametrize("rate", [8000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000])
@pytest.mark.parametrize("more", [0, 1, 7])
def test_the_length_is_exact_at_every_rate(vamp, tone, rate, more):
    for channels in (1, 2):
        sound = Clip(np.repeat(tone.samples[:, : 30_011 + more], channels, 0) * [[1.0]] * channels, rate)
        sound = Clip(sound.samples * np.array([[1.0], [0.5]][:channels]), rate)
        tokens = vamp.codec.encode(sound, "mid-side")
        assert vamp.codec.decode(tokens).samples.shape == sound.samples.shape
        assert sum(b.shape[1] for b in vamp.codec.decode_blocks(tokens, [tokens.batch])) == sound.samples.shape[1]


def test_three_channels_are_items_and_a_file_gives_what_its_clip_gives(vamp, tone, tmp_path):
    three = Clip(tone.samples[:, :60_000] * np.array([[1.0], [0.5], [0.2]]), tone.rate)
    path = three.save(tmp_path / "three.wav")
    made, whole = Source.of(path, vamp.codec).tokens, vamp.codec.encode(three, "mid-side")
    assert made.codes.shape == whole.codes.shape and len(made.codes) == 3
    assert made.gains == pytest.approx(whole.gains, abs=1e-6)
    assert vamp.vamp(path, Periodic(7), **QUICK).clip.samples.shape == three.samples.shape


def test_twelve_clips_keep_their_width_through_the_codec():
    codec, seen = load_codec("tiny"), 0
    for name in clips():
        if (sound := load_clip(name)).channels == 2:
            sound, seen = sound.excerpt(2, 2), seen + 1
            made = codec.decode(codec.encode(sound, "mid-side"))
            assert abs(width(made.samples) - width(sound.samples)) < 1, name
    assert seen == 12


def test_items_that_are_no_channels_have_noise_of_their_own(vamp, tone):
    """A batch of excerpts is filled in as if each were alone; the channels of a sound are not."""
    tokens = vamp.codec.encode(tone.excerpt(0, 0.5))
    batch = tokens.replace(codes=tokens.codes.repeat(2, 1, 1), gains=tokens.gains * 2)
    apart, channels = (
        vamp.vamp(t, Nothing(), seed=3, **QUICK).tokens.codes for t in (batch, batch.replace(stereo="items"))
    )
    assert not torch.equal(apart[0], apart[1]) and torch.equal(channels[0], channels[1])
    assert torch.equal(apart[0], vamp.vamp(tokens, Nothing(), seed=3, **QUICK).tokens.codes)
