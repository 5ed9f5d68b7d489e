"""Vamp and Take: one seed gives one take, prompts survive, bad input gets one sentence."""

import dataclasses
import inspect
import json

import numpy as np
import pytest
import torch

import vampkit
from vampkit.audio import Clip
from vampkit.errors import VampkitError
from vampkit.pipeline import SETTINGS, TakeSettings, Vamp, Windows, devices, load_vamp, take_settings, vamp_file
from vampkit.prompts import (
    Compression,
    Continuation,
    Everything,
    Inpaint,
    Nothing,
    Periodic,
    Prefix,
    Prompt,
    Stretch,
    Suffix,
)
from vampkit.weights import save_model


@pytest.fixture(scope="module")
def tokens(small_codec, tone):
    return small_codec.encode(tone.excerpt(0, 0.6))


SHORT = dict(passes=4, fine_passes=2)


@pytest.mark.parametrize(
    "prompt",
    [
        Compression(1),
        Compression(3),
        Periodic(7),
        Prefix(0.2),
        Suffix(0.2),
        Prefix(0.1) | Suffix(0.1),
        Periodic(5) & Compression(2),
        Everything(),
        Nothing(),
    ],
)
def test_what_is_kept_stays(vamp, tokens, prompt):
    take = vamp.vamp(tokens, prompt, seed=1, **SHORT)
    assert torch.equal(take.tokens.codes[~take.mask], tokens.codes[~take.mask])
    assert take.tokens.codes.shape == tokens.codes.shape and int(take.tokens.codes.max()) < 1024
    assert take.clip.seconds == pytest.approx(0.6, abs=1e-3) and take.clip.rate == 44_100
    assert take.record["hidden"] == pytest.approx(float(take.mask.float().mean()), abs=1e-6)


def test_one_seed_one_take(vamp, tokens):
    a, b, c = (vamp.vamp(tokens, Periodic(7), seed=s, **SHORT).tokens.codes for s in (5, 5, 6))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_a_clip_and_its_tokens_give_the_same(vamp, tone, tokens):
    a = vamp.vamp(tone.excerpt(0, 0.6), Compression(1), seed=3, **SHORT)
    b = vamp.vamp(tokens, Compression(1), seed=3, **SHORT)
    assert torch.equal(a.tokens.codes, b.tokens.codes)


def test_channels_that_are_alike_stay_alike(vamp, tokens):
    both = tokens.replace(codes=torch.stack([tokens.codes, tokens.codes]), gains=(0.0, 0.0), stereo="items")
    take, alone = (vamp.vamp(x, Periodic(7), seed=5, **SHORT) for x in (both, tokens))
    assert take.clip.channels == 2 and torch.equal(take.tokens.codes[0], take.tokens.codes[1])
    assert torch.equal(take.tokens.codes[0], alone.tokens.codes)


def test_fine_windows_of_one_size_cover_everything_once(vamp, tokens):
    """The last window starts earlier, and changes nothing that the one before it made."""
    fine = [at for at in vamp.steps(tokens, Periodic(9), windows=Windows(fine=16), **SHORT) if at.stage == "fine"]
    assert len(fine) == -(-tokens.frames // 16) + 1 and torch.equal(fine[-1].codes[0], fine[-1].take.tokens.codes)
    done = [int((a.codes != b.codes).any(1).nonzero()[:, 1].min()) for a, b in zip(fine, fine[1:-1], strict=False)]
    assert all(first >= 16 * (n + 1) for n, first in enumerate(done)), "a later window changed what an earlier one made"


def test_steps_hide_less_and_less_and_stop_when_nobody_asks(vamp, tokens):
    steps = list(vamp.steps(tokens, Prefix(0.2), seed=3, **SHORT))
    hidden = [int(at.mask.sum()) for at in steps]
    assert hidden == sorted(hidden, reverse=True) and hidden[-1] == 0
    assert [at.stage for at in steps[:4]] == ["coarse"] * 4 and [at.take is None for at in steps] == [True] * (
        len(steps) - 1
    ) + [False]
    assert [at.done for at in steps] == list(range(1, steps[0].total + 1))
    taken = steps[-1].take
    assert torch.equal(taken.tokens.codes, vamp.vamp(tokens, Prefix(0.2), seed=3, **SHORT).tokens.codes)
    asked = []
    for at in vamp.steps(tokens, Nothing(), **SHORT):
        asked.append(at)
        break
    assert len(asked) == 1 and asked[0].mask.any()


def test_takes_in_a_batch_equal_single_runs(vamp, tokens):
    takes = vamp.takes(tokens, Periodic(7), 3, seed=7, **SHORT)
    assert [t.record["seed"] for t in takes] == [7, 8, 9]
    for number, take in enumerate(takes):
        alone = vamp.vamp(tokens, Periodic(7), seed=7 + number, **SHORT)
        assert torch.equal(take.tokens.codes, alone.tokens.codes) and np.array_equal(
            take.clip.samples, alone.clip.samples
        )
        assert take.record == alone.record
    with pytest.raises(ValueError, match="takes"):
        vamp.takes(tokens, Periodic(7), 0)


def test_feedback_takes_the_output_as_the_next_input(vamp, tokens):
    one, three = (vamp.vamp(tokens, Periodic(7), seed=2, feedback=n, roll=1, **SHORT) for n in (1, 3))
    for n, take in ((1, one), (3, three)):
        kept = ~take.mask.any(0)
        assert kept.tolist() == [frame % 7 == 0 and (n == 1 or frame == 0) for frame in range(tokens.frames)]
    # The second turn keeps frames 1, 8 ... as the first one made them, and makes 7, 14 ... anew.
    two = vamp.vamp(tokens, Periodic(7), seed=2, feedback=2, roll=1, **SHORT)
    assert torch.equal(two.tokens.codes[:, 1::7], one.tokens.codes[:, 1::7]) and not torch.equal(
        two.tokens.codes[:, 0::7], tokens.codes[:, 0::7]
    )
    still = vamp.vamp(tokens, Prefix(0.2), seed=2, feedback=2, roll=1, **SHORT)
    assert torch.equal(still.tokens.codes[:, :12], tokens.codes[:, :12]), "a prefix stays"


def test_feedback_keeps_what_the_prompt_keeps_unless_it_is_asked_to_roll(vamp, tokens):
    one, two = (vamp.vamp(tokens, Periodic(7), seed=2, feedback=n, **SHORT) for n in (1, 2))
    for take in (one, two):
        assert torch.equal(take.mask, Periodic(7).mask(tokens))
        assert torch.equal(take.tokens.codes[~take.mask], tokens.codes[~take.mask])
    assert not torch.equal(one.tokens.codes, two.tokens.codes), "the second round makes the rest anew"


def test_takes_mix_by_mask(vamp, tokens):
    a, b = vamp.takes(tokens, Compression(1), 2, seed=1, **SHORT)
    mask = Prefix(0.3).mask(tokens)
    mixed = a.mix(b, mask)
    assert torch.equal(mixed.tokens.codes[~mask], a.tokens.codes[~mask]) and torch.equal(
        mixed.tokens.codes[mask], b.tokens.codes[mask]
    )
    again = vamp.again(json.loads(json.dumps(mixed.record)), tokens)
    assert torch.equal(again.tokens.codes, mixed.tokens.codes) and again.record == mixed.record
    with pytest.raises(ValueError, match="two takes"):
        a.mix(b, mask[:, 1:])
    with pytest.raises(TypeError, match="torch.bool"):
        a.mix(b, mask.int())


@pytest.mark.parametrize("rate, channels", [(44_100, 1), (48_000, 2)])
def test_the_original_is_put_back_where_nothing_is_hidden(vamp, tone, rate, channels):
    sound = tone.excerpt(0, 0.7).resample(rate)
    sound = Clip(np.concatenate([sound.samples, 0.5 * sound.samples])[:channels], rate)
    plain, put = (vamp.vamp(sound, Inpaint(0.2, 0.4), seed=1, restore=r, **SHORT) for r in (False, True))
    frames = (~put.mask.any(0)).nonzero()[:, 0].tolist()
    gap = [f for f in range(put.tokens.frames) if f not in frames]
    first, last, fade = (
        round(gap[0] * 768 * rate / 44_100),
        round((gap[-1] + 1) * 768 * rate / 44_100),
        round(0.01 * rate),
    )
    assert put.clip.samples.shape == sound.samples.shape
    for part in (slice(0, first), slice(last, None)):
        assert np.array_equal(put.clip.samples[:, part], sound.samples[:, part])
    inside = slice(first + fade, last - fade)
    assert np.array_equal(put.clip.samples[0, inside], plain.clip.samples[0, inside])
    step = np.abs(np.diff(put.clip.samples[0, first - 3 : first + 3])).max()
    assert step <= np.abs(np.diff(sound.samples[0])).max() + np.abs(np.diff(plain.clip.samples[0])).max(), (
        "a step at the border"
    )
    ahead = vamp.vamp(sound, Prefix(0.4), seed=1, restore=True, **SHORT).clip
    assert ahead.samples.shape == sound.samples.shape, "the last block, far from what is kept, has all channels too"
    with pytest.raises(ValueError, match="give the clip"):
        vamp.vamp(put.tokens, Prefix(0.2), restore=True, **SHORT)
    with pytest.raises(ValueError, match="moves what it keeps"):
        vamp.vamp(sound, Stretch(2), restore=True, **SHORT)


def test_a_record_makes_its_take_again(vamp, tone, tmp_path):
    sound = tone.excerpt(0, 0.6)
    mask = torch.rand(14, 45, generator=torch.Generator().manual_seed(0)) < 0.7
    for prompt in (Periodic(5) & Compression(2), Continuation(0.2), mask[:, : -(-sound.samples.shape[1] // 768)]):
        settings = dict(seed=4, temperature=0.9, top_p=0.8, feedback=2, windows=Windows(32, 8, 4, 16), **SHORT)
        path = vamp.vamp(sound, prompt, **settings).save(tmp_path / "take.wav")
        again = vamp.again(path.with_suffix(".json"), sound)
        assert np.array_equal(again.clip.samples, Clip.load(path).samples)
        assert json.loads(path.with_suffix(".json").read_text()) == json.loads(json.dumps(again.record))
    with pytest.raises(VampkitError, match="made with weights"):
        vamp.again(again.record | {"weights": "0" * 16}, sound)
    with pytest.raises(VampkitError, match="format"):
        vamp.again({"format": "song/1"}, sound)
    with pytest.raises(FileNotFoundError, match="no file"):
        vamp.again(tmp_path / "none.json", sound)


def test_progress_counts_to_the_end(vamp, tokens):
    seen = []
    vamp.vamp(tokens, Periodic(7), progress=lambda done, total: seen.append((done, total)), **SHORT)
    assert [d for d, _ in seen] == list(range(1, len(seen) + 1)) and seen[-1][0] == seen[-1][1]


def test_fine_passes_are_a_third_of_the_coarse_ones_where_none_are_said():
    assert [take_settings(passes=n).fine.passes for n in (1, 4, 8, 12, 36, 72)] == [1, 1, 3, 4, 12, 24]
    assert take_settings(passes=36, fine_passes=1).fine.passes == 1
    for wrong, what in (
        (dict(passes=0), "^passes is 0"),
        (dict(fine_passes=0), "in the fine run, passes is 0"),
        (dict(feedback=True), "feedback is True"),
    ):
        with pytest.raises(ValueError, match=what):
            take_settings(**wrong)


def test_settings_are_nested_flat_and_in_records_the_same():
    flat = dict(seed=3, passes=8, fine_passes=2, temperature=0.9, mask_temperature=3.0, schedule="linear", top_k=7)
    flat |= dict(cutoff=0.5, feedback=2, roll=4, restore=True, windows=Windows(60, 20, 8, 50))
    settings = take_settings(**flat)
    assert settings.coarse.schedule == settings.fine.schedule == "linear" and settings.fine.mask_temperature == 0.0
    assert settings.flat() == take_settings().flat() | flat and take_settings(**settings.flat()) == settings
    assert TakeSettings.of(json.loads(json.dumps(dataclasses.asdict(settings)))) == settings
    assert take_settings() == TakeSettings()


@pytest.mark.parametrize("call", [Vamp.vamp, Vamp.takes, Vamp.steps, Vamp.stream, vamp_file])
def test_signatures_name_every_setting_with_its_default(call):
    given = inspect.signature(call).parameters
    assert {s.name: given[s.name].default for s in SETTINGS} == {s.name: s.default for s in SETTINGS}
    assert not [p for p in given.values() if p.kind is inspect.Parameter.VAR_KEYWORD]
    assert all(s.text.split(":")[0].split(".")[0] in " ".join(call.__doc__.split()) for s in SETTINGS)
    with pytest.raises(TypeError, match="there is no setting 'pases'"):
        take_settings(pases=3)


def test_the_mask_schedule_reaches_both_runs(vamp, tokens):
    for at in vamp.steps(tokens, Nothing(), schedule="root", passes=4, fine_passes=1):
        if at.done == 1:
            assert int(at.mask[:, :4].sum()) == 4 * tokens.frames // 2, (
                "root frees half of the tokens in the first pass"
            )
    made = (vamp.vamp(tokens, Nothing(), schedule=s, **SHORT).tokens.codes for s in ("cosine", "root"))
    assert not torch.equal(*made)


def test_takes_are_saved_with_their_record(vamp, tokens, tmp_path):
    take = vamp.vamp(tokens, Prefix(0.2), seed=4, **SHORT)
    path = take.save(tmp_path / "take.wav")
    record = json.loads(path.with_suffix(".json").read_text())
    assert (
        record["seed"] == 4
        and record["coarse"]["passes"] == 4
        and eval(record["python"]) == Prompt.from_json(record["prompt"]) == Prefix(0.2)
        and record["codec"] == vamp.codec.hash
    )


def test_records_say_which_version_made_them_and_older_ones_are_read(vamp, tokens):
    take, other = (vamp.vamp(tokens, Prefix(0.2), seed=seed, **SHORT) for seed in (4, 5))
    mixed = take.mix(other, take.mask)
    for made in (take, mixed):
        assert made.record["vampkit"] == vampkit.__version__
    older = {name: value for name, value in take.record.items() if name != "vampkit"}
    for record in (older, take.record | {"vampkit": "0.0.1"}):
        again = vamp.again(record, tokens)
        assert torch.equal(again.tokens.codes, take.tokens.codes) and again.record == take.record


def test_bad_input_gets_one_sentence(vamp, tokens):
    with pytest.raises(ValueError, match="pass"):
        vamp.vamp(tokens, Periodic(7), passes=0)
    with pytest.raises(TypeError, match="loudness"):
        vamp.vamp(tokens, Periodic(7), loudness=3)
    with pytest.raises(ValueError, match="shape"):
        vamp.vamp(tokens, torch.ones(14, 3, dtype=torch.bool))
    with pytest.raises(TypeError, match="torch.bool"):
        vamp.vamp(tokens, torch.ones(14, tokens.frames))
    with pytest.raises(VampkitError, match="made by codec"):
        vamp.vamp(tokens.replace(codec="someone else"), Periodic(7))
    with pytest.raises(FileNotFoundError, match="no model called"):
        load_vamp("enormous")
    with pytest.raises(ValueError, match="one of auto, cpu, cuda"):
        load_vamp("tiny", device="gpu")
    with pytest.raises(VampkitError, match="fit together"):
        Vamp(vamp.codec, vamp.fine, vamp.coarse)


def test_all_parts_lie_on_the_device_asked_for():
    moved = load_vamp("tiny", device="auto")
    assert {part.device.type for part in (moved.codec, moved.coarse.tables, moved.fine.tables)} == {
        devices.chosen("auto")
    }


def test_a_folder_of_weights_is_a_pipeline(vamp, tokens, tmp_path):
    vamp.codec.save(tmp_path / "codec.safetensors", dtype=torch.float32)
    save_model(vamp.coarse, tmp_path / "coarse.safetensors", vamp.codec.hash)
    save_model(vamp.fine, tmp_path / "fine.safetensors", vamp.codec.hash)
    again = load_vamp(tmp_path)
    a, b = (again.vamp(tokens, Periodic(7), seed=2, **SHORT) for _ in range(2))
    assert torch.equal(a.tokens.codes, b.tokens.codes) and again.codec.hash == vamp.codec.hash
    torch.save(vamp.coarse.state_dict(), tmp_path / "coarse.safetensors")
    with pytest.raises(VampkitError, match="pickle"):
        load_vamp(tmp_path)


def test_the_bundled_pipeline(tone):
    """The weights in the package fit together, and keep to their size."""
    from vampkit.weights.models import models_folder

    tiny = load_vamp("tiny")
    take = tiny.vamp(tone.excerpt(0, 0.5), Periodic(7), seed=0, passes=4, fine_passes=1)
    assert take.clip.seconds == pytest.approx(0.5, abs=1e-3) and take.clip.peak() < 6
    for name in ("codec", "coarse", "fine"):
        assert (models_folder() / f"{name}.safetensors").stat().st_size < 12 * 2**20
        assert (models_folder() / f"{name}.md").is_file(), f"{name} has no card"


def test_the_pitch_of_the_input_is_shifted(vamp, tone, tmp_path):
    clip = tone.excerpt(0, 1.0)
    take = vamp.vamp(clip, Periodic(1), pitch_shift=12, **SHORT)
    plain = vamp.vamp(clip, Periodic(1), **SHORT)
    assert take.record["pitch_shift"] == 12 and "pitch_shift" not in plain.record
    assert not torch.equal(take.original.codes, plain.original.codes) and take.clip.seconds == plain.clip.seconds
    assert torch.equal(vamp.again(take.record, clip).tokens.codes, take.tokens.codes)
    path = clip.save(tmp_path / "in.wav")
    vamp_file(vamp, path, tmp_path / "out.wav", Periodic(1), pitch_shift=12, **SHORT)
    assert TakeSettings.of(take.record).pitch_shift == 12
    with pytest.raises(ValueError, match="only tokens were given"):
        vamp.vamp(take.tokens, Periodic(1), pitch_shift=1, **SHORT)
    with pytest.raises(ValueError, match="-24 to 24"):
        vamp.vamp(clip, Periodic(1), pitch_shift=30, **SHORT)


def test_a_shift_of_an_octave_doubles_the_pitch():
    from vampkit.pipeline.source import shifted

    t = np.arange(44_100) / 44_100
    clip = Clip((0.3 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)[None], 44_100)
    spectrum = np.abs(np.fft.rfft(shifted(clip, 12).samples[0]))
    assert abs(int(spectrum.argmax()) - 440) <= 2
    assert shifted(clip, 0) is clip
