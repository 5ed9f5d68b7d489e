"""Training control adapters: examples are told the truth, rough curves stay curves, runs resume and reach a file."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from vampkit.controls import Control, Following
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.pipeline import load_vamp
from vampkit.pipeline.follow import load_controls
from vampkit.train.controls import CONTROL_PRESETS, ControlTraining, train_controls
from vampkit.train.followed import Followed, followed
from vampkit.train.rough import GIVEN, rough

PRESET = dataclasses.replace(CONTROL_PRESETS["coarse"]["ci"], frames=40)


@pytest.fixture(scope="module")
def base(small_codec):
    torch.manual_seed(0)
    config = ModelConfig(codebooks=4, layers=2, width=32, heads=4, dropout=0.0)
    return MaskedTransformer(config, small_codec.tables[:4]).eval().requires_grad_(False)


def pieces(count=3, frames=120, seed=0):
    """Tokens that change where the rhythm has a peak, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    codes, curves = [], []
    for _ in range(count):
        strokes = rng.random(frames) < 0.1
        values = rng.random((16, frames)).astype(np.float32) * 0.3
        values[:3, strokes] = 4
        codes.append(torch.from_numpy(np.where(strokes, 7, 500)[None].repeat(4, 0)))
        curves.append(values)
    return Followed(codes, curves)


def test_it_learns_what_it_is_told_and_leaves_the_model_alone(base, tmp_path):
    before = {name: value.clone() for name, value in base.state_dict().items()}
    preset = dataclasses.replace(PRESET, steps=60, batch=4, hidden=16, reading=16, check_every=100)
    training = ControlTraining(preset, base, "coarse", pieces(), pieces(2, seed=1), tmp_path, "cpu")
    path = training.run()
    last = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()][-1]
    assert last["rhythm_1.0"] < last["none_1.0"] - 0.5 and last["all_1.0"] < last["none_1.0"] - 0.5
    assert all(torch.equal(value, before[name]) for name, value in base.state_dict().items())
    assert load_controls(path, {"coarse": base})["coarse"].config.hidden == 16


def test_a_run_that_was_stopped_gives_the_same_weights(base, tmp_path):
    whole = ControlTraining(PRESET, base, "coarse", pieces(), pieces(1), tmp_path / "whole", "cpu")
    whole.run()
    stopped = ControlTraining(PRESET, base, "coarse", pieces(), pieces(1), tmp_path / "stopped", "cpu")
    assert stopped.run(minutes=0) is None
    stopped.train_step()
    stopped.step += 1
    stopped.save()
    again = ControlTraining(PRESET, base, "coarse", pieces(), pieces(1), tmp_path / "stopped", "cpu")
    assert again.step == 1
    again.run()
    for name, value in whole.average.state.items():
        assert torch.equal(value, again.average.state[name])


def test_another_model_or_preset_is_refused(base, tmp_path):
    ControlTraining(PRESET, base, "coarse", pieces(), pieces(1), tmp_path, "cpu").run()
    with pytest.raises(VampkitError):
        ControlTraining(dataclasses.replace(PRESET, batch=4), base, "coarse", pieces(), pieces(1), tmp_path, "cpu")
    with pytest.raises(ValueError, match="120 frames long|120 frames|no piece is 500 frames long"):
        pieces().crop(500, np.random.default_rng(0))


def test_a_run_begins_with_the_adapters_it_is_given(base, tmp_path):
    path = ControlTraining(PRESET, base, "coarse", pieces(), pieces(1), tmp_path / "first", "cpu").run()
    first = load_controls(path, {"coarse": base})["coarse"]
    options = (base, "coarse", pieces(), pieces(1))
    second = ControlTraining(PRESET, *options, tmp_path / "second", "cpu", first)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])
    wide = dataclasses.replace(PRESET, hidden=2 * PRESET.hidden)
    with pytest.raises(VampkitError, match="another shape"):
        ControlTraining(wide, *options, tmp_path / "third", "cpu", first)


def test_what_adapters_with_guidance_are_compared_by_gives_their_own_logits_when_guided(base, tmp_path):
    preset = dataclasses.replace(PRESET, guidance=3.0)
    training = ControlTraining(preset, base, "coarse", pieces(), pieces(1), tmp_path, "cpu")
    for layer in training.model.up:
        torch.nn.init.normal_(layer.weight)
    codes, mask, told = training._held_out(0, 0.9, ("rhythm",))
    with torch.no_grad():
        compared = training._logits(training.model, codes, mask, told)
        untold = base(codes, mask, hidden_only=True)
        own = Following(base, training.model, told)(codes, mask, hidden_only=True)
    assert not torch.allclose(compared, own, atol=0.1)
    assert torch.allclose(untold + 3 * (compared - untold), own, atol=1e-4)


def test_most_tokens_are_hidden_in_as_many_examples_as_asked(base, tmp_path):
    for high, least in ((0.0, 0.0), (1.0, 0.75)):
        preset = dataclasses.replace(PRESET, high=high, prompted=0.0)
        training = ControlTraining(preset, base, "coarse", pieces(), pieces(1), tmp_path / str(high), "cpu")
        shares = [float(training.example(number, 0.3)[1].float().mean()) for number in range(20)]
        assert (min(shares) > least) and (high or max(shares) < 0.5)


def test_rough_curves_are_curves_in_range():
    values, flags = pieces(1, 200).curves[0], []
    for number in range(200):
        told = rough(values, np.random.default_rng(number))
        assert told.shape == (19, 200) and told.dtype == np.float32 and np.isfinite(told).all()
        place = 0
        for row, kind in enumerate(Control.kinds.values()):
            part = told[place : place + kind.channels]
            assert part.min() >= kind.low and part.max() <= kind.high
            assert told[16 + row, 0] or not part.any()
            place += kind.channels
        flags.append(told[16:, 0])
    assert np.allclose(np.mean(flags, 0), list(GIVEN.values()), atol=0.12) and np.max(flags, 1).all()


def test_the_rhythm_of_the_drums_stands_for_that_of_the_piece(base, tmp_path):
    one = pieces(1)
    drums = Followed(one.codes, one.curves, [np.full((3, 120), 5, np.float32)])
    (_, whole), (_, alone) = (drums.crop(50, np.random.default_rng(0), share) for share in (0.0, 1.0))
    assert (alone[:3] == 5).all() and not (whole[:3] == 5).all() and np.array_equal(alone[3:], whole[3:])


def test_adapters_of_a_fine_model_never_hide_what_it_is_given(small_codec, tmp_path):
    config = ModelConfig(codebooks=6, conditioning=4, layers=1, width=32, heads=4, dropout=0.0)
    fine = MaskedTransformer(config, small_codec.tables[:6]).eval().requires_grad_(False)
    music = Followed([codes.repeat(2, 1) for codes in pieces().codes], pieces().curves)
    training = ControlTraining(PRESET, fine, "fine", music, music, tmp_path, "cpu")
    for number in range(20):
        codes, mask, _ = training.example(number, 0.9)
        assert len(codes) == 6 and not mask[:4].any() and mask[4:].any()
    assert training.run() is not None


def test_music_is_encoded_once(small_codec, tone, tmp_path):
    (tmp_path / "music" / "artist").mkdir(parents=True)
    tone.save(tmp_path / "music" / "artist" / "piece.wav")
    made = followed(small_codec, tmp_path / "store", recordings=tmp_path / "music")
    assert [tuple(c.shape) for c in made.codes] == [(14, 115)] and made.curves[0].shape == (16, 115)
    path = tmp_path / "store" / "artist-piece.safetensors"
    written = path.stat().st_mtime_ns
    again = followed(small_codec, tmp_path / "store", recordings=tmp_path / "music")
    assert torch.equal(again.codes[0], made.codes[0]) and path.stat().st_mtime_ns == written
    with pytest.raises(VampkitError, match="no music"):
        followed(small_codec, tmp_path / "empty")


def test_the_ci_preset_trains_from_nothing(tmp_path):
    path = train_controls("ci", out=tmp_path)
    assert path == tmp_path / "controls.safetensors"
    tiny = load_vamp("tiny")
    loaded = load_controls(path, {"coarse": tiny.coarse, "fine": tiny.fine})
    assert [loaded[name].config.hidden for name in ("coarse", "fine")] == [8, 8]
    with pytest.raises(ValueError, match="no controls preset"):
        train_controls("huge", out=tmp_path)
