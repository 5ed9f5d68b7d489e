"""Verbs killed at any moment (kill -9): no half file under a final name, and the same command finishes the work.

A run dies just before its n-th change to the files of its folder, so that the moments between two changes are met,
which are too short to be met by chance. `make test` kills each verb twice, `make fuzz` (VAMPKIT_FUZZ) ten times,
every second time at any moment.
"""

import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import time

import numpy as np
import psutil
import pytest
import torch
from safetensors import safe_open

from vampkit import cli
from vampkit.audio import Clip
from vampkit.files.written import alone
from vampkit.weights import save_model

KILLS = 10 if float(os.environ.get("VAMPKIT_FUZZ", 0)) else 2
QUICK = ["--model", "models", "--prompt", "periodic:3", "--passes", "2", "--fine-passes", "1"]
VERBS = {
    "take": ["vamp", "songs/long0.wav", "made/out.flac", *QUICK],
    "folder": ["vamp", "songs", "made", *QUICK],
    "store": ["data", "build", "pieces", "--out", "made", "--codec", "models/codec.safetensors", "--composed", "1"]
    + ["--seconds", "3"],
    "coarse": ["train", "coarse", "--preset", "ci", "--codec", "models/codec.safetensors", "--store", "store"]
    + ["--valid-store", "store", "--device", "cpu", "--out", "made"],
    "finetune": ["finetune", "songs", "--out", "made", "--model", "models", "--steps", "4", "--device", "cpu"],
}
BEFORE = {"coarse": ["data", "build", "pieces", "--out", "store", "--codec", "models/codec.safetensors"]}
"""What must have run before a verb."""
PRELOADED = [
    "vampkit.codec.descript",
    "vampkit.cli.verbs",
    "vampkit.pipeline",
    "vampkit.train",
    "accelerate",
    "librosa",
]


@pytest.fixture(scope="module")
def place(vamp, tone, tmp_path_factory):
    """Songs of 5.2 s, pieces of 1 s for more than one shard, one of them no sound, and a folder of models."""
    place = tmp_path_factory.mktemp("kills")
    long = np.tile(tone.samples, 3)[:, : int(5.2 * tone.rate)]
    for number in range(5):
        Clip(np.roll(long, 9000 * number, -1), tone.rate).save(place / "songs" / f"long{number}.wav")
    for number in range(18):
        tone.excerpt(number / 20, 1.0).save(place / "pieces" / f"artist{number % 2}" / f"{number}.wav")
    (place / "pieces" / "artist0" / "0.wav").write_text("no sound")
    vamp.codec.save(place / "models" / "codec.safetensors", dtype=torch.float32)
    save_model(vamp.coarse, place / "models" / "coarse.safetensors", vamp.codec.hash)
    save_model(vamp.fine, place / "models" / "fine.safetensors", vamp.codec.hash)
    return place


def verb(words, place, cache, change, said):
    """Run a verb in this process, which dies just before the change number `change` to what lies in made/."""
    count, made = 0, os.path.join(place, "made")

    def seen(event, given):
        nonlocal count
        changes = event in ("os.rename", "os.link", "os.remove", "os.truncate") or (
            event == "open" and (given[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        )
        if changes and not isinstance(given[0], int) and os.path.abspath(os.fsdecode(given[0])).startswith(made):
            count += 1
            if count == change:
                os.kill(os.getpid(), signal.SIGKILL)

    os.chdir(place)
    os.environ["VAMPKIT_CACHE"] = str(cache)
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.addaudithook(seen)
    try:
        cli.main(words)
    finally:
        said.with_suffix(".count").write_text(str(count))


def started(words, place, change=0):
    """A process that runs a verb. It is forked from one that has imported all, but has not started torch's threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=verb, args=(words, place, place / "cache", change, place / "said.txt"))
    process.start()
    return process


def finished(words, place):
    """Run a verb to its end. Gives its number of changes and its seconds."""
    began, process = time.monotonic(), started(words, place)
    process.join()
    assert process.exitcode == 0, (place / "said.txt").read_text()
    return int((place / "said.count").read_text()), time.monotonic() - began


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_whole(made):
    """Each file that has its final name can be read, and a sound has its record."""
    for path in made.rglob("[!.]*.*"):
        if path.suffix in (".wav", ".flac"):
            assert Clip.load(path).seconds > 0 and path.with_suffix(".json").is_file()
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.name.startswith(("shard", "items")) and path.suffix == ".jsonl":
            assert all(json.loads(line) for line in path.read_text().splitlines())
        elif path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                assert all(file.get_tensor(name) is not None for name in file.keys())  # noqa: SIM118


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", VERBS)
def test_a_killed_verb_leaves_nothing_half_and_the_same_command_finishes(place, name, tmp_path):
    if name == "finetune":
        pytest.importorskip("peft", reason="the extra `peft` is not installed")
    made, words, rng = place / "made", VERBS[name], random.Random(name)
    if name in BEFORE:
        finished(BEFORE[name], place)
    changes, seconds = finished(words, place)
    whole = contents(made)
    made.rename(tmp_path / "whole")
    assert changes > 2
    kills = 0
    for number in range(6 * KILLS):
        by_chance = KILLS > 2 and number % 2
        process = started(words, place, 0 if by_chance else rng.randint(1, changes))
        process.join(rng.uniform(0, seconds) if by_chance else None)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL), (place / "said.txt").read_text()
        kills += process.exitcode != 0
        check_whole(made)
        if process.exitcode == 0:
            assert contents(made) == whole
        if kills == KILLS:
            break
        if process.exitcode == 0 or rng.random() < 0.3:  # begin anew, else a run soon has nothing left to do
            made.rename(tmp_path / f"made{number}")
    assert kills == KILLS
    finished(words, place)
    found = contents(made)
    made.rename(tmp_path / "made")
    assert sorted(found) == sorted(whole)
    assert [path for path in whole if found[path] != whole[path]] == []


@pytest.mark.timeout(0)
def test_the_workers_of_a_killed_verb_end(place):
    words = ["data", "build", "--out", "left", "--composed", "40", "--seconds", "60", "--processes", "2"]
    process = started(words, place)
    workers, until = [], time.monotonic() + 60
    while len(workers) < 2 and time.monotonic() < until:
        workers = [w for w in psutil.Process(process.pid).children() if "spawn_main" in " ".join(w.cmdline())]
        time.sleep(0.05)
    process.kill()
    process.join()
    assert len(workers) == 2
    assert psutil.wait_procs(workers, timeout=60)[1] == []


@pytest.mark.parametrize("name", ["folder", "store", "coarse"])
def test_two_runs_of_a_verb_on_one_folder_are_told_apart(place, name, capsys, monkeypatch):
    monkeypatch.chdir(place)
    if name in BEFORE:
        cli.main(BEFORE[name])
    with alone("made"), pytest.raises(SystemExit) as end:
        cli.main(VERBS[name])
    assert end.value.code == 2 and "another process is writing made" in capsys.readouterr().err
    assert not (place / "made").exists(), "a folder into which nothing was put goes too"
