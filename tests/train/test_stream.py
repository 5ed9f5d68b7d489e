"""Streams of composed music: the same whatever the number of workers, resumed exactly, and ended by closing."""

import shutil
import time
import types

import numpy as np
import pytest
import torch

from vampkit import cli, music
from vampkit.errors import VampkitError
from vampkit.train import MASKED_PRESETS, masked, sources
from vampkit.train.store import encoded
from vampkit.train.stream import TokenStream
from vampkit.weights import load_codec, load_model

OPTIONS = dict(seconds=3.0, keep=3, reuse=2)


def crops_of(stream, calls, start=0):
    return [stream.crops(2, 4, 64, np.random.default_rng((5, call))) for call in range(start, start + calls)]


@pytest.fixture(scope="module")
def drawn(small_codec):
    with TokenStream(small_codec, 1, **OPTIONS) as stream:
        found = crops_of(stream, 6)
        with pytest.raises(ValueError, match="shorter crops"):
            stream.crops(1, 4, 5000, np.random.default_rng(0))
        return found


def test_crops_are_of_composed_pieces(drawn, small_codec):
    """The first crops come from the piece of seed 0, the later ones from newer pieces of the training genres."""
    _, codes = encoded({"seed": 0, "genre": "training", "seconds": 3.0}, small_codec, -45.0)
    places = codes[:4].unfold(1, 64, 1).transpose(0, 1)
    assert drawn[0].shape == (2, 4, 64) and drawn[0].dtype == torch.int64
    assert all((places == crop).float().mean((1, 2)).max() > 0.99 for crop in drawn[0])
    assert not any((places == crop).float().mean((1, 2)).max() > 0.99 for crop in drawn[5]), (
        "the oldest pieces are dropped"
    )


def test_the_number_of_workers_changes_nothing_and_a_run_goes_on(drawn, small_codec):
    with TokenStream(small_codec, 2, **OPTIONS) as stream:
        stream.seek(6)
        assert all(torch.equal(a, b) for a, b in zip(crops_of(stream, 3, 3), drawn[3:], strict=True))
        with pytest.raises(RuntimeError, match="before the first"):
            stream.seek(0)
        processes = list(stream._processes)
        assert stream.codec == small_codec.hash
    time.sleep(0.1)
    assert not any(p.is_alive() for p in processes)
    with pytest.raises(VampkitError, match="closed"):
        crops_of(stream, 1)


def test_seeds_are_shared_out_and_stay_below_those_held_out(small_codec):
    shares = [TokenStream(small_codec, 1, rank=rank, ranks=2) for rank in (0, 1)]
    seeds = [share.seed(number) for number in (0, 1, 499_999, 500_000, 700_001) for share in shares]
    assert seeds[:4] == [0, 1, 2, 3] and max(seeds) < music.HELD_OUT_SEEDS
    with pytest.raises(ValueError, match="at least 1"):
        TokenStream(small_codec, 0)


def test_a_worker_that_ends_is_noticed(small_codec):
    with TokenStream(small_codec, 1, **OPTIONS) as stream:
        stream._start(0)
        stream._processes[0].terminate()
        with pytest.raises(VampkitError, match="a worker of the stream ended"):
            crops_of(stream, 20)


def test_a_model_trains_on_a_stream_and_resumes_exactly(small_codec, tmp_path):
    preset = masked.MaskedPreset(
        MASKED_PRESETS["coarse"]["ci"].model, frames=32, batch=2, steps=6, precision="no", warmup=2, check_every=100
    )

    def training(out):
        return masked.MaskedTraining(preset, small_codec, (None, TokenStream(small_codec, 1, **OPTIONS)), out)

    whole = training(tmp_path / "a")
    for _ in range(3):
        whole.train_step()
        whole.step += 1
    whole.save()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    resumed = training(tmp_path / "b")
    assert resumed.stores[1].drawn == 6
    states = [load_model(run.run(), small_codec).state_dict() for run in (whole, resumed)]
    for run in (whole, resumed):
        run.stores[1].close()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_command_line_knows_streams(tmp_path, capsys, monkeypatch):
    with pytest.raises(SystemExit):
        cli.main(["train", "codec", "--stream", "2"])
    assert "trained on sound" in capsys.readouterr().err
    given = {}
    monkeypatch.setattr(
        masked.MaskedTraining, "run", lambda self, minutes: given.update(store=self.stores[0], stream=self.stores[1])
    )
    monkeypatch.setattr(sources, "TokenStore", lambda folder: types.SimpleNamespace(codec=load_codec("tiny").hash))
    cli.main(
        ["train", "coarse", "--preset", "ci", "--store", "somewhere", "--stream", "3", "--out", str(tmp_path / "run")]
    )
    assert given["store"].codec == given["stream"].codec and given["stream"].workers == 3
