"""Training at small size: the data are what they say, runs resume exactly, a kill costs nothing."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from vampkit.audio import LEVEL, Clip
from vampkit.codec import Codec
from vampkit.codec.network import build, settings_of
from vampkit.errors import VampkitError
from vampkit.train import CODEC_PRESETS, MASKED_PRESETS, CodecTraining, MaskedTraining, checkpoint
from vampkit.train.discriminator import Discriminators
from vampkit.train.losses import agreement
from vampkit.train.optim import Average, Muon, ramp, trapezoid
from vampkit.train.pool import SAMPLES, build_pool, compose_pool, excerpts_of
from vampkit.train.tokens import encode_pool
from vampkit.weights import load_codec, load_model


@pytest.fixture(scope="session")
def pool(tmp_path_factory):
    """Six excerpts by two artists, chords and noise, with a broken file among them."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(2)
    t = np.arange(SAMPLES) / 44_100
    for number in range(6):
        f = 110 * 2 ** (number / 6)
        sound = 0.2 * np.sin(2 * np.pi * f * t) * (np.sin(2 * np.pi * 2 * t) > 0) + 0.01 * rng.standard_normal(SAMPLES)
        Clip(sound.astype(np.float32), 44_100).save(folder / f"artist{number % 2}" / f"{number}.wav")
    (folder / "artist0" / "broken.wav").write_bytes(b"RIFF")
    return build_pool(folder, tmp_path_factory.mktemp("pool"))


@pytest.fixture(scope="session")
def store(pool, small_codec, tmp_path_factory):
    return encode_pool(pool, small_codec, tmp_path_factory.mktemp("tokens") / "t.safetensors")


def test_pool_holds_excerpts_at_the_level(pool, tmp_path):
    assert len(pool) == 6 and pool.chances.sum() == pytest.approx(1)
    assert pool.excerpt(3).loudness() == pytest.approx(LEVEL, abs=0.1)
    assert "broken" in (pool.folder / "skipped.txt").read_text()
    crops = pool.crops(5, 1000, np.random.default_rng(1))
    assert crops.shape == (5, 1000) and np.array_equal(crops, pool.crops(5, 1000, np.random.default_rng(1)))
    assert not list(excerpts_of(Clip(np.full((1, SAMPLES), 1e-5), 44_100)))
    with pytest.raises(VampkitError, match="no music"):
        build_pool(tmp_path, tmp_path / "pool")


def test_music_at_another_speed_is_shorter_and_higher(tmp_path):
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(22 * 44_100) / 44_100)
    (tmp_path / "music").mkdir()
    Clip(tone[None].astype(np.float32), 44_100).save(tmp_path / "music" / "tone.wav")
    pool = build_pool(tmp_path / "music", tmp_path / "pool", (1.0, 1.25))
    found = [np.abs(np.fft.rfft(row)).argmax() * 44_100 / SAMPLES for row in pool.sound]
    assert found == pytest.approx([440, 440, 550], abs=0.2)


def test_other_music_makes_another_pool(tmp_path, monkeypatch):
    monkeypatch.setenv("VAMPKIT_CACHE", str(tmp_path / "cache"))
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(11 * 44_100) / 44_100)
    for name, pitch in (("a", 1.0), ("b", 0.5)):
        (tmp_path / name / "train").mkdir(parents=True)
        Clip((pitch * tone)[None, : int((10 + pitch) * 44_100)].astype(np.float32), 44_100).save(
            tmp_path / name / "train" / "tone.wav"
        )
    first, second = (build_pool(tmp_path / name / "train") for name in ("a", "b"))
    assert first.folder != second.folder and first.folder.parent == tmp_path / "cache" / "pools"
    assert build_pool(tmp_path / "a" / "train").folder == first.folder, "a finished pool is used again"
    assert len(build_pool(tmp_path / "a" / "train", speeds=(1.0, 0.5))) == 3 and len(first) == 1
    Clip(tone[None].astype(np.float32), 44_100).save(tmp_path / "a" / "train" / "more.wav")
    assert len(build_pool(tmp_path / "a" / "train")) == 2


def test_a_composed_pool_is_the_same_by_many_processes(tmp_path):
    one, two = (compose_pool(range(3), tmp_path / str(n), seconds=10.0, processes=n) for n in (1, 2))
    assert one.items == two.items
    assert (
        np.abs(one.sound.astype(int) - two.sound).max() <= 4
    )  # 1e-4 of full scale: other numbers of threads round otherwise


def test_store_holds_the_codes_of_the_pool(pool, store, small_codec):
    first = pool.sound[0].astype(np.float32) / 32768
    assert (small_codec.encode_samples(first)[0] == store.codes(0)).float().mean() > 0.999


def test_muon_moves_a_convolution_as_a_matrix():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(6, 4, 3))
    before = weight.detach().clone()
    optimizer = Muon([weight], lr=0.1)
    weight.sum().backward()
    optimizer.step()
    moved = (weight.detach() - before).reshape(6, 12)
    # The gradient has rank one, so an orthogonal update has one singular value, near the rate.
    values = torch.linalg.svdvals(moved)
    assert 0.05 < values[0] < 0.15 and values[1] < 0.02


def test_muon_takes_tensors_of_one_shape_together():
    torch.manual_seed(3)
    starts, gradients = torch.randn(3, 6, 4, 3), torch.randn(3, 6, 4, 3)
    together, alone = ([torch.nn.Parameter(s.clone()) for s in starts] for _ in range(2))
    for weight, gradient in zip(together + alone, [*gradients, *gradients], strict=True):
        weight.grad = gradient.clone()
    unused = torch.nn.Parameter(torch.ones(6, 4, 3))
    Muon([*together, unused], lr=0.1).step()
    for weight in alone:
        Muon([weight], lr=0.1).step()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(together, alone, strict=True)) and torch.equal(
        unused, torch.ones(6, 4, 3)
    )


def test_muon_follows_the_rule_of_torch():
    torch.manual_seed(1)
    start = torch.randn(24, 10)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    optimizers = (
        Muon([ours], lr=0.05, weight_decay=0.1),
        torch.optim.Muon([theirs], lr=0.05, momentum=0.95, weight_decay=0.1),
    )
    for _ in range(3):
        gradient = torch.randn(24, 10)
        for weight, optimizer in zip((ours, theirs), optimizers, strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    # Theirs rounds to bfloat16, which has two to three digits.
    assert (ours - theirs).norm() < 0.03 * (ours - start).norm()


def test_discriminators_learn_to_tell_and_tell_the_decoder():
    torch.manual_seed(2)
    judges, t = Discriminators(2), torch.arange(8192) / 44_100
    real = torch.stack([torch.sin(2 * torch.pi * f * t) for f in (220.0, 440.0)]) * 0.1
    made = 0.05 * torch.randn(2, 8192)
    optimizer = torch.optim.AdamW(judges.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = judges.own_loss(real, made)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 < losses[0]
    adversarial, features = judges.decoder_losses(real, made)
    same, nothing = judges.decoder_losses(real, real.clone())
    assert adversarial > 0.5 > same and features > 0.3 and nothing == 0
    made.requires_grad_(True)
    sum(judges.decoder_losses(real, made)).backward()
    assert made.grad.abs().sum() > 0


def test_a_share_of_the_decoder_stage_is_coarse(pool, tmp_path):
    preset = dataclasses.replace(CODEC_PRESETS["ci"], batch=4, decoder_coarse=0.5)
    training = CodecTraining(preset, (pool, None), tmp_path)
    training.model.eval()
    sound = training.batch(0)
    with torch.no_grad():
        z = training.model.encoder(sound[:, None])
        whole, coarse = training.model.quantizer(z)[0], training.model.quantizer(z, 4)[0]
    heard = training.frozen(sound)
    assert torch.allclose(heard[:2], coarse[:2], atol=1e-6) and torch.allclose(heard[2:], whole[2:], atol=1e-6)
    assert not torch.allclose(coarse, whole)


def test_schedules_start_and_end():
    assert [round(ramp(s, 100, 10), 3) for s in (0, 9, 10, 55, 100)] == [0.1, 1.0, 1.0, 0.5, 0.0]
    assert ramp(100, 100, 10, last=0.1) == pytest.approx(0.1)
    assert [round(trapezoid(s, 100, 10), 3) for s in (0, 9, 30, 50, 75, 100)] == [0.1, 1.0, 1.0, 1.0, 0.5, 0.0]


def test_average_forgets_the_start():
    network = torch.nn.Linear(1, 1, bias=False)
    average = Average(network, 0.9)
    network.weight.data.fill_(5.0)
    for _ in range(300):
        average.update(network)
    assert float(average.state["weight"]) == pytest.approx(5.0, abs=1e-3)


def test_checkpoint_returns_what_was_saved(tmp_path):
    state = {"step": 3, "none": None, "nested": [{"a": torch.arange(3), 4: 0.5}, (1, "x")]}
    back = checkpoint.load(checkpoint.save(state, tmp_path / "s.safetensors"))
    assert torch.equal(back["nested"][0].pop("a"), state["nested"][0].pop("a")) and back == state


def test_log_drops_what_will_be_written_again(tmp_path):
    log = checkpoint.Log(tmp_path / "log.jsonl", 0)
    for step in range(5):
        log.write(step=step, loss=1.0)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')
    checkpoint.Log(tmp_path / "log.jsonl", 3)
    assert [json.loads(x)["step"] for x in (tmp_path / "log.jsonl").read_text().splitlines()] == [0, 1, 2]


def test_the_newest_checkpoints_and_the_best_stay(tmp_path, capsys):
    kept = checkpoint.Checkpoints(tmp_path, keep=2)
    assert kept.latest() is None and kept.step() is None
    for step in range(5):
        kept.save({"step": step, "w": torch.full((3,), float(step))}, step, best=step == 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "best.safetensors",
        "state-00000003.safetensors",
        "state-00000004.safetensors",
    ]
    assert kept.latest()["step"] == 4 and checkpoint.load(tmp_path / "best.safetensors")["step"] == 1
    kept.paths()[-1].write_bytes(b"half of")
    assert kept.latest()["step"] == 3 and "going back" in capsys.readouterr().out
    kept.paths()[0].write_bytes(b"")
    with pytest.raises(VampkitError, match="no checkpoint in"):
        kept.latest()


def test_a_full_disk_is_named_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    kept = checkpoint.Checkpoints(tmp_path)
    kept.save({"step": 1, "w": torch.ones(3)}, 1)

    def full(tensors, path, metadata):
        path.write_bytes(b"half of it")
        raise SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )  # what it says on a disk that is full

    with monkeypatch.context() as patch:
        patch.setattr("safetensors.torch.save_file", full)
        with pytest.raises(VampkitError, match="the disk is full; what was saved before is whole"):
            kept.save({"step": 2, "w": torch.ones(3)}, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["state-00000001.safetensors"] and kept.latest()["step"] == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system, which is always full")
def test_a_log_on_a_full_disk_is_named(tmp_path):
    log = checkpoint.Log(tmp_path / "log.jsonl", 0)
    log.path.unlink()
    log.path.symlink_to("/dev/full")
    with pytest.raises(VampkitError, match="the disk is full"):
        log.write(step=0, loss=1.0)


def log_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_codec_preset_ci_from_end_to_end_and_resumed(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("vampkit.codec.descript.fuse_snake", lambda: True)
    preset = CODEC_PRESETS["ci"]
    whole = CodecTraining(preset, (pool, None), tmp_path / "a", {"real": pool}).run()
    parts = CodecTraining(preset, (pool, None), tmp_path / "b", {"real": pool})
    for _ in range(17):
        parts.train_step()
        parts.step += 1
        parts._milestone()
    parts.save()
    resumed = CodecTraining(preset, (pool, None), tmp_path / "b", {"real": pool})
    assert resumed.step == 17 and resumed.stage == "joint"
    again = resumed.run()
    assert load_codec(whole).hash == load_codec(again).hash
    losses = [row["loss"] for row in log_of(tmp_path / "a")]
    assert np.mean(losses[6:12]) < np.mean(losses[:6]) and [row["step"] for row in log_of(tmp_path / "a")] == list(
        range(30)
    )


def test_the_decoder_stage_leaves_the_tokens_alone(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("vampkit.codec.descript.fuse_snake", lambda: True)
    training = CodecTraining(CODEC_PRESETS["ci"], (pool, None), tmp_path / "a")
    hashes = []
    while training.stage != "done":
        if training.stage == "decoder":
            hashes.append(Codec(training.model, "x").hash)
            training.model.decoder.requires_grad_(True)
        training.train_step()
        training.step += 1
        training._milestone()
    assert len(set(hashes)) == 1


@pytest.mark.parametrize("kind", ["coarse", "fine"])
def test_masked_preset_ci_learns_and_resumes_exactly(kind, store, small_codec, tmp_path):
    preset = MASKED_PRESETS[kind]["ci"]
    whole = MaskedTraining(preset, small_codec, (store, None), tmp_path / "a", {"real": store}).run()
    parts = MaskedTraining(preset, small_codec, (store, None), tmp_path / "b", {"real": store})
    for _ in range(7):
        parts.train_step()
        parts.step += 1
    parts.save()
    again = MaskedTraining(preset, small_codec, (store, None), tmp_path / "b", {"real": store}).run()
    a, b = (load_model(path, small_codec).state_dict() for path in (whole, again))
    assert all(torch.equal(a[name], b[name]) for name in a)
    rows = log_of(tmp_path / "a")
    assert (
        rows[-1]["loss"] < rows[0]["loss"]
        and "real_0.5" in rows[-1]
        and len(rows[-1]["real_codebooks"]) == (4 if kind == "coarse" else 10)
        and len(rows[-1]["real_top1"]) == len(rows[-1]["real_top25"]) == 4
    )


def test_a_run_goes_on_under_its_own_settings_alone(pool, store, small_codec, tmp_path, capsys):
    preset = MASKED_PRESETS["coarse"]["ci"]
    MaskedTraining(preset, small_codec, (store, None), tmp_path / "a").run()
    assert "nothing was trained" not in capsys.readouterr().out
    how = dataclasses.replace(preset, accumulate=2, check_every=5, precision="auto")
    assert MaskedTraining(how, small_codec, (store, None), tmp_path / "a").run().is_file()
    assert f"{tmp_path / 'a'} holds a run that is finished (20 steps): nothing was trained" in capsys.readouterr().out
    with pytest.raises(VampkitError, match="holds a run with other settings .*steps 20 then, 40 now"):
        MaskedTraining(dataclasses.replace(preset, steps=40), small_codec, (store, None), tmp_path / "a")
    with pytest.raises(VampkitError, match=r"other settings \(codebooks 4 then, 14 now; conditioning 0 then, 4 now\)"):
        MaskedTraining(MASKED_PRESETS["fine"]["ci"], small_codec, (store, None), tmp_path / "a")
    other = Codec(small_codec.model, "other")
    other.hash = "of another codec"
    with pytest.raises(VampkitError, match="codec .* then, of another codec now"):
        MaskedTraining(preset, other, (store, None), tmp_path / "a")
    codec_preset = CODEC_PRESETS["ci"]
    CodecTraining(codec_preset, (pool, None), tmp_path / "c").save()
    with pytest.raises(VampkitError, match="holds a run with other settings .*batch 2 then, 4 now"):
        CodecTraining(dataclasses.replace(codec_preset, batch=4), (pool, None), tmp_path / "c")


def test_a_saved_model_is_a_start(store, small_codec, tmp_path):
    """The averaged weights alone, without optimizers: a training goes on from them."""
    preset = MASKED_PRESETS["coarse"]["ci"]
    first = MaskedTraining(preset, small_codec, (store, None), tmp_path / "a", {"real": store})
    path = first.run()
    after = MaskedTraining(preset, small_codec, (store, None), tmp_path / "b", {"real": store}, start=path)
    saved = load_model(path, small_codec).state_dict()
    assert after.step == 0 and all(torch.equal(saved[k], v) for k, v in after.network.state_dict().items())
    assert after.check()["real_0.5"] == pytest.approx(first.check()["real_0.5"], abs=1e-3)
    assert (tmp_path / "a" / "best.safetensors").is_file() and len(first.checkpoints.paths()) == preset.keep
    with pytest.raises(VampkitError, match="another shape"):
        MaskedTraining(MASKED_PRESETS["coarse"]["laptop"], small_codec, (store, None), tmp_path / "c", start=path)


@pytest.mark.parametrize("kind", ("coarse", "fine"))
def test_the_bundled_preset_makes_models_of_the_bundled_shape(kind):
    assert load_model(kind, load_codec("tiny")).config == MASKED_PRESETS[kind]["bundled"].model


def test_a_model_of_another_codec_is_refused(store, small_codec, tmp_path):
    path = MaskedTraining(MASKED_PRESETS["coarse"]["ci"], small_codec, (store, None), tmp_path / "a").finish()
    model = build(settings_of(small_codec.model))
    with pytest.raises(VampkitError, match="was trained on tokens of codec"):
        load_model(path, Codec(model, "other"))
    with pytest.raises(FileNotFoundError, match="no model called"):
        load_model("enormous", small_codec)


RUN = """
import sys, torch
from pathlib import Path
from vampkit.weights import load_codec
from vampkit.train import MASKED_PRESETS, MaskedTraining
from vampkit.train.tokens import read_excerpts
import dataclasses
torch.set_num_threads(1)
preset = dataclasses.replace(MASKED_PRESETS["coarse"]["ci"], steps=60)
folder = Path(sys.argv[1])
stores = (read_excerpts(folder / "t.safetensors"), None)
MaskedTraining(preset, load_codec(folder / "codec.safetensors"), stores, folder / "run").run()
"""


def test_kill_9_costs_nothing(pool, small_codec, tmp_path):
    """Killed at a random moment, a training goes on from its last checkpoint, with the losses of an undisturbed run."""
    runs = {}
    for name, kills in (("alone", 0), ("killed", 2)):
        folder = tmp_path / name
        codec = load_codec(small_codec.save(folder / "codec.safetensors"))
        encode_pool(pool, codec, folder / "t.safetensors")
        for attempt in range(kills + 1):
            process = subprocess.Popen(
                [sys.executable, "-c", RUN, str(folder)],
                stderr=subprocess.DEVNULL,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
            if attempt < kills:
                log, goal = folder / "run" / "log.jsonl", 12 * (attempt + 1)
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline and not (log.is_file() and len(log.read_text().splitlines()) >= goal):
                    time.sleep(0.01)
                process.send_signal(signal.SIGKILL)
            process.wait(timeout=120)
        runs[name] = log_of(folder / "run")
    assert [row["step"] for row in runs["killed"]] == list(range(60))
    assert [row["loss"] for row in runs["killed"]] == [row["loss"] for row in runs["alone"]]


def test_agreement_is_chance_for_noise_and_for_a_collapse_and_less_for_slow_directions():
    torch.manual_seed(0)
    batch, frames = 4, 32
    chance = np.log(batch * frames - 1)
    noise = torch.randn(batch, 2, 8, frames)
    same = torch.ones(batch, 2, 8, frames)
    slow = torch.randn(batch, 2, 8, 1) + 0.1 * noise
    assert agreement(same).tolist() == pytest.approx([chance, chance], abs=1e-4)
    assert (agreement(noise) > chance).all()
    # All frames of an item look alike: a frame's neighbour is one of 31.
    assert float(agreement(slow).mean()) == pytest.approx(np.log(frames - 1), abs=0.3)
    noise.requires_grad_()
    agreement(noise).mean().backward()
    assert torch.isfinite(noise.grad).all() and noise.grad.abs().max() > 0
