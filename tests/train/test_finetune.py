"""Adapters: the music is learned and that can be measured, the base stays as it is, and they count once."""

import copy
import dataclasses
import shutil

import numpy as np
import pytest
import torch

import vampkit.codec.descript  # noqa: F401  (before peft)
from vampkit import cli
from vampkit.audio import Clip
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.pipeline import load_vamp
from vampkit.train import AdapterPreset, AdapterTraining, TokenStore, finetune, finetuning, split_store, start_local
from vampkit.weights import load_adapters, load_model, save_model

pytest.importorskip("peft", reason="the extra `peft` is not installed")

SMALL = AdapterPreset(steps=24, batch=2, frames=(48, 48), rate=1e-2, warmup=2, precision="no")


@pytest.fixture(scope="module")
def models(small_codec, tmp_path_factory):
    """A folder of an untrained codec and two untrained models."""
    folder = tmp_path_factory.mktemp("models")
    small_codec.save(folder / "codec.safetensors", dtype=torch.float32)
    for kind, config in (
        ("coarse", ModelConfig(4, 0, layers=2, width=32, heads=4)),
        ("fine", ModelConfig(14, 4, layers=2, width=32, heads=4)),
    ):
        torch.manual_seed(0)
        model = MaskedTransformer(config, small_codec.tables[: config.codebooks])
        start_local(model, torch.Generator().manual_seed(0))
        save_model(model, folder / f"{kind}.safetensors", small_codec.hash)
    return folder


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Six short pieces of one pulse."""
    folder, t = tmp_path_factory.mktemp("music") / "band", np.arange(44_100 * 4) / 44_100
    for number in range(6):
        sound = 0.2 * np.sin(2 * np.pi * 220 * t) * np.exp(-8 * ((t + 0.02 * number) % 0.25))
        Clip(sound.astype(np.float32), 44_100).save(folder / f"{number}.wav")
    return folder


@pytest.fixture(scope="module")
def made(models, music, tmp_path_factory):
    return finetune(music, tmp_path_factory.mktemp("out") / "band", models, settings=SMALL, device="cpu")


def test_what_was_held_out_is_told_better_than_before(made):
    assert made.held_out == ("5",)
    for kind in ("coarse", "fine"):
        assert made.gain[kind].mean > 0.02 and made.after[kind].mean < made.before[kind].mean
        assert (made.folder / f"{kind}.safetensors").stat().st_size < 4 * 2**20


def test_adapters_count_once(made, models):
    base = load_vamp(models)
    before = copy.deepcopy(base.coarse.state_dict())
    adapted = base.adapted(made.folder)
    assert all(torch.equal(w, base.coarse.state_dict()[k]) for k, w in before.items()), "the base stays as it is"
    changed = [k for k, w in before.items() if not torch.equal(w, adapted.coarse.state_dict()[k])]
    assert len(changed) == 2 * 5 and not any("w_ks" in k for k in changed)
    with pytest.raises(VampkitError, match="adapters already"):
        adapted.adapted(made.folder)
    with pytest.raises(VampkitError, match="belong to the model"):
        load_adapters(made.folder / "fine.safetensors", base.coarse)
    with pytest.raises(FileNotFoundError, match="no adapters in"):
        base.adapted(models / "nothing")


def test_merged_is_what_peft_computes(models, music, made, small_codec, tmp_path):
    store = TokenStore(made.folder / "tokens")
    training = AdapterTraining(models / "coarse.safetensors", SMALL, small_codec, store, tmp_path)
    assert all(("lora" in name) == w.requires_grad for name, w in training.network.named_parameters())
    codes = store.held_out(2, 4, 40)
    mask = torch.rand(codes.shape, generator=torch.Generator().manual_seed(0)) < 0.5
    training.network.eval()
    with torch.no_grad():
        base = load_model(models / "coarse.safetensors", small_codec)
        assert torch.allclose(training.network(codes, mask), base(codes, mask), atol=1e-5), (
            "as it was, before the first step"
        )
        for _ in range(3):
            with torch.enable_grad():
                training.train_step()
            training.step += 1
        training.average.restart(training.network)
        training.network.eval()
        active = training.network(codes, mask)
        assert not torch.allclose(active, base(codes, mask), atol=1e-3)
        assert torch.allclose(training.averaged()(codes, mask), active, atol=1e-4)
        loaded = load_adapters(training.finish(), base)
        assert torch.allclose(loaded(codes, mask), active, atol=2e-2), "half precision"


def test_a_stop_goes_on_to_the_same_adapters(models, music, made, tmp_path):
    assert finetune(music, tmp_path / "band", models, ("coarse",), SMALL, minutes=0.0, device="cpu") is None
    again = finetune(music, tmp_path / "band", models, ("coarse",), SMALL, device="cpu")
    assert again.after["coarse"] == made.after["coarse"]


def test_other_music_and_other_settings_want_another_folder(models, music, made, tmp_path):
    shutil.copytree(music, tmp_path / "band")
    with pytest.raises(VampkitError, match=r"made of other music \(6 pieces then, 6 now\); choose another folder"):
        finetune(tmp_path / "band", made.folder, models, ("coarse",), SMALL, device="cpu")
    with pytest.raises(VampkitError, match="other settings .*rank 8 then, 4 now"):
        finetune(music, made.folder, models, ("coarse",), dataclasses.replace(SMALL, rank=4), device="cpu")


def test_few_tracks_are_cut(made):
    store = TokenStore(made.folder / "tokens")
    two = store.only([part for part in store.parts if part[0] < 2])
    two.tracks = store.tracks[:2]
    learn, held = split_store(two)
    assert {i for i, _, _ in learn.parts} == {i for i, _, _ in held.parts} == {0, 1}
    assert max(end for _, _, end in learn.parts) <= min(first for _, first, _ in held.parts)
    assert finetuning._pieces((7, 0, 1150), 575) == [(7, 0, 575), (7, 575, 1150)]
    assert finetuning._pieces((7, 3, 500), 575) == [(7, 3, 500)]


def test_the_command_line_names_what_is_wrong(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["finetune", str(tmp_path / "nothing"), "--out", str(tmp_path / "out")])
    assert "there is no folder" in capsys.readouterr().err
