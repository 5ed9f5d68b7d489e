"""Vamp and Take: one seed gives one take, prompts survive, bad input gets one sentence."""

import json

import pytest
import torch

import vampkit.pipeline as pipeline
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.pipeline import Vamp, load_vamp
from vampkit.prompts import Compression, Everything, Nothing, Periodic, Prefix, Suffix
from vampkit.weights import save_model


def small(codec, codebooks, conditioning, seed):
    torch.manual_seed(seed)
    return MaskedTransformer(ModelConfig(codebooks=codebooks, conditioning=conditioning, layers=1, width=32, heads=4), codec.tables[:codebooks]).eval()


@pytest.fixture(scope="module")
def vamp(small_codec):
    return Vamp(small_codec, small(small_codec, 4, 0, 1), small(small_codec, 14, 4, 2))


@pytest.fixture(scope="module")
def tokens(small_codec, tone):
    return small_codec.encode(tone.excerpt(0, 0.6))


SHORT = dict(passes=4, fine_passes=2)


@pytest.mark.parametrize(
    "prompt",
    [Compression(1), Compression(3), Periodic(7), Prefix(0.2), Suffix(0.2), Prefix(0.1) | Suffix(0.1), Periodic(5) & Compression(2), Everything(), Nothing()],
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


def test_stereo_items_are_takes_of_their_own(vamp, tokens):
    both = tokens.replace(codes=torch.stack([tokens.codes, tokens.codes]), gains=(0.0, 0.0))
    take = vamp.vamp(both, Periodic(7), seed=5, **SHORT)
    assert take.clip.channels == 2 and not torch.equal(take.tokens.codes[0], take.tokens.codes[1])


def test_windows_of_the_fine_model_cover_everything_once(vamp, tokens, monkeypatch):
    monkeypatch.setattr(pipeline, "FINE_WINDOW", 16)
    steps, mask = [], Periodic(9).mask(tokens)
    for codes in vamp.fine_steps(tokens.batch, mask[None], seeds=[1], passes=2):
        steps.append(codes.clone())
    assert len(steps) == -(-tokens.frames // 16)
    kept = ~mask
    kept[:4] = True
    assert torch.equal(steps[-1][0][kept], tokens.codes[kept])
    done = [int((a != b).any(1).nonzero()[:, 1].min()) for a, b in zip(steps, steps[1:], strict=False)]
    assert all(first >= 16 * (n + 1) for n, first in enumerate(done)), "a later window changed what an earlier one made"


def test_progress_counts_to_the_end(vamp, tokens):
    seen = []
    vamp.vamp(tokens, Periodic(7), progress=lambda done, total: seen.append((done, total)), **SHORT)
    assert [d for d, _ in seen] == list(range(1, len(seen) + 1)) and seen[-1][0] == seen[-1][1]


def test_takes_are_saved_with_their_record(vamp, tokens, tmp_path):
    take = vamp.vamp(tokens, Prefix(0.2), seed=4, **SHORT)
    path = take.save(tmp_path / "take.wav")
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["seed"] == 4 and eval(record["prompt"]) == Prefix(0.2) and record["codec"] == vamp.codec.hash


def test_bad_input_gets_one_sentence(vamp, tokens):
    with pytest.raises(ValueError, match="pass"):
        vamp.vamp(tokens, Periodic(7), passes=0)
    with pytest.raises(ValueError, match="shape"):
        vamp.vamp(tokens, torch.ones(14, 3, dtype=torch.bool))
    with pytest.raises(TypeError, match="torch.bool"):
        vamp.vamp(tokens, torch.ones(14, tokens.frames))
    with pytest.raises(VampkitError, match="made by codec"):
        vamp.vamp(tokens.replace(codec="someone else"), Periodic(7))
    with pytest.raises(FileNotFoundError, match="no model called"):
        load_vamp("enormous")
    with pytest.raises(VampkitError, match="fit together"):
        Vamp(vamp.codec, vamp.fine, vamp.coarse)


def test_a_folder_of_weights_is_a_pipeline(vamp, tokens, tmp_path):
    vamp.codec.save(tmp_path / "codec.safetensors", half=False)
    save_model(vamp.coarse, tmp_path / "coarse.safetensors", vamp.codec.hash)
    save_model(vamp.fine, tmp_path / "c2f.safetensors", vamp.codec.hash)
    again = load_vamp(tmp_path)
    a, b = (again.vamp(tokens, Periodic(7), seed=2, **SHORT) for _ in range(2))
    assert torch.equal(a.tokens.codes, b.tokens.codes) and again.codec.hash == vamp.codec.hash
    torch.save(vamp.coarse.state_dict(), tmp_path / "coarse.safetensors")
    with pytest.raises(VampkitError, match="pickle"):
        load_vamp(tmp_path)


def test_the_bundled_pipeline(tone):
    """The weights in the package fit together, and keep to their size."""
    from vampkit.weights import models_folder

    tiny = load_vamp("tiny")
    take = tiny.vamp(tone.excerpt(0, 0.5), Periodic(7), seed=0, passes=4, fine_passes=1)
    assert take.clip.seconds == pytest.approx(0.5, abs=1e-3) and take.clip.peak() < 6
    for name in ("codec", "coarse", "c2f"):
        assert (models_folder() / f"{name}.safetensors").stat().st_size < 12 * 2**20
        assert (models_folder() / f"{name}.md").is_file(), f"{name} has no card"
