"""The command line: verbs run, and mistakes get one sentence."""

import json
import subprocess
import sys

import numpy as np
import pytest

from vampkit import cli, music, prompts
from vampkit.audio import Clip
from vampkit.cli.app import VERBS
from vampkit.pipeline import SETTINGS
from vampkit.prompts import Compression, Nothing, Periodic, Prefix


def test_prompts_from_words():
    assert prompts.parse("periodic:7+prefix:1.5") == Periodic(7) | Prefix(1.5)
    assert prompts.parse("nothing + periodic:3 & compression:4") == Nothing() | (Periodic(3) & Compression(4))
    for words in ("", "periodic", "periodic:x", "louder:3", "periodic:7+"):
        with pytest.raises(ValueError, match="was|were expected"):
            prompts.parse(words)


@pytest.mark.parametrize("words, sentence", [
    (["vamp", "no.wav", "out.wav"], "no sound file at no.wav"),
    (["vamp", "no.wav", "out.wav", "--prompt", "x"], "prompt 'x'"),
    (["vamp", "no.wav", "out.wav", "--prompt", "x", "--prompt=y"], "--prompt is given twice, once was expected"),
    (["vamp", "data/clips", "out", "--follow", "rhythm:tests"], "tests is a folder, a sound file was expected"),
    (["vamp", "data/clips", "out", "--guidance", "2"], "--guidance is given, but nothing is followed"),
    (["vamp", "no.wav", "tests"], "tests is a folder, a file was expected for one sound"),
    (["vamp", "no.wav", "out.wav", "--prompt", "periodic:x"], "write it as in periodic:7"),
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


def test_a_composition_that_fails_leaves_the_last_one_whole(tmp_path, capsys):
    words = ["compose", str(tmp_path / "a.flac"), "--seed", "1000001", "--seconds", "1"]
    cli.main(words)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SystemExit):
        cli.main([*words, "--genre", "house", "--soundfont", str(tmp_path / "none.sf2")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before and len(before) == 2


def test_the_help_of_compose_names_all_genres_in_whole_lines():
    text = " ".join(shown("compose", "--help").replace("│", " ").split())
    assert all(genre in text for genre in music.GENRES) and "A piece that is there is replaced" in text


def test_vamp_writes_takes_and_records_and_again_makes_them_anew(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    cli.main(["compose", str(tmp_path / "in" / "a.wav"), "--seed", "1000001", "--seconds", "1"])
    words = ["--prompt", "periodic:5", "--passes", "2", "--seed", "3", "--mask-temperature", "6"]
    cli.main(["vamp", str(tmp_path / "in"), str(tmp_path / "out"), "--takes", "2", *words])
    made = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert made == ["a-1.json", "a-1.wav", "a-2.json", "a-2.wav"]
    record = json.loads((tmp_path / "out" / "a-2.json").read_text())
    assert (
        record["python"] == "Periodic(period=5, width=1, offset=0)"
        and record["seed"] == 4
        and record["coarse"]["passes"] == 2
    )
    assert record["coarse"]["mask_temperature"] == 6
    record = str(tmp_path / "out" / "a-2.json")
    cli.main(["again", record, str(tmp_path / "in" / "a.wav"), str(tmp_path / "b.wav")])
    assert "was made from" not in capsys.readouterr().err
    assert np.array_equal(Clip.load(tmp_path / "b.wav").samples, Clip.load(tmp_path / "out" / "a-2.wav").samples)
    Clip.load(tmp_path / "in" / "a.wav").save(tmp_path / "other.wav")
    cli.main(["again", record, str(tmp_path / "other.wav"), str(tmp_path / "c.wav")])
    assert "this take was made from 'a', not from 'other'" in capsys.readouterr().err
    cli.main(["vamp", str(tmp_path / "other.wav"), str(tmp_path / "c.wav"), *words])
    assert "1 take is there already and is replaced" in capsys.readouterr().err


def test_jupyterlab_is_told_to_ask_nothing_and_keeps_the_settings_of_others(monkeypatch, tmp_path):
    """What the page makes of it is tested in a browser (test_browser.py)."""
    from jupyter_server.services.config import ConfigManager

    (tmp_path / "labconfig").mkdir()
    (tmp_path / "labconfig" / "default_setting_overrides.json").write_text('{"a": {"b": 1}}')
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", cli.quiet_lab()["JUPYTER_CONFIG_PATH"])
    found = ConfigManager(config_dir_name="labconfig").get("default_setting_overrides")
    assert found["@jupyterlab/apputils-extension:notification"] == {
        "fetchNews": "false",
        "checkForUpdates": False,
    } and found["a"] == {"b": 1}


def shown(*words):
    done = subprocess.run([sys.executable, "-m", "vampkit.cli", *words], capture_output=True, text=True, timeout=120)
    return done.stdout


def test_help_gives_every_verb_a_line():
    lines = shown("--help").splitlines()
    for verb in VERBS:
        name = verb.__name__.replace("_", " ")
        row = next(n for n, line in enumerate(lines) if f"• {name} " in line)
        assert "." in lines[row] and ("•" in lines[row + 1] or "╰" in lines[row + 1]), f"{name} takes more than a line"


def test_a_verb_of_two_words_is_named_as_it_is_typed():
    text = shown("data", "build", "--help")
    assert text.startswith("usage: vampkit data build ") and "\n  vampkit data build songs" in text


def test_the_help_of_a_verb_names_what_it_takes():
    text = shown("vamp", "--help")
    assert "vampkit vamp [-h] [VAMP OPTIONS] IN OUT" in text
    for setting in SETTINGS:
        assert (f"│ --{setting.name.replace('_', '-')}" in text) == (setting.name != "windows")
        assert setting.name in ("windows", "follow") or setting.text.split()[0] in text
    assert "such as rhythm:drums.wav" in " ".join(text.replace("│", " ").split()), (
        "what the command line takes, not Python"
    )
    assert text.index("examples:") > text.index("periodic:7,width=3") > text.index("--restore")
    options = [line for line in text.splitlines() if line.startswith("│ --")]
    assert all(line.count(" --") == 1 or "--no-" in line for line in options)


def test_a_prompt_recommends_settings_by_name(tmp_path, capsys):
    cli.main(["compose", str(tmp_path / "a.wav"), "--seed", "1000001", "--seconds", "1"])
    words = ["vamp", str(tmp_path / "a.wav"), str(tmp_path / "b.wav"), "--prompt", "continuation:1", "--passes", "1"]
    for more, noise, hint in (([], 10.5, True), (["--recommended"], 40.0, False)):
        cli.main([*words, *more])
        assert json.loads((tmp_path / "b.json").read_text())["coarse"]["mask_temperature"] == noise
        assert ("recommends --mask-temperature 40;" in capsys.readouterr().err) == hint


def test_a_closed_pipe_ends_quietly():
    command = f"{sys.executable} -m vampkit.cli vamp --help | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stdout.count("\n") <= 1 and not done.stderr


def test_what_is_followed_is_named_by_word_and_file(tmp_path, capsys, monkeypatch):
    import torch

    from vampkit.controls import AdapterConfig, Adapters
    from vampkit.pipeline import Vamp

    def adapters(vamp):
        shape = AdapterConfig(vamp.coarse.config.layers, vamp.coarse.config.width)
        return torch.nn.ModuleDict({"coarse": Adapters(shape)}).eval()

    made = Vamp.__init__

    def with_adapters(vamp, *parts, **named):
        made(vamp, *parts, **named)
        vamp.controls = adapters(vamp).requires_grad_(False)

    monkeypatch.setattr(Vamp, "__init__", with_adapters)
    sound = str(tmp_path / "a.wav")
    cli.main(["compose", sound, "--seed", "1000001", "--seconds", "1"])
    torch.manual_seed(0)
    words = ["vamp", sound, str(tmp_path / "b.wav"), "--passes", "1", "--follow"]
    cli.main([*words, f"rhythm:{sound}", f"loudness:{sound}"])
    record = json.loads((tmp_path / "b.json").read_text())
    assert [control["control"] for control in record["follow"]] == ["rhythm", "loudness"]
    with pytest.raises(SystemExit):
        cli.main([*words, "melody:x.wav"])
    assert (
        "'melody:x.wav' cannot be followed, rhythm, harmony, loudness and a file were expected"
        in capsys.readouterr().err
    )
