"""One batch over any number of processes and parts, the paper's settings, and what a training shows while it runs."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vampkit import masks, schedules
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.train import MASKED_PRESETS, ExcerptStore, devices, masked, optim
from vampkit.train.examples import Examples
from vampkit.train.meter import Meter, operations

STILL = dataclasses.replace(
    MASKED_PRESETS["coarse"]["ci"],
    model=ModelConfig(4, 0, layers=2, width=32, heads=4, dropout=0.0),
    batch=4,
    steps=8,
    check_every=100,
    save_seconds=100.0,
)


def made_store(small_codec):
    codes = torch.randint(0, 40, (6, 14, 90), generator=torch.Generator().manual_seed(5))
    return ExcerptStore(codes, np.full(6, 1 / 6), small_codec.hash)


def column(folder, name):
    return [json.loads(line)[name] for line in (Path(folder) / "log.jsonl").read_text().splitlines()]


def assert_one_training(a, b):
    """Equal but for the order of sums: the first gradient to 1e-4, later losses within what Muon makes of that."""
    assert column(a, "norm")[0] == pytest.approx(column(b, "norm")[0], rel=1e-4)
    assert column(a, "loss")[0] == pytest.approx(column(b, "loss")[0], abs=2e-5)
    assert column(a, "loss") == pytest.approx(column(b, "loss"), abs=3e-3)


def test_an_example_is_a_function_of_seed_and_number_alone(small_codec):
    stores = (made_store(small_codec), made_store(small_codec))
    whole = Examples(STILL, stores).parts(3)[0]
    shared = dataclasses.replace(STILL, accumulate=2)
    found = {}
    for rank in range(2):
        mine = Examples(shared, stores, rank, 2)
        for numbers, (codes, mask) in zip(mine.own(3), mine.parts(3), strict=True):
            found |= {n: (codes[i], mask[i]) for i, n in enumerate(numbers)}
    assert sorted(found) == [12, 13, 14, 15]
    for place, number in enumerate(sorted(found)):
        assert torch.equal(found[number][0], whole[0][place]) and torch.equal(found[number][1], whole[1][place])
    other = Examples(dataclasses.replace(STILL, seed=1), stores).parts(3)[0]
    assert not torch.equal(other[1], whole[1])
    with pytest.raises(ValueError, match="shared out evenly"):
        Examples(STILL, stores, 0, 3)


def test_composed_music_has_its_share(small_codec):
    stores = (made_store(small_codec), made_store(small_codec))
    examples = Examples(dataclasses.replace(STILL, composed=0.25), stores)
    assert [examples.is_composed(i) for i in range(8)] == [False, False, False, True] * 2
    assert examples.drawn(5) == (15, 5)
    assert not any(Examples(STILL, (stores[0], None)).is_composed(i) for i in range(8))


def test_accumulating_changes_nothing(small_codec, tmp_path):
    store = made_store(small_codec)
    for name, parts in (("whole", 1), ("parts", 4)):
        masked.MaskedTraining(
            dataclasses.replace(STILL, accumulate=parts), small_codec, (store, None), tmp_path / name, device="cpu"
        ).run()
    assert_one_training(tmp_path / "parts", tmp_path / "whole")


RUN = """
import sys, torch
from pathlib import Path
from tests.train.test_scale import STILL, made_store
from vampkit.weights import load_codec
from vampkit.train import masked
torch.set_num_threads(1)
folder = Path(sys.argv[1])
codec = load_codec(folder / "codec.safetensors")
training = masked.MaskedTraining(STILL, codec, (made_store(codec), None), folder / "two", device="cpu")
assert training.accelerator.num_processes == 2, training.accelerator.num_processes
training.run()
if training.accelerator.is_main_process:
    (folder / "world").write_text(str(torch.distributed.get_world_size()))
"""


def test_two_processes_with_half_the_batch_each_are_one(small_codec, tmp_path):
    """The mean is over the hidden tokens of the whole batch; a mean of the processes' means would differ."""
    (tmp_path / "run.py").write_text(RUN)
    codec = small_codec.save(tmp_path / "codec.safetensors", dtype=torch.float32)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        str(tmp_path / "run.py"),
        str(tmp_path),
    ]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=290)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "world").read_text() == "2"
    from vampkit.weights import load_codec

    one = load_codec(codec)
    masked.MaskedTraining(STILL, one, (made_store(one), None), tmp_path / "one", device="cpu").run()
    assert_one_training(tmp_path / "two", tmp_path / "one")


def test_noam_is_the_published_schedule():
    found = np.load(Path(__file__).parents[1] / "fixtures" / "schedule.npz")
    for name, factor, warmup, width in (
        ("base_lr", 2, 10_000, 1280),
        ("lora_lr", 2, 500, 1280),
        ("default_lr", 1, 4000, 512),
    ):
        assert [schedules.noam(int(s), width, warmup, factor) for s in found["steps"]] == pytest.approx(
            found[name].tolist(), rel=1e-6
        )
    paper = MASKED_PRESETS["coarse"]["paper"]
    network = torch.nn.Linear(2, 2)
    optimizers = optim.optimizers_of(network, paper)
    for step, rate in zip(found["steps"], found["base_lr"], strict=True):
        optim.set_rate(
            optimizers, optim.rate_factor(paper.schedule, int(step) - 1, paper.steps, paper.warmup, paper.model.width)
        )
        assert optimizers[0].param_groups[0]["lr"] == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize(("kind", "weights"), [("coarse", 333_026_464), ("fine", 275_459_312)])
def test_the_paper_preset_has_the_papers_size(kind, weights):
    preset = MASKED_PRESETS[kind]["paper"]
    with torch.device("meta"):
        model = MaskedTransformer(preset.model, torch.zeros(preset.model.codebooks, 1024, 8))
    assert sum(w.numel() for w in model.parameters()) == weights
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.batch = 8


def test_label_smoothing_is_an_option():
    torch.manual_seed(0)
    config = ModelConfig(4, 0, layers=1, width=16, heads=2, dropout=0.0)
    model = MaskedTransformer(config, torch.randn(4, 1024, 8)).eval()
    codes, mask = torch.randint(0, 1024, (2, 4, 20)), torch.rand(2, 4, 20) < 0.5
    logs = F.log_softmax(model(codes, mask)[mask], -1)
    plain = -logs.gather(1, codes[mask][:, None]).sum()
    smooth = 0.9 * plain - 0.1 * logs.mean(-1).sum()
    assert masked.masked_loss(model, codes, mask).item() == pytest.approx(plain.item(), rel=1e-5)
    assert masked.masked_loss(model, codes, mask, 0.1).item() == pytest.approx(smooth.item(), rel=1e-5)


def test_operations_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    config = ModelConfig(4, 0, layers=2, width=64, heads=2, dropout=0.0)
    model = MaskedTransformer(config, torch.randn(4, 1024, 8))
    codes = torch.randint(0, 1024, (2, 4, 64))
    mask = torch.stack([masks.random(4, 64, 2 / np.pi, torch.Generator().manual_seed(i)) for i in range(2)])
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        masked.masked_loss(model, codes, mask).backward()
    assert counter.get_total_flops() == pytest.approx(operations(config, 2, 64), rel=0.06)


def test_the_meter_tells_tokens_and_use(monkeypatch):
    clock = iter([0.0, 0.0, 2.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    config = ModelConfig(4, 0, layers=2, width=64, heads=2)
    meter = Meter(config, 8, 100, operations(config, 8, 100))
    meter.start()
    assert meter.tick() == {"tokens/s": "1,600", "MFU": "50 %"}


def test_curves_and_sounds_are_written_on_request(small_codec, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    store = made_store(small_codec)
    long = ExcerptStore(store.excerpts.repeat(1, 1, 2), store.chances, store.codec)
    preset = dataclasses.replace(STILL, steps=2, audio_every=2, tensorboard=True)
    masked.MaskedTraining(preset, small_codec, (long, None), tmp_path, {"real": long}, device="cpu").run()
    assert sorted(p.name for p in (tmp_path / "audio").iterdir()) == ["real-0000002.flac", "real-original.flac"]
    assert list((tmp_path / "tensorboard").iterdir())


def test_compiling_the_blocks_changes_nothing(small_codec, tmp_path):
    """Traced only: compiling C++ would take a minute."""
    torch.compiler.set_stance("force_eager")
    try:
        for name, compiled in (("plain", False), ("compiled", True)):
            preset = dataclasses.replace(STILL, steps=3, compile=compiled)
            masked.MaskedTraining(
                preset, small_codec, (made_store(small_codec), None), tmp_path / name, device="cpu"
            ).run()
    finally:
        torch.compiler.set_stance("default")
    assert column(tmp_path / "compiled", "loss") == column(tmp_path / "plain", "loss")


def test_devices_and_schedules_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="one of auto, cpu, cuda"):
        devices.chosen("gpu")
    with pytest.raises(ValueError, match="no schedule"):
        optim.rate_factor("step", 0, 10, 1, 8)


def test_one_process_may_hold_trainings_of_two_precisions():
    found = [devices.accelerator("cpu", precision).mixed_precision for precision in ("no", "bf16", "no")]
    assert found == ["no", "bf16", "no"]
    done = []
    devices.launch(lambda word: done.append((word, devices.accelerator("cpu", "no").num_processes)), "ran")
    assert done == [("ran", 1)]
