"""The command line with hostile or careless words: exit code 2 and one sentence, or a take; and what it leaves."""

import json
import os

import numpy as np
import pytest

from tests.hostile.sentences import check_text
from vampkit import cli
from vampkit.audio import Clip

QUICK = ["--passes", "1", "--fine-passes", "1"]


@pytest.fixture
def place(tmp_path, monkeypatch, tone):
    monkeypatch.chdir(tmp_path)
    tone.excerpt(0, 0.4).save("in.wav")
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    return tmp_path


def run(words, capsys):
    """The exit code, and what was said on standard error, having checked that it is one sentence."""
    try:
        cli.main(words)
        code = 0
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr().err
    if code == 2 and "helptext" not in said:  # tyro frames what it says about the words themselves
        check_text(said.splitlines()[-1])
    assert "Traceback" not in said
    return code, said


VAMP = ["vamp", "in.wav", "out.wav"]
WORDS = [
    *(
        ["vamp", source, "out.wav"]
        for source in ("none.wav", "text.wav", "empty", "file", "/dev/zero", "in.wav/x", "x" * 400)
    ),
    *(
        ["vamp", "in.wav", target]
        for target in ("in.wav", "./in.wav", "empty", "file/out.wav", "out.mp3", "out", "", "y" * 400 + ".wav")
    ),
    *(
        [*VAMP, "--prompt", prompt]
        for prompt in ("", "x", "periodic:x", "stretch:1e9", "json:in.wav", "drawn:in.wav", "prefix:1e9", "~" * 999)
    ),
    *(
        [*VAMP, f"--{name}", value]
        for name in ("passes", "fine-passes", "feedback", "takes", "top-k")
        for value in ("0", "-1", "1.5", "x", "nan", "1e9", "999999999999", "")
    ),
    *(
        [*VAMP, f"--{name}", value]
        for name in (
            "temperature",
            "mask-temperature",
            "fine-mask-temperature",
            "top-p",
            "min-p",
            "typical",
            "strength",
        )
        for value in ("-1", "nan", "inf", "x", "1e99")
    ),
    *([*VAMP, "--cutoff", value] for value in ("nan", "-inf", "x")),
    *([*VAMP, "--seed", value] for value in ("1.5", "x", "nan", str(2**60), "None", "1e3")),
    *(
        [*VAMP, f"--{name}", value]
        for name in ("schedule", "annealing", "stereo", "device", "model", "adapters")
        for value in ("no-such", "")
    ),
    *(
        [*VAMP, "--follow", value]
        for value in ("rhythm", "rhythm:", "rhythm:none.wav", "melody:in.wav", "loudness:text.wav")
    ),
    *(["again", record, "in.wav", "out.wav"] for record in ("none.json", "in.wav", "empty", "text.wav", "")),
    *(["compose", "out.wav", "--seconds", value] for value in ("nan", "-1", "0", "1e9", "x", "inf")),
    *(
        ["compose", target, "--seconds", "1"]
        for target in ("in.wav", "empty", "out.mp3", "file/a.wav", "", "z" * 400 + ".wav")
    ),
    *(["compose", "out.wav", "--seed", value] for value in ("-1", "1.5", "x", str(10**30))),
    ["compose", "out.wav", "--genre", "none"],
    *(
        ["demo", "--out", "d", f"--{name}", value]
        for name, value in (
            ("seconds", "nan"),
            ("seconds", "-3"),
            ("clip", "none"),
            ("seed", "x"),
            ("seed", str(2**70)),
        )
    ),
    ["demo", "--out", "file"],
    ["demo", "--out", "."],
    ["lab", "--port", "-1"],
    ["lab", "--port", "99999999"],
    ["lab", "--port", "x"],
    ["nonsense"],
    [""],
    ["data", "build", "none", "--out", "s"],
    ["data", "build", "empty", "--out", "s"],
    ["data", "build", "empty", "--out", "file"],
    ["data", "nonsense"],
    *(
        ["data", "build", "empty", "--out", "s", f"--{name}", value]
        for name, value in (
            ("composed", "-1"),
            ("seconds", "nan"),
            ("floor", "nan"),
            ("processes", "0"),
            ("first-seed", "-1"),
            ("mirdata", "x"),
        )
    ),
    *(
        ["train", "coarse", "--out", "t", f"--{name}", value]
        for name, value in (
            ("minutes", "nan"),
            ("minutes", "-1"),
            ("processes", "0"),
            ("stream", "-1"),
            ("accumulate", "0"),
            ("store", "empty"),
            ("codec", "none"),
            ("preset", "huge"),
        )
    ),
    ["train", "nothing"],
    ["finetune", "none"],
    ["finetune", "empty"],
    *(["finetune", "empty", f"--{name}", "-1"] for name in ("steps", "rank", "minutes")),
]


@pytest.mark.parametrize("number", range(len(WORDS)))
def test_words_that_do_not_fit_get_a_sentence(place, capsys, number):
    before = {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}
    code, said = run(WORDS[number], capsys)
    assert code == 2, f"{WORDS[number]} ended with {code}: {said}"
    assert {p: p.read_bytes() for p in place.rglob("*") if p.is_file() and p in before} == before
    assert not (place / "out.wav").exists()


def test_a_folder_goes_on_after_a_failure_and_where_it_stopped(place, capsys):
    songs = place / "songs"
    songs.mkdir()
    for name in ("a", "c"):
        Clip.load("in.wav").save(songs / f"{name}.wav")
    (songs / "b.wav").write_text("no sound")
    (songs / "d.wav").symlink_to(songs / "d.wav")
    code, said = run(["vamp", "songs", "made", *QUICK], capsys)
    assert code == 2 and said.count("failed: ") == 2 and "2 of 4 takes were not made" in said and "b.wav" in said
    made = {p.name: p.stat().st_mtime_ns for p in (place / "made").iterdir()}
    assert set(made) == {"a.json", "a.wav", "c.json", "c.wav"}
    os.unlink(songs / "d.wav")
    Clip.load("in.wav").save(songs / "b.wav")
    code, said = run(["vamp", "songs", "made", *QUICK], capsys)
    assert code == 0
    now = {p.name: p.stat().st_mtime_ns for p in (place / "made").iterdir()}
    assert {name: now[name] for name in made} == made and set(now) - set(made) == {"b.json", "b.wav"}
    run(["vamp", "songs", "made", *QUICK, "--seed", "5"], capsys)
    assert all(json.loads((place / "made" / f"{n}.json").read_text())["seed"] == 5 for n in "abc"), "other settings"


def test_names_that_are_no_text_are_shown(place, capsysbinary):
    name = os.fsdecode(b"\xff.wav")
    os.rename("in.wav", name)
    cli.main(["vamp", name, os.fsdecode(b"\xfe.wav"), *QUICK])
    assert os.path.exists(os.fsdecode(b"\xfe.wav")) and os.path.exists(os.fsdecode(b"\xfe.json"))


def test_stereo_stays_stereo_and_mono_is_by_asking(place, tone, capsys):
    two = np.concatenate([tone.samples, 0.3 * tone.samples[:, ::-1]])[:, :30_000]
    Clip(two, tone.rate).save("two.wav")
    for rate in (44_100, 48_000, 96_000, 22_050):
        Clip(two, rate).save(f"{rate}.wav")
        run(["vamp", f"{rate}.wav", f"out-{rate}.wav", *QUICK], capsys)
        assert Clip.load(f"out-{rate}.wav").samples.shape == two.shape, rate
    run(["vamp", "two.wav", "mono.wav", "--stereo", "mix", *QUICK], capsys)
    assert Clip.load("mono.wav").channels == 1
    run(["again", "mono.json", "two.wav", "again.wav"], capsys)
    assert np.array_equal(Clip.load("again.wav").samples, Clip.load("mono.wav").samples)


def test_a_full_disk_gets_a_sentence_and_leaves_what_was_whole(place, capsys, monkeypatch):
    import soundfile

    run(["vamp", "in.wav", "out.wav", *QUICK], capsys)
    before = {name: (place / name).read_bytes() for name in ("out.wav", "out.json")}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    for module, name in ((soundfile.SoundFile, "write"), (type(place), "write_text")):
        with monkeypatch.context() as play:
            play.setattr(module, name, full)
            code, said = run(["vamp", "in.wav", "out.wav", "--seed", "3", *QUICK], capsys)
        assert code == 2 and "the disk is full" in said
        assert {name: (place / name).read_bytes() for name in before} == before
        assert not [p for p in place.iterdir() if "part" in p.name]
