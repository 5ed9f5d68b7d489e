"""The command line: verbs run, and mistakes get one sentence."""

import json
import subprocess
import sys

import numpy as np
import pytest

from vampkit import cli, music
from vampkit.audio import Clip
from vampkit.prompts import Compression, Nothing, Periodic, Prefix


def test_prompts_from_words():
    assert cli.parse_prompt("periodic:7+prefix:1.5") == Periodic(7) | Prefix(1.5)
    assert cli.parse_prompt("nothing + periodic:3 & compression:4") == Nothing() | (Periodic(3) & Compression(4))
    for words in ("", "periodic", "periodic:x", "louder:3", "periodic:7+"):
        with pytest.raises(ValueError, match="was|were expected"):
            cli.parse_prompt(words)


@pytest.mark.parametrize("words, sentence", [
    (["vamp", "no.wav", "out.wav"], "no sound file at no.wav"), (["vamp", "no.wav", "out.wav", "--prompt", "x"], "prompt 'x'"),
    (["compose", "x.mp4", "--seconds", "1"], "rename it"), (["train", "coarse", "--codec", "none"], "no codec called"),
])  # fmt: skip
def test_mistakes_get_one_sentence(words, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    shown = capsys.readouterr().err
    assert stop.value.code == 2 and sentence in shown and "Traceback" not in shown and shown.count("\n") == 1


def test_compose_writes_sound_truth_and_stems(tmp_path):
    cli.main(["compose", str(tmp_path / "a.flac"), "--seed", "1000001", "--seconds", "2", "--stems"])
    piece = music.load_jams(tmp_path / "a.jams")
    assert piece == music.compose(1_000_001, seconds=2.0)
    total = sum(Clip.load(tmp_path / f"a-{part}.flac").samples for part in (*piece.parts, "air"))
    assert np.abs(total - Clip.load(tmp_path / "a.flac").samples).max() < 1e-4


def test_vamp_writes_a_take_and_its_record(tmp_path):
    cli.main(["compose", str(tmp_path / "a.wav"), "--seed", "1000001", "--seconds", "1"])
    cli.main(["vamp", str(tmp_path / "a.wav"), str(tmp_path / "b.wav"), "--prompt", "periodic:5", "--passes", "2", "--seed", "3"])
    record = json.loads((tmp_path / "b.json").read_text())
    assert record["prompt"] == "Periodic(period=5, width=1, offset=0)" and record["seed"] == 3 and (tmp_path / "b.wav").is_file()


def test_help_names_every_verb():
    shown = subprocess.run([sys.executable, "-m", "vampkit.cli", "--help"], capture_output=True, text=True, timeout=120).stdout
    assert all(verb in shown for verb in ("demo", "lab", "vamp", "train", "compose", "data-fetch", "data-build"))
