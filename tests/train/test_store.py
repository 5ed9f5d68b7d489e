"""Token stores: what goes in comes out, bad files are listed, a stop loses nothing, processes change nothing."""

import json
import sys
import types

import numpy as np
import pytest
import soundfile
import torch

from vampkit import cli
from vampkit.audio import Clip
from vampkit.errors import VampkitError
from vampkit.train import store, train_masked


@pytest.fixture(scope="module")
def codec_path(small_codec, tmp_path_factory):
    return small_codec.save(tmp_path_factory.mktemp("codec") / "small.safetensors", dtype=torch.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five sounds in five formats by two artists, one with a silent middle, an empty file and a silent one."""
    root = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    for number, suffix in enumerate((".wav", ".flac", ".ogg")):
        sound = 0.1 * rng.standard_normal(44_100 * 9).astype(np.float32)
        if number == 0:
            sound[44_100 * 3 : 44_100 * 6] = 0
        Clip(sound, 44_100).save(root / f"artist{number % 2}" / f"{number}{suffix}")
    (root / "artist0" / "empty.wav").write_bytes(b"")
    for suffix, kind in ((".mp3", ("MP3", "MPEG_LAYER_III")), (".opus", ("OGG", "OPUS"))):
        sound = 0.1 * rng.standard_normal(48_000 * 4).astype(np.float32)
        soundfile.write(root / "artist1" / f"lossy{suffix}", sound, 48_000, format=kind[0], subtype=kind[1])
    Clip(np.zeros(44_100 * 4, np.float32), 44_100).save(root / "artist1" / "silent.wav")
    return root


@pytest.fixture(scope="module")
def built(folder, codec_path, tmp_path_factory):
    return store.build_store(
        [folder], tmp_path_factory.mktemp("store") / "a", codec_path, composed=2, first_seed=1_000_000, seconds=4.0
    )


def test_tracks_are_what_the_codec_says(built, folder, small_codec):
    assert len(built) == 7 and built.codec == small_codec.hash
    at = next(i for i, row in enumerate(built.tracks) if row["name"] == "1")
    clip = Clip.load(folder / "artist1" / "1.flac").at_loudness(-24)
    assert (built.codes(at) == small_codec.encode_samples(clip.samples[0])[0]).float().mean() > 0.999
    assert {row["source"].rsplit("/")[-1] for row in built.skipped} == {"empty.wav", "silent.wav"} and all(
        row["error"] for row in built.skipped
    )
    truth = built.tracks[-1]["truth"]
    assert {"tempo", "beats", "downbeats", "key", "chords", "sections", "instruments", "genre"} <= set(truth)


def test_silent_parts_are_not_drawn(built):
    row = next(row for row in built.tracks if row["name"] == "0")
    assert row["salient"] == [[0, 172], [345, 516]]
    crops = built.crops(50, 4, 100, np.random.default_rng(0))
    assert crops.shape == (50, 4, 100) and torch.equal(crops, built.crops(50, 4, 100, np.random.default_rng(0)))
    assert torch.equal(built.held_out(3, 4, 100), built.held_out(3, 4, 100))
    with pytest.raises(ValueError, match="shorter crops"):
        built.crops(1, 4, 5000, np.random.default_rng(0))


def test_loud_blocks_that_touch_are_one_part():
    """Of any length, so that models of 10 s find their crops."""
    noise = Clip(0.1 * np.random.default_rng(1).standard_normal(44_100 * 31).astype(np.float32), 44_100)
    assert store.salient(noise, -45.0, 44_100 / 768) == [[0, int(31 * 44_100 / 768)]]
    noise.samples[:, 44_100 * 9 : 44_100 * 12] = 0
    assert store.salient(noise, -45.0, 44_100 / 768) == [[0, 517], [689, 1780]]


def test_two_processes_make_the_same_store(built, folder, codec_path, tmp_path, monkeypatch):
    twice = store.build_store(
        [folder], tmp_path / "b", codec_path, composed=2, first_seed=1_000_000, seconds=4.0, processes=2
    )
    assert twice.tracks == built.tracks and all(torch.equal(twice.codes(i), built.codes(i)) for i in range(len(built)))


def test_a_stop_loses_nothing(built, folder, codec_path, tmp_path, monkeypatch):
    """Stopped inside the second shard, the first is kept, and the store becomes that of a run without a stop."""
    monkeypatch.setattr(store, "SHARD", 2)
    real, done = store.encoded, []

    def stopping(*given):
        done.append(given[0])
        if len(done) == 4:
            raise KeyboardInterrupt
        return real(*given)

    options = dict(codec=codec_path, composed=2, first_seed=1_000_000, seconds=4.0)
    monkeypatch.setattr(store, "encoded", stopping)
    with pytest.raises(KeyboardInterrupt):
        store.build_store([folder], tmp_path / "c", **options)
    assert len(store.TokenStore(tmp_path / "c").tracks) + len(store.TokenStore(tmp_path / "c").skipped) == 2
    again = store.build_store([folder], tmp_path / "c", **options)
    assert len(done) == 4 + 7, "what was finished is not done again"
    assert [row["name"] for row in again.tracks] == [row["name"] for row in built.tracks]
    grown = store.build_store([folder], tmp_path / "c", **options | {"composed": 3})
    assert len(grown) == len(built) + 1 and torch.equal(grown.codes(0), built.codes(0))
    with pytest.raises(VampkitError, match="another floor"):
        store.build_store([folder], tmp_path / "c", **options, floor=-30.0)


class Annotation:
    """Stand-in for mirdata's own: fields, and nothing else."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class Track:
    """Stand-in for a track of a mirdata dataset.

    Paths, annotations as properties, sound that must not be read, a file that is missing.
    """

    beats = Annotation(times=np.array([0.5, 1.0, 1.5]), positions=np.array([2, 1, 2]))
    chords = Annotation(intervals=np.array([[0.0, 2.0]]), labels=["C:maj"])
    notes = Annotation(intervals=np.array([[0.0, 1.0]]), pitches=np.array([440.0]), _confidence=None)
    key, tempo, artist, genre = None, np.float64(120.0), "someone", "folk"

    def __init__(self, path):
        self.audio_path = path

    @property
    def audio(self):
        raise AssertionError("the sound is read by the store")

    @property
    def melody(self):
        raise FileNotFoundError("not downloaded")


def test_annotations_of_a_dataset_are_kept(folder, codec_path, tmp_path, monkeypatch):
    fake = types.SimpleNamespace(
        initialize=lambda name, data_home: types.SimpleNamespace(
            load_tracks=lambda: {"7": Track(folder / "artist1" / "1.flac")}
        )
    )
    monkeypatch.setitem(sys.modules, "mirdata", fake)
    made = store.build_store([], tmp_path / "d", codec_path, mirdata={"toy": "somewhere"})
    truth = made.tracks[0]["truth"]
    assert truth.pop("annotations") == {
        "notes": {"intervals": [[0.0, 1.0]], "pitches": [440.0]}, "tempo": 120.0, "artist": "someone", "genre": "folk",
    }  # fmt: skip
    assert (
        truth == {"beats": [0.5, 1.0, 1.5], "downbeats": [1.0], "chords": [[0.0, 2.0, "C:maj"]]}
        and made.tracks[0]["artist"] == "someone"
    )


def test_a_model_trains_on_a_store_from_the_command_line(folder, tmp_path, capsys):
    cli.main(["data", "build", str(folder), "--out", str(tmp_path / "t"), "--composed", "1", "--seconds", "3"])
    shown = capsys.readouterr().out
    assert "6 tracks" in shown and "2 skipped" in shown and "empty.wav" in shown
    words = [
        "train",
        "coarse",
        "--preset",
        "ci",
        "--store",
        str(tmp_path / "t"),
        "--valid-store",
        str(tmp_path / "t"),
        "--out",
        str(tmp_path / "run"),
    ]
    cli.main(words)
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert (tmp_path / "run" / "model.safetensors").is_file() and "held_out_0.5" in rows[-1]


def test_a_store_of_another_codec_is_refused(built, tmp_path):
    with pytest.raises(VampkitError, match="build it with this codec"):
        train_masked("coarse", "ci", "tiny", tmp_path, store=built.folder)
    with pytest.raises(FileNotFoundError, match="data build"):
        store.TokenStore(tmp_path)
    with pytest.raises(ValueError, match="partly held out"):
        store.build_store([], tmp_path / "e", composed=3, first_seed=999_999)
    with pytest.raises(VampkitError, match="no sound was found"):
        store.build_store([], tmp_path / "e")
