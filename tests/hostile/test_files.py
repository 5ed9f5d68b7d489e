"""Files that are damaged, claim too much, or lie where they should not; records and weights that do not fit."""

import copy
import json
import os
import struct
import sys

import numpy as np
import pytest
import torch

from tests.hostile.sentences import ALLOWED, check_text, outcome
from vampkit.audio import Clip
from vampkit.audio.blocks import FileBlocks, save_blocks
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors, written
from vampkit.files import written as write
from vampkit.files.written import alone
from vampkit.model import MaskedTransformer
from vampkit.pipeline import again_file, load_vamp, vamp_file
from vampkit.pipeline.follow import load_controls, save_controls
from vampkit.pipeline.soundfiles import pairs
from vampkit.prompts import Periodic, Prefix, Prompt, parse
from vampkit.weights import load_adapters, load_codec, load_model, model_hash, save_adapters, save_model

QUICK = dict(passes=1, fine_passes=1)


@pytest.fixture(scope="module")
def sound(tone):
    return tone.excerpt(0, 0.5)


@pytest.fixture
def tokens(small_codec, sound):
    return small_codec.encode(sound)


def refused(found, note=""):
    assert isinstance(found, ALLOWED), f"a {type(found).__name__} was taken {note}"


def wav(rate=44_100, channels=1, bits=16, data=b"\0" * 2000, size=None, kind=1, block=None):
    """A wav file whose header says what one wants."""
    block = channels * bits // 8 if block is None else block
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels % 65536, rate, rate, block % 65536, bits)
    body = head + struct.pack("<4sI", b"data", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


HEADERS = {
    "a rate of 0": wav(rate=0),
    "a rate of 1": wav(rate=1),
    "a rate of 2^32": wav(rate=2**32 - 1),
    "no channels": wav(channels=0),
    "65535 channels": wav(channels=65_535),
    "1000 channels": wav(channels=1000),
    "no samples": wav(data=b""),
    "0 bits": wav(bits=0),
    "a kind of none": wav(kind=9),
    "1023 bits": wav(bits=1023),
    "half a header": wav()[:20],
    "only RIFF": b"RIFF",
    "an Ogg of nothing": b"OggS" + b"\0" * 100,
    "a FLAC of nothing": b"fLaC" + b"\0" * 100,
    "an MP3 of nothing": b"ID3" + b"\0" * 100,
    "text": b"hello",
    "zeros": b"\0" * 5000,
    "a PNG": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "nothing": b"",
    "a FLAC of 2^36 samples": b"fLaC\x80\0\0\x22"
    + b"\x10\0\x10\0"
    + b"\0" * 6
    + b"\x0a\xc4\x42\xff\xff\xff\xff\xff"
    + b"\0" * 16,
}


@pytest.mark.parametrize("name", HEADERS)
def test_what_a_header_claims_is_checked(vamp, tmp_path, name):
    for suffix in ("wav", "flac", "ogg", "mp3"):
        path = tmp_path / f"in.{suffix}"
        path.write_bytes(HEADERS[name])
        refused(outcome(Clip.load, path))
        refused(
            outcome(FileBlocks, path) if "samples" not in name else outcome(lambda p=path: list(FileBlocks(p).blocks()))
        )
        refused(outcome(vamp_file, vamp, path, tmp_path / "out.wav", Periodic(7), **QUICK))
    assert not list(tmp_path.glob("*out*"))


def stereo(tone):
    return Clip(np.concatenate([tone.samples, 0.5 * tone.samples[:, ::-1]]), tone.rate)


@pytest.mark.parametrize("suffix", ["flac", "ogg", "wav"])
def test_damaged_files_get_a_sentence_or_sound(vamp, tone, tmp_path, suffix):
    path = stereo(tone.excerpt(0, 1)).save(tmp_path / f"in.{suffix}")
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for number in range(40):
        data = bytearray(whole)
        if number % 2:
            for place in rng.integers(0, len(data), 1 + number):
                data[place] ^= 1 << int(rng.integers(8))
        else:
            del data[int(len(data) * (number + 1) / 42) :]
        path.write_bytes(data)
        for read in (Clip.load, lambda p: sum(block.size for block in FileBlocks(p).blocks())):
            outcome(read, path)
        if number < 8:
            outcome(vamp_file, vamp, path, tmp_path / "out.wav", Periodic(7), **QUICK)


def test_names_and_places_that_cannot_be_used(vamp, sound, tmp_path):
    good = sound.save(tmp_path / "in.wav")
    loop = tmp_path / "loop.wav"
    loop.symlink_to(loop)
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "plain").write_text("x")
    os.mkfifo(tmp_path / "pipe.wav")
    for source in (
        loop,
        tmp_path / "folder.wav",
        tmp_path / "pipe.wav",
        tmp_path / "plain" / "a.wav",
        tmp_path / ("x" * 300),
        "/dev/zero",
        "/proc/self/mem",
        tmp_path / "none.wav",
        str(tmp_path) + "/a\0.wav",
    ):
        refused(outcome(Clip.load, source))
        refused(outcome(vamp.vamp, source, Periodic(7), **QUICK))
        refused(outcome(vamp_file, vamp, source, tmp_path / "out.wav", Periodic(7), **QUICK))
    for target in (
        loop,
        tmp_path / "folder.wav",
        tmp_path / "pipe.wav",
        tmp_path / "plain" / "a.wav",
        tmp_path / f"{'x' * 300}.wav",
        tmp_path / "a.mp3",
        tmp_path / "a",
        tmp_path,
        good,
        tmp_path / "." / "in.wav",
        str(tmp_path) + "/a\0.wav",
        tmp_path / "in.WAV" if os.path.exists(tmp_path / "in.WAV") else good,
        None,
        3,
        "/proc/a.wav",
    ):
        refused(outcome(vamp_file, vamp, good, target, Periodic(7), **QUICK))
        refused(outcome(vamp.vamp(sound, Periodic(7), **QUICK).save, target))
    assert np.array_equal(Clip.load(good).samples, sound.samples), "the source is as it was"
    for name in ("y" * 240 + ".wav", "\udcff.wav", "a b\n.wav", "ü.wav", "<img src=x>.wav", "-x.wav", "a.b.wav"):
        path = vamp_file(vamp, good, tmp_path / "odd" / name, "periodic:7", **QUICK)
        again = vamp_file(vamp, path, tmp_path / "odd2" / name, "periodic:7", **QUICK)
        assert path.is_file() and again.with_suffix(".json").is_file()
    assert not [p for p in tmp_path.rglob("*") if "part" in p.name]


def test_what_may_not_be_read_or_written_gets_a_sentence(vamp, sound, tmp_path, monkeypatch):
    """Who runs the tests as root may read everything, so the system's answers are played."""
    good = sound.save(tmp_path / "in.wav")

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    for module, name in ((os, "open"), (os, "stat"), ("pathlib.Path", "mkdir"), ("pathlib.Path", "replace")):
        with monkeypatch.context() as play:
            play.setattr(f"{module}.{name}" if isinstance(module, str) else f"os.{name}", denied)
            found = outcome(write_once, tmp_path / "new" / "a.txt")
        assert isinstance(found, VampkitError) and "Permission denied" in str(found), (name, found)
    with monkeypatch.context() as play:
        play.setattr("os.access", lambda *_: False)
        refused(outcome(vamp_file, vamp, good, tmp_path / "b.wav", Periodic(7), **QUICK))
    for name in ("is_file", "iterdir"):
        with monkeypatch.context() as play:
            play.setattr(f"pathlib.Path.{name}", denied)
            refused(
                outcome(Clip.load, good)
                if name == "is_file"
                else outcome(lambda: list(pairs(tmp_path, tmp_path / "o")))
            )


def write_once(path):
    with written(path) as part:
        part.write_text("x")


def test_nothing_of_the_users_is_overwritten(vamp, sound, tmp_path):
    source = sound.save(tmp_path / "in.wav")
    take = vamp_file(vamp, source, tmp_path / "a.wav", Periodic(7), **QUICK)
    vamp_file(vamp, source, take, Periodic(5), **QUICK)  # its own output
    vamp.vamp(sound, Periodic(5), **QUICK).save(take)
    mine = sound.gain(-6).save(tmp_path / "mine.wav")
    before = mine.read_bytes()
    refused(outcome(vamp_file, vamp, source, mine, Periodic(7), **QUICK))
    refused(outcome(again_file, vamp, take.with_suffix(".json"), source, mine))
    refused(outcome(again_file, vamp, take.with_suffix(".json"), source, source))
    refused(outcome(vamp.vamp(sound, Periodic(7), **QUICK).save, mine))
    os.link(source, tmp_path / "same.wav")
    (tmp_path / "link.wav").symlink_to(source)
    for other in ("same.wav", "link.wav"):
        refused(outcome(vamp_file, vamp, source, tmp_path / other, Periodic(7), **QUICK))
    (tmp_path / "notes.json").write_text('{"my": "notes"}')
    refused(outcome(vamp_file, vamp, source, tmp_path / "notes.wav", Periodic(7), **QUICK))
    assert mine.read_bytes() == before and (tmp_path / "notes.json").read_text() == '{"my": "notes"}'
    assert np.array_equal(Clip.load(source).samples, sound.samples)


def test_a_mistake_is_found_before_the_work_and_leaves_nothing(vamp, sound, tmp_path):
    source = sound.save(tmp_path / "in.wav")
    made = []
    coarse, vamp.coarse = vamp.coarse, None
    try:
        for target in ("a.mp3", "in.wav", "b"):
            refused(
                outcome(vamp_file, vamp, source, tmp_path / target, Periodic(7), progress=lambda *x: made.append(x))
            )
    finally:
        vamp.coarse = coarse
    assert not made and {p.name for p in tmp_path.iterdir()} == {"in.wav"}


def test_two_writers_of_one_file_wait_or_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["vampkit.files.written"], "PATIENCE", 0.1)
    with written(tmp_path / "a.txt") as part:
        part.write_text("first")
        refused(outcome(write_once, tmp_path / "a.txt"))
    assert (tmp_path / "a.txt").read_text() == "first"
    with alone(tmp_path):
        refused(outcome(lambda: alone(tmp_path).__enter__()))
    with alone(tmp_path):
        pass
    (tmp_path / ".b.txt.vampkit-part").write_text("left by a process that was killed")
    with write(tmp_path / "b.txt") as part:
        part.write_text("whole")
    assert {p.name for p in tmp_path.iterdir()} == {"a.txt", "b.txt"} and (tmp_path / "b.txt").read_text() == "whole"


def test_equal_content_makes_equal_files(vamp, tokens, tmp_path):
    for make in (tokens.save, lambda p: save_model(vamp.coarse, p, vamp.codec.hash), vamp.codec.save):
        files = [make(tmp_path / f"{n}.safetensors").read_bytes() for n in range(8)]
        assert len(set(files)) == 1


def test_peaks_above_full_scale_are_told_and_softened_where_a_file_cannot_hold_them(tone, tmp_path):
    loud = tone.gain(20)
    assert loud.peak() > 0
    for suffix in ("flac", "ogg", "wav"):
        with pytest.warns(UserWarning, match="above full scale"):
            path = loud.save(tmp_path / f"a.{suffix}")
        made = Clip.load(path).samples
        assert suffix == "wav" or np.abs(made).max() < 1.05
        assert made.shape == loud.samples.shape
    quiet = np.array_split(tone.samples, 7, axis=1)
    save_blocks(quiet, tone.rate, tmp_path / "q.flac")
    assert np.abs(Clip.load(tmp_path / "q.flac").samples - tone.samples).max() < 2**-22, "nothing else changes"
    from vampkit.audio.limit import CEILING, limited

    joined, whole = (
        np.concatenate(list(limited(np.array_split(loud.samples, n, axis=1), loud.rate)), 1) for n in (31, 1)
    )
    assert joined.shape == loud.samples.shape and np.allclose(joined, whole, atol=1e-6)
    assert np.abs(joined).max() <= CEILING + 1e-6


# Records


@pytest.fixture
def record(vamp, sound):
    return json.loads(json.dumps(vamp.vamp(sound, Periodic(7), **QUICK).record))


BAD = [None, 3, "x", [], {}, [1], True, -1, 1e300, "9" * 1000, {"a": {"b": 1}}]


def test_every_field_of_a_record_is_checked(vamp, sound, record, tmp_path):
    """Each field is left out, and replaced by what it must not be; a take comes only of what is understood."""
    taken = 0
    for name in record:
        for value in ("gone", *BAD):
            bad = copy.deepcopy(record)
            if value == "gone":
                del bad[name]
            else:
                bad[name] = value
            found = outcome(vamp.again, bad, sound)
            taken += not isinstance(found, Exception)
            if name not in (
                "model",
                "source",
                "credit",
                "python",
                "vampkit",
                "hidden",
                "seed",
                "strength",
                "stereo",
                "restore",
                "roll",
                "feedback",
            ):
                refused(found, (name, value))
    for name in ("coarse", "fine", "windows"):
        for field in record[name]:
            for value in ("gone", *BAD):
                bad = copy.deepcopy(record)
                if value == "gone":
                    del bad[name][field]
                    if field != "typical_min_tokens":  # which older records lack
                        refused(outcome(vamp.again, bad, sound))
                else:
                    bad[name][field] = value
                    outcome(vamp.again, bad, sound)
        refused(outcome(vamp.again, record | {name: record[name] | {"more": 1}}, sound))
    for field in record["prompt"]:
        for value in BAD:
            bad = copy.deepcopy(record)
            bad["prompt"][field] = value
            outcome(vamp.again, bad, sound)
    assert taken < 60, "only fields that nothing is made of may hold anything"


def nested(depth):
    prompt = {"type": "Periodic"}
    for _ in range(depth):
        prompt = {"type": "Opposite", "prompt": prompt}
    return prompt


def test_records_that_mix_themselves_or_nest_without_end(vamp, sound, record):
    mask = Prefix(0.2).mask(vamp.codec.encode(sound))
    from vampkit.prompts import Drawn

    mix = {"format": record["format"], "mix": [record, record], "mask": Drawn(mask).to_json()}
    assert not isinstance(outcome(vamp.again, mix, sound), Exception)
    itself = dict(mix)
    itself["mix"] = [record, itself]
    twice = dict(mix)
    for _ in range(40):
        twice = mix | {"mix": [twice, twice]}
    deep = dict(mix)
    for _ in range(900):
        deep = mix | {"mix": [record, deep]}
    for bad in (
        *(
            itself,
            twice,
            deep,
            mix | {"mix": [record]},
            mix | {"mix": None},
            mix | {"mix": [1, 2]},
            mix | {"mask": None},
        ),
        *(
            {k: v for k, v in mix.items() if k != "mask"},
            mix | {"mix": [record] * 3},
            mix | {"mask": Periodic(7).to_json()},
        ),
    ):
        found = outcome(vamp.again, bad, sound)
        refused(found) if bad.get("mask") != Periodic(7).to_json() else None
    for depth in (101, 900, 5000):
        refused(outcome(Prompt.from_json, {"format": "vampkit.prompt/1"} | nested(depth)))
        refused(outcome(vamp.again, record | {"prompt": {"format": "vampkit.prompt/1"} | nested(depth)}, sound))


TEXTS = [
    "",
    "{",
    "null",
    "3",
    "[]",
    '"x"',
    "{}",
    "NaN",
    '{"format": NaN}',
    "[" * 900,
    "[" * 100_000,
    "\0",
    "\ufeff{}",
    "é" * 10,
    '{"a":' * 900 + "1" + "}" * 900,
    "9" * 100_000,
    '{"format": "vampkit.take/1"}',
    '{"format": "vampkit.take/2"}',
    '{"format": "vampkit.prompt/1"}',
    '{"format": "vampkit.prompt/1", "type": []}',
    '{"format": ["vampkit.take/2"]}',
    '{"format": "vampkit.prompt/1", "type": "Either", "a": 1, "b": 2}',
    '{"format":"vampkit.prompt/1","type":"Prompt"}',
    '{"format": "vampkit.prompt/1", "type": "Periodic", "period": 1e400}',
    '{"format":"vampkit.prompt/1","type":"Wrapped"}',
    '{"format": "vampkit.prompt/1", "type": "Periodic", "periods": 7}',
    '{"prompt": 3}',
    '{"prompt": {"type": "Periodic"}}',
    '{"format": "vampkit.prompt/1", "type": "Loop", "seconds": 1, "prompt": {"type": "Loop"}}',
    "{'format': 1}",
]


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_texts_that_are_no_json_of_ours(vamp, sound, tmp_path, number):
    path = tmp_path / "a.json"
    path.write_text(TEXTS[number], encoding="utf-8")
    refused(outcome(parse, f"json:{path}"))
    refused(outcome(Prompt.from_json, TEXTS[number]))
    refused(outcome(vamp.again, path, sound))
    refused(outcome(again_file, vamp, path, sound.save(tmp_path / "in.wav"), tmp_path / "out.wav"))


def test_bytes_that_are_no_text(vamp, sound, tmp_path):
    path = tmp_path / "a.json"
    for data in (b"\xff\xfe", bytes(range(256)), b"\x80" * 1000, "{}".encode("utf-16")):
        path.write_bytes(data)
        refused(outcome(parse, f"json:{path}"))
        refused(outcome(vamp.again, path, sound))
    for what in (tmp_path, tmp_path / "none.json", 3, None, b"a.json", [], "a\0"):
        refused(outcome(vamp.again, what, sound))


def npy(header):
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


ARRAYS = [
    b"",
    b"\x93NUMPY",
    npy("{}"),
    npy("("),
    npy("[" * 90),
    npy("{'descr': '|b1', 'fortran_order': False, 'shape': (10**9, 10**9)}"),
    npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1000000000, 1000000000)}"),
    npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
    npy("{'descr': '|b1', 'fortran_order': False, 'shape': (-1, 3)}"),
    npy("{'descr': '|b1', 'fortran_order': False, 'shape': ()}"),
    b"PK\x03\x04" + b"\0" * 99,
]


@pytest.mark.parametrize("number", range(len(ARRAYS)))
def test_arrays_that_are_no_masks(tmp_path, number):
    path = tmp_path / "mask.npy"
    path.write_bytes(ARRAYS[number])
    refused(outcome(parse, f"drawn:{path}"))


# Weights


def rewritten(path, header=None, change=None, drop=(), metadata=None):
    """The file with other settings, tensors or metadata."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, "pt") as file:
        old = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    settings = json.loads(old["settings"])
    settings = header(settings) if header else settings
    tensors = {n: (change(n, t) if change else t).contiguous() for n, t in tensors.items() if n not in drop}
    new = {"format": old["format"], "settings": json.dumps(settings)} if metadata is None else metadata
    save_file(tensors, path, metadata=new)
    return path


SIZES = [None, 0, -1, 10**9, 10**18, 1.5, "4", [], True, float("nan")]


def test_settings_of_weights_are_checked_before_memory_is_taken(vamp, tmp_path):
    model = tmp_path / "coarse.safetensors"
    for name in (
        "codebooks",
        "conditioning",
        "layers",
        "width",
        "heads",
        "entries",
        "latent",
        "dropout",
        "buckets",
        "max_distance",
    ):
        for value in SIZES:
            save_model(vamp.coarse, model, vamp.codec.hash)
            rewritten(model, lambda s, n=name, v=value: s | {"config": s["config"] | {n: v}})
            found = outcome(load_model, model, vamp.codec)
            if not (name in ("conditioning", "dropout") and value == 0) and (name, value) != ("dropout", 1.5):
                refused(found)
    save_model(vamp.coarse, model, vamp.codec.hash)
    rewritten(model, lambda s: s | {"config": s["config"] | {"max_distance": 7}})
    refused(outcome(load_model, model, vamp.codec))
    codec = tmp_path / "codec.safetensors"
    for name in (
        "encoder_dim",
        "encoder_rates",
        "decoder_dim",
        "decoder_rates",
        "n_codebooks",
        "codebook_size",
        "codebook_dim",
        "sample_rate",
        "latent_dim",
    ):
        for value in [*SIZES, [10**9], [8] * 99, [8, 6, 4, 5], [2.5], [None], {}]:
            vamp.codec.save(codec)
            rewritten(codec, lambda s, n=name, v=value: s | {n: v})
            found = outcome(load_codec, codec)
            if not (name == "latent_dim" and value is None):
                refused(found, (name, value))


@pytest.mark.parametrize("kind", ["model", "codec", "tokens", "adapters", "controls"])
def test_weights_that_are_damaged_or_lack_something(vamp, tokens, tmp_path, kind):
    from vampkit.controls import AdapterConfig, Adapters

    path = tmp_path / "a.safetensors"
    name = "transformer.layers.0.self_attn.w_qs"
    pair = (torch.ones(2, 32), torch.ones(32, 2))
    small, models = Adapters(AdapterConfig(1, 32, hidden=4, reading=4)), {"coarse": vamp.coarse}
    save, load = {
        "model": (lambda: save_model(vamp.coarse, path, vamp.codec.hash), lambda: load_model(path, vamp.codec)),
        "codec": (lambda: vamp.codec.save(path), lambda: load_codec(path)),
        "tokens": (lambda: tokens.save(path), lambda: Tokens.load(path)),
        "adapters": (
            lambda: save_adapters({name: pair}, path, model_hash(vamp.coarse), 0.5),
            lambda: load_adapters(path, vamp.coarse),
        ),
        "controls": (lambda: save_controls({"coarse": small}, path, models), lambda: load_controls(path, models)),
    }[kind]
    save()
    assert not isinstance(outcome(load), Exception)
    good, (settings, tensors) = path.read_bytes(), read_safetensors(path, json.loads(_metadata(path))["format"])
    for metadata in (
        {},
        {"format": "x"},
        {"format": _kind(path)},
        {"format": _kind(path), "settings": "{"},
        *({"format": _kind(path), "settings": text} for text in ("null", "[]", "3", "{}", '"x"', "[" * 900)),
    ):
        path.write_bytes(good)
        rewritten(path, metadata=metadata)
        refused(outcome(load))
    for field in settings:
        for value in (None, [], {}, 10**18, -1, "x", 1.5, float("nan"), [10**18]):
            path.write_bytes(good)
            rewritten(path, lambda s, f=field, v=value: s | {f: v})
            outcome(load)
        path.write_bytes(good)
        rewritten(path, lambda s, f=field: {k: v for k, v in s.items() if k != f})
        if field not in (
            "name",
            "credit",
            "stereo",
            "more",
            "latent_dim",
            "encoder_dim",
            "decoder_dim",
            "n_codebooks",
            "codebook_size",
            "codebook_dim",
            "sample_rate",
        ):
            refused(outcome(load))
    for tensor in list(tensors)[:6]:
        path.write_bytes(good)
        rewritten(path, drop=(tensor,))
        refused(outcome(load))
        changes = [lambda n, t: t[:0], lambda n, t: torch.zeros(3, 3, 3)]
        if kind != "tokens":
            changes += [
                lambda n, t: t * float("nan") if t.is_floating_point() else t,
                lambda n, t: t.float() * 0 + float("inf"),
            ]
        for change in changes:
            path.write_bytes(good)
            rewritten(path, change=change)
            found = outcome(load)
            assert isinstance(found, ALLOWED) or not any(t.is_floating_point() for t in _tensors(path).values())
    for data in (
        b"",
        b"\0" * 8,
        good[:50],
        good[: len(good) // 2],
        b"\xff" * 8 + good[8:],
        b"PK" + good,
        good[:8] + b"x" + good[9:],
        b"\x80\x02",
    ):
        path.write_bytes(data)
        refused(outcome(load))


def _metadata(path):
    size = struct.unpack("<Q", path.read_bytes()[:8])[0]
    return json.dumps(json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"])


def _kind(path):
    return json.loads(_metadata(path))["format"]


def _tensors(path):
    from safetensors.torch import load_file

    return load_file(path)


def test_adapters_that_would_add_nothing_or_too_much(vamp, tmp_path):
    path, name = tmp_path / "a.safetensors", "transformer.layers.0.self_attn.w_qs"
    a, b, base = torch.ones(2, 32), torch.ones(32, 2), model_hash(vamp.coarse)
    for adapters, scale in (
        ({}, 1.0),
        ({name: (a * float("nan"), b)}, 1.0),
        ({name: (a, b * float("inf"))}, 1.0),
        ({name: (a[:, :1], b)}, 1.0),
        ({name: (a, b[:1])}, 1.0),
        ({name: (a[:1], b)}, 1.0),
        ({"no.layer": (a, b)}, 1.0),
        ({"": (a, b)}, 1.0),
        ({name: (a, b)}, float("nan")),
        ({name: (a, b)}, float("inf")),
        ({name: (a, b)}, None),
        ({name: (a, b)}, "1"),
        ({"transformer.norm": (a, b)}, 1.0),
        ({name: (a[0], b[:, 0])}, 1.0),
        ({name: (a, b)}, 1e30),
    ):
        save_adapters(adapters, path, base, scale)
        refused(outcome(load_adapters, path, vamp.coarse))
    for lone in (f"{name}.A", f"{name}.B", f"{name}.C", "x"):
        write_safetensors({lone: a}, path, "vampkit.adapters/1", {"base": base, "scale": 1.0})
        refused(outcome(load_adapters, path, vamp.coarse))


def test_models_that_are_none(tmp_path):
    for name in (None, 3, b"tiny", [], "", "no model", "\0", "x" * 5000, tmp_path, "/dev/null", float("nan")):
        refused(outcome(load_vamp, name))
    for device in (None, 3, "gpu", [], "CPU", "cuda:9"):
        refused(outcome(load_vamp, "tiny", None, device))
    for adapters in (3, b"x", "none", tmp_path, []):
        refused(outcome(load_vamp, "tiny", adapters))


def test_tables_of_another_codec_make_no_model(vamp):
    config = vamp.coarse.config
    refused(outcome(MaskedTransformer, config, torch.zeros(4, 10, 8)))
    check_text("what was wrong, what was expected; what to do")
