"""Following controls: nothing changes without one, what is told changes the take, and records make it again."""

import json

import numpy as np
import pytest
import torch

from vampkit.controls import AdapterConfig, Adapters, Following, Loudness, Rhythm
from vampkit.errors import VampkitError
from vampkit.pipeline import Vamp, Windows, load_vamp, vamp_file
from vampkit.pipeline.follow import Follow, load_controls, save_controls
from vampkit.pipeline.windows import Window
from vampkit.prompts import Loop, Nothing, Periodic, Stretch
from vampkit.sampling import Settings, sample
from vampkit.weights import save_model

SHORT = dict(passes=4, fine_passes=1, seed=3)
SMALL = AdapterConfig(layers=1, width=32, hidden=16, reading=8, kernels=(5, 3))


def adapters(seed=0, zero=False):
    torch.manual_seed(seed)
    made = Adapters(SMALL)
    if not zero:
        for layer in made.up:
            torch.nn.init.normal_(layer.weight, std=0.3)
    return made.eval().requires_grad_(False)


def both(seed=0):
    return torch.nn.ModuleDict({"coarse": adapters(seed), "fine": adapters(seed + 10)})


@pytest.fixture
def followed(vamp):
    return Vamp(vamp.codec, vamp.coarse, vamp.fine, controls=both())


@pytest.fixture(scope="module")
def tokens(small_codec, tone):
    return small_codec.encode(tone.excerpt(0, 0.6))


def taps(seconds=0.61, *times):
    return Rhythm.of_times(times or (0.1, 0.3, 0.5), seconds)


def test_an_untrained_adapter_changes_nothing(vamp, tokens):
    model = Following(vamp.coarse, adapters(zero=True), torch.randn(1, 19, 20))
    codes, mask = tokens.codes[None, :4, :20], torch.ones(1, 4, 20, dtype=torch.bool)
    with torch.inference_mode():
        for hidden_only in (False, True):
            assert torch.equal(model(codes, mask, hidden_only), vamp.coarse(codes, mask, hidden_only))


def test_the_fine_model_follows_where_it_has_adapters(vamp, followed, tokens):
    only = Vamp(vamp.codec, vamp.coarse, vamp.fine, controls=torch.nn.ModuleDict({"coarse": adapters()}))
    one, two = (v.vamp(tokens, Periodic(7), follow=[taps()], **SHORT).tokens.codes for v in (only, followed))
    assert torch.equal(one[:4], two[:4]) and not torch.equal(one[4:], two[4:])


def test_guidance_of_one_is_the_usual_and_another_goes_further(vamp, tokens):
    codes, mask = tokens.codes[None, :4, :20], torch.ones(1, 4, 20, dtype=torch.bool)
    curves = torch.randn(1, 19, 20)
    with torch.inference_mode():
        plain = vamp.coarse(codes, mask)
        told, twice = (Following(vamp.coarse, adapters(), curves, guidance=w)(codes, mask) for w in (1, 2))
    assert torch.allclose(twice - plain, 2 * (told - plain), atol=1e-4) and not torch.equal(twice, told)


def test_guidance_is_in_the_record_of_what_follows_alone(followed, tokens):
    settings = SHORT | dict(guidance=1.5)
    told = followed.vamp(tokens, Periodic(7), follow=[taps()], **settings)
    usual = followed.vamp(tokens, Periodic(7), follow=[taps()], **SHORT)
    assert told.record["guidance"] == 1.5 and not torch.equal(told.tokens.codes, usual.tokens.codes)
    assert torch.equal(followed.again(told.record, tokens).tokens.codes, told.tokens.codes)
    assert "guidance" not in followed.vamp(tokens, Periodic(7), **settings).record


def test_a_strength_of_zero_follows_nothing(vamp, followed, tokens):
    plain = vamp.vamp(tokens, Periodic(7), **SHORT)
    assert torch.equal(
        followed.vamp(tokens, Periodic(7), follow=[taps()], strength=0, **SHORT).tokens.codes, plain.tokens.codes
    )


def test_without_a_control_every_take_is_as_before(vamp, followed, tokens):
    plain = vamp.vamp(tokens, Periodic(7), **SHORT)
    same = followed.vamp(tokens, Periodic(7), **SHORT)
    assert torch.equal(same.tokens.codes, plain.tokens.codes) and same.record == plain.record
    assert not {"follow", "strength"} & set(plain.record)


def test_a_control_changes_what_is_hidden_alone(followed, tokens):
    plain, told = (followed.vamp(tokens, Periodic(7), follow=f, **SHORT) for f in ((), [taps()]))
    assert not torch.equal(told.tokens.codes, plain.tokens.codes)
    assert torch.equal(told.tokens.codes[~told.mask], tokens.codes[~told.mask])
    other = followed.vamp(tokens, Periodic(7), follow=[taps(0.61, 0.2)], **SHORT)
    assert not torch.equal(told.tokens.codes, other.tokens.codes)


def test_the_curves_reach_only_near_frames_in_an_adapter():
    made, curves = adapters(), torch.zeros(1, 19, 40)
    moved = curves.clone()
    moved[..., 20] = 1
    changed = (made.read(moved) - made.read(curves)).abs().sum((0, 2)) > 0
    assert changed.nonzero()[:, 0].tolist() == list(range(17, 24))  # kernels of 5 and 3


def test_in_a_circle_the_last_frame_is_next_to_the_first():
    made, curves = adapters(), torch.randn(1, 19, 30)
    assert torch.allclose(made.read(curves, True).roll(7, 1), made.read(curves.roll(7, -1), True), atol=1e-6)


def test_a_record_makes_the_take_again(followed, tokens, tmp_path):
    take = followed.vamp(tokens, Periodic(7), follow=[taps(), Loudness(np.zeros(40))], strength=1.5, **SHORT)
    record = json.loads(json.dumps(take.record))
    assert record["strength"] == 1.5 and [c["control"] for c in record["follow"]] == ["rhythm", "loudness"]
    again = followed.again(record, tokens)
    assert torch.equal(again.tokens.codes, take.tokens.codes) and again.record == take.record


def test_a_record_names_its_adapters(vamp, followed, tokens):
    record = followed.vamp(tokens, Periodic(7), follow=[taps()], **SHORT).record
    other = Vamp(vamp.codec, vamp.coarse, vamp.fine, controls=both(seed=1))
    for wrong in (other, vamp):
        with pytest.raises(VampkitError, match="controls"):
            wrong.again(record, tokens)


def test_steps_stream_and_files_follow_alike(followed, tone, tmp_path):
    clip, settings = tone.excerpt(0, 0.6), SHORT | dict(follow=[taps()])
    take = followed.vamp(clip, Periodic(7), **settings)
    *_, last = followed.steps(clip, Periodic(7), **settings)
    assert torch.equal(last.take.tokens.codes, take.tokens.codes)
    streamed = np.concatenate([block.samples for block in followed.stream(clip, Periodic(7), **settings)], 1)
    assert np.allclose(streamed, take.clip.samples, atol=1e-5)
    first, second = followed.takes(clip, Periodic(7), 2, **settings)
    assert torch.equal(first.tokens.codes, take.tokens.codes) and not torch.equal(
        second.tokens.codes, take.tokens.codes
    )
    path = vamp_file(followed, clip.save(tmp_path / "in.wav"), tmp_path / "out.wav", Periodic(7), **settings)
    assert "follow" in json.loads(path.with_suffix(".json").read_text())


def test_each_window_is_told_its_own_part(followed):
    rhythm = Rhythm.of_times([1.0], 2.0)
    follow = Follow(followed.controls, [rhythm], 115)
    inside = follow.within("coarse", followed.coarse, Window(50, 70, 55, 70)).curves
    assert inside.shape == (1, 19, 20) and torch.equal(inside[0, :3], torch.from_numpy(rhythm.curve[:, 50:70].copy()))
    around = follow.within("coarse", followed.coarse, Window(-5, 15, 0, 15)).curves
    assert torch.equal(around[0], follow.curves[:, torch.arange(-5, 15) % 115])


def test_long_sounds_and_loops_follow(followed, tone):
    windows = Windows(coarse=40, coarse_context=10, coarse_ahead=5, fine=40)
    clip = tone.excerpt(0, 1.2)
    for prompt, seconds in ((Nothing(), 1.21), (Loop(0.8), 0.81)):
        told = followed.vamp(clip, prompt, follow=[taps(seconds)], windows=windows, **SHORT)
        plain = followed.vamp(clip, prompt, windows=windows, **SHORT)
        assert not torch.equal(told.tokens.codes, plain.tokens.codes)


def test_the_curve_belongs_to_the_result(followed, tone):
    with pytest.raises(ValueError, match="1.2. s were expected"):
        followed.vamp(tone.excerpt(0, 0.6), Stretch(2), follow=[taps()], **SHORT)


def test_a_model_without_controls_says_so(vamp, tokens):
    with pytest.raises(VampkitError, match="cannot follow; train some"):
        vamp.vamp(tokens, Periodic(7), follow=[taps()], **SHORT)
    with pytest.raises(ValueError, match="strength is -1"):
        vamp.vamp(tokens, Periodic(7), strength=-1, **SHORT)


def test_saved_adapters_are_found_beside_the_models(followed, vamp, tokens, tmp_path):
    followed.codec.save(tmp_path / "codec.safetensors", dtype=torch.float32)
    for name in ("coarse", "fine"):
        save_model(getattr(vamp, name), tmp_path / f"{name}.safetensors", vamp.codec.hash)
    loaded = load_vamp(tmp_path)
    assert loaded.controls is None
    models = {"coarse": loaded.coarse, "fine": loaded.fine}
    save_controls(followed.controls, tmp_path / "controls.safetensors", models)
    loaded = load_vamp(tmp_path)
    assert loaded.vamp(tokens, Periodic(7), follow=[taps()], **SHORT).clip.seconds > 0.5
    with pytest.raises(VampkitError, match="was trained for the coarse model"):
        load_controls(tmp_path / "controls.safetensors", {"coarse": vamp.fine, "fine": vamp.fine})
    with pytest.raises(VampkitError, match="which is not known"):
        load_controls(tmp_path / "controls.safetensors", {"fine": loaded.fine})


def test_the_sampling_loop_takes_a_following_model(vamp, tokens):
    model = Following(vamp.coarse, adapters(), torch.zeros(1, 19, tokens.frames))
    codes, mask = tokens.codes[None, :4], torch.ones(1, 4, tokens.frames, dtype=torch.bool)
    *_, last = sample(model, codes, mask, [1], Settings(passes=3))
    assert not last.mask.any()


def test_saved_adapters_add_nearly_the_same(vamp, tmp_path):
    torch.manual_seed(4)
    made = adapters()
    for layer in (*made.down, *made.convolutions):
        torch.nn.init.normal_(layer.weight, std=0.2)
    models = {"coarse": vamp.coarse}
    loaded = load_controls(save_controls({"coarse": made}, tmp_path / "controls.safetensors", models), models)["coarse"]
    x, curves = torch.randn(1, 50, 32), torch.randn(1, 19, 50)
    a, b = (m.change(0, x, m.read(curves)) for m in (made, loaded))
    assert (a - b).norm() < 0.02 * a.norm()
    again = save_controls({"coarse": loaded}, tmp_path / "again.safetensors", models)
    assert again.stat().st_size < sum(w.numel() for w in made.state_dict().values()) * 2


def test_the_bundled_adapters_hold_the_rhythm_of_a_clip():
    """A few passes are enough to hear it: more onsets of the original come back than without."""
    from vampkit import load_clip, metrics

    tiny = load_vamp("tiny")
    clip = load_clip("composed-house").excerpt(4, 5)
    rhythm, settings = Rhythm(clip), dict(passes=8, fine_passes=1, seed=1)
    plain, told = (tiny.vamp(clip, Periodic(16), follow=f, **settings).clip for f in ((), rhythm))
    assert metrics.onset_f(clip, told) > metrics.onset_f(clip, plain) + 0.1
