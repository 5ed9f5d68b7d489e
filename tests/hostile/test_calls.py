"""Calls with hostile or careless values: every class of them, many members of each."""

import contextlib
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.hostile.sentences import ALLOWED, outcome
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.controls import Loudness, Rhythm
from vampkit.pipeline import TakeSettings, Windows, take_settings
from vampkit.prompts import (
    Beats,
    Both,
    Compression,
    Continuation,
    Drawn,
    Dropout,
    Either,
    Everything,
    Inpaint,
    Loop,
    Nothing,
    On,
    Onsets,
    Opposite,
    Outpaint,
    Periodic,
    Prefix,
    Prompt,
    Random,
    RandomShare,
    Stretch,
    Suffix,
    parse,
)

QUICK = dict(passes=1, fine_passes=1)
NAN, INF = math.nan, math.inf


class Strange:
    """An object whose every view of it fails."""

    def __repr__(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


NO_NUMBERS = [None, "3", b"3", [], [3], {}, (1, 2), object(), Strange(), NAN, INF, -INF, 1j, True, np.nan, np.zeros(3)]
NO_NUMBERS += [10**400, -(10**400), 1e308, Periodic, lambda: 3, np.float64("inf"), torch.tensor([1.0, 2.0]), Path("3")]


@pytest.fixture(scope="module")
def sound(tone):
    return tone.excerpt(0, 0.5)


@pytest.fixture(scope="module")
def tokens(small_codec, sound):
    return small_codec.encode(sound)


def refused(found):
    assert isinstance(found, ALLOWED), f"{found!r} was taken"


@pytest.mark.parametrize(
    "name",
    ["seed", "passes", "fine_passes", "temperature", "mask_temperature", "fine_mask_temperature", "top_k", "top_p"]
    + ["min_p", "typical", "cutoff", "feedback", "roll", "strength"],
)
def test_settings_that_are_no_numbers_are_refused(name):
    optional = name in ("fine_passes", "top_k", "top_p", "min_p", "typical")
    for value in NO_NUMBERS:
        if not (optional and value is None):
            refused(outcome(take_settings, **{name: value}))


@pytest.mark.parametrize(
    "name, values",
    [
        ("seed", [1.5, 2**53 + 1, -(2**60), 2**64, "1"]),
        ("passes", [0, -1, 1025, 10**9, 1.0, 3.5]),
        ("fine_passes", [0, -1, 10**9, 2.5]),
        ("temperature", [-1, -1e-9, 1e5, 1e300]),
        ("mask_temperature", [-0.1, 1e9]),
        ("fine_mask_temperature", [-0.1, 1e9]),
        ("top_k", [0, -1, 2.5, 2**40]),
        ("top_p", [0, -0.1, 1.1, True, 2]),
        ("min_p", [0, 1.1, False]),
        ("typical", [0, 1.5]),
        ("cutoff", [1e9, -1e9]),
        ("feedback", [0, 65, 10**9, 1.5]),
        ("roll", [2**40, 0.5]),
        ("strength", [-1, 1e9]),
        ("restore", [None, 1, "yes", 0, [], "False"]),
        ("schedule", ["", "cos", None, ["cosine"], 3, {}, "Cosine"]),
        ("annealing", ["exponential", None, [], b"linear"]),
        ("stereo", ["left", None, 2, True, "mid side"]),
        ("windows", [None, 575, (575, 172, 57), {}, "shared", [1], Windows]),
        ("follow", [3, "rhythm", None, [None], [Rhythm], {"a": 1}, {1}]),
    ],
)
def test_settings_out_of_their_range_are_refused(name, values):
    for value in values:
        refused(outcome(take_settings, **{name: value}))


def test_an_unknown_setting_is_refused():
    for name in ("loudness", "Seed", "coarse", "fine", "", "seed "):
        refused(outcome(take_settings, **{name: 1}))
    for value in (None, 3, {}, "x"):
        refused(outcome(TakeSettings, coarse=value))
        refused(outcome(TakeSettings, fine=value))


@pytest.mark.parametrize("value", [*NO_NUMBERS, -1, 4097, 10**12, 1.5])
def test_windows_take_whole_numbers_within_memory(value):
    for name in ("coarse", "fine", "coarse_context", "coarse_ahead"):
        refused(outcome(Windows, **{name: value}))
    if not isinstance(value, bool):
        refused(outcome(Windows, reference=value))


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8, np.float32, np.float64, torch.tensor])
def test_numbers_of_numpy_and_torch_are_numbers(vamp, tokens, kind):
    given = dict(temperature=kind(1), mask_temperature=kind(6), cutoff=kind(1))
    if kind not in (np.float32, np.float64):
        given |= dict(seed=kind(3), passes=kind(2), fine_passes=kind(1), roll=kind(1), feedback=kind(1), top_k=kind(7))
    plain = {name: value.item() for name, value in given.items()}
    take, same = (vamp.vamp(tokens, Periodic(7), **x) for x in (given, plain))
    assert torch.equal(take.tokens.codes, same.tokens.codes)
    assert json.dumps(take.record) == json.dumps(same.record)
    assert Periodic(np.int64(7), np.int32(2)) == Periodic(7, 2) and On(Periodic(7), np.int64(1)) == Periodic(7).on(1)


PROMPTS = {
    "numbers instead of prompts": [
        lambda: Either(1, 2),
        lambda: Both(Periodic(7), 3),
        lambda: Opposite(None),
        lambda: Dropout("periodic:7", 0.2),
        lambda: On(3, 0),
        lambda: Stretch(2, 5),
        lambda: Loop(seconds=1.0, prompt="nothing"),
        lambda: Opposite(Periodic),
        lambda: Either({}, []),
        lambda: Both(None, None),
    ],
    "absurd sizes": [
        lambda: Periodic(10**36),
        lambda: Periodic(7, 10**30),
        lambda: Periodic(7, 1, 10**60),
        lambda: Periodic(2**80),
        lambda: Continuation(1e9),
        lambda: Outpaint(1e9, 0),
        lambda: Outpaint(0, 1e18),
        lambda: Stretch(10**9),
        lambda: Beats(before=1e9),
        lambda: Onsets(after=1e6),
        lambda: Compression(10**30),
        lambda: Prefix(1e300),
        lambda: Random(0.5, seed=10**30),
        lambda: RandomShare(0.5, seed=2**70),
        lambda: Loop(bars=10**40),
        lambda: On(Periodic(7), 10**12),
        lambda: On(Periodic(7), range(10**9)),
        lambda: Beats(every=10**30),
        lambda: Onsets(times=itertools.count()),
        lambda: Beats(beats=itertools.repeat(1.0)),
        lambda: On(Periodic(7), itertools.count()),
    ],
    "numbers that are none": [
        *(lambda v=v: Periodic(v) for v in NO_NUMBERS),
        *(lambda v=v: Prefix(v) for v in NO_NUMBERS),
        *(lambda v=v: Random(v) for v in NO_NUMBERS),
        *(lambda v=v: Stretch(v) for v in NO_NUMBERS),
    ],
    "times that are none": [
        lambda: Beats(beats="0.5/1"),
        lambda: Beats(beats=[1, 0]),
        lambda: Beats(beats=[NAN]),
        lambda: Beats(beats=3),
        lambda: Onsets(times=[-1]),
        lambda: Onsets(times=[None]),
        lambda: Onsets(times={"a": 1}),
        lambda: Onsets(times=[10**400]),
        lambda: Beats(beats=np.zeros((2, 2))),
        lambda: Beats(beats=[INF]),
    ],
    "codebooks that are none": [
        lambda: On(Periodic(7), []),
        lambda: On(Periodic(7), -1),
        lambda: On(Periodic(7), None),
        lambda: On(Periodic(7), "01"),
        lambda: On(Periodic(7), [NAN]),
        lambda: On(Periodic(7), [INF]),
        lambda: On(Periodic(7), 0.5),
        lambda: On(Periodic(7), [True]),
        lambda: On(Periodic(7), [[0]]),
    ],
    "drawings that are none": [
        lambda: Drawn(None),
        lambda: Drawn(3),
        lambda: Drawn("x"),
        lambda: Drawn(""),
        lambda: Drawn([[True], [True, False]]),
        lambda: Drawn(np.zeros((14, 3))),
        lambda: Drawn([]),
        lambda: Drawn(np.zeros((0, 3), bool)),
        lambda: Drawn("1x1:é"),
        lambda: Drawn("99999999x99999999:AAAA"),
        lambda: Drawn(f"{'9' * 5000}x1:A"),
        lambda: Drawn(torch.zeros(14, 3)),
        lambda: Drawn({"a": 1}),
        lambda: Drawn("2x12:8A8w\n"),
        lambda: Drawn(Strange()),
        lambda: Drawn(b"2x12:8A8w"),
    ],
}


@pytest.mark.parametrize("what", PROMPTS)
def test_prompts_of_nonsense_are_refused(what):
    for number, make in enumerate(PROMPTS[what]):
        found = outcome(make)
        assert isinstance(found, ALLOWED), f"{what} {number}: {found!r} was taken"


def test_prompts_that_fit_no_sound_are_refused_and_none_takes_the_memory(vamp, sound):
    with contextlib.suppress(*ALLOWED):
        vamp.vamp(sound, Loop(bars=4), **QUICK)  # librosa compiles its beat tracker at the first use of all
    nested = Periodic(7)
    for _ in range(90):
        nested = ~nested
    outcome(vamp.vamp, sound, nested, **QUICK)
    for prompt in (
        *(Prefix(1e6), Suffix(9), Inpaint(0.1, 1e9), Compression(99), Periodic(7).on(99), Drawn("2x12:8A8w")),
        *(Stretch(2**20), Stretch(1024, Stretch(1024, Stretch(1024))), Loop(seconds=1.0), Loop(seconds=0.4, start=1e6)),
        *(Continuation(1, prefix=9), Continuation(1) | Periodic(7), Loop(bars=4), Beats(beats=[1e6]), Beats(beats=[])),
        *(
            Loop(seconds=0.2, prompt=Stretch(2)),
            Outpaint(1, 1) & Stretch(2),
            Prefix(
                0.4,
            )
            & Continuation(0.1),
        ),
    ):
        refused(outcome(vamp.vamp, sound, prompt, **QUICK))
    for prompt in (
        *(
            Periodic(10**6),
            Periodic(1, 10**6),
            Periodic(3, 2**20, -(10**9)),
            Periodic(7, 7),
            Beats(30, 30, beats=[0.1]),
        ),
        *(Everything(), Nothing(), Periodic(0), Random(1.0), Random(0.0), RandomShare(0), Dropout(Periodic(7), 1)),
        *(Compression(0), Prefix(0), Continuation(0), Outpaint(), Stretch(1), Suffix(0.5), Compression(14, 2**20)),
    ):
        found = outcome(vamp.vamp, sound, prompt, **QUICK)
        assert not isinstance(found, Exception), f"{prompt}: {found}"


def test_a_wide_period_is_the_mask_of_its_frames(tokens):
    from vampkit import masks

    for period, width, offset in itertools.product((1, 2, 5, 8, 60), (1, 2, 5, 8, 9, 31, 100), (-3, 0, 4, 50)):
        expected = masks.periodic(14, tokens.frames, period, width, offset)
        assert torch.equal(Periodic(period, width, offset).mask(tokens), expected), (period, width, offset)


WORDS = [
    "",
    " ",
    "periodic",
    "periodic:",
    "periodic:x",
    "periodic:7,7,7,7,7,7",
    "periodic:7:7",
    "periodic:nan",
    "periodic:inf",
    "periodic:1e36",
    "periodic:-1",
    "periodic:7+",
    "+periodic:7",
    "periodic:7&",
    "&",
    "~",
    "~~",
    "(",
    ")",
    "()",
    "(periodic:7",
    "periodic:7)",
    "periodic:7 periodic:7",
    "louder:3",
    "prefix:1e999",
    "prefix:-1",
    "prefix:abc",
    "loop",
    "loop:",
    "loop:bars=0",
    "loop:bars=1e9(periodic:7)",
    "stretch:1e9",
    "stretch:99999999999999999999",
    "dropout:0.2",
    "dropout:2(periodic:7)",
    "on:",
    "on:0",
    "on:a(periodic:7)",
    "on:-1(periodic:7)",
    "on:1e9(periodic:7)",
    "drawn:",
    "drawn:nothing.npy",
    "json:",
    "json:no.json",
    "json:/",
    "json:/dev/null",
    "drawn:/dev/zero",
    "beats:beats=a/b",
    "beats:beats=1/0",
    "beats:which=side",
    "beats:before=1e9",
    "continuation:1e12",
    "outpaint:nan,1",
    "periodic:period=7,period=8",
    "periodic:width=",
    "periodic:=7",
    "share:2",
    "random:nan",
    "\0",
    "periodic:7\0",
    "périodique:7",
    "periodic:７x",
    "(" * 900 + "periodic:7" + ")" * 900,
    "~" * 900 + "periodic:7",
    "+".join(["periodic:7"] * 900),
    "periodic:7" + "&periodic:7" * 20_000,
    "json:" + "a" * 5000,
    "x" * 200_000,
    "app-small(",
    "paper-",
]


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
def test_words_that_are_no_prompt_get_a_sentence(words):
    refused(outcome(parse, words))


@pytest.mark.parametrize("words", [None, 3, b"periodic:7", ["periodic:7"], Path("periodic:7"), Periodic])
def test_only_text_is_parsed(words):
    refused(outcome(parse, words))


GIVEN = [
    None,
    3,
    3.5,
    True,
    b"periodic:7",
    Path("periodic:7"),
    object(),
    Strange(),
    Periodic,
    Prompt,
    lambda: 3,
    {},
    [],
]
GIVEN += [
    [[]],
    [1, 2],
    "",
    "no prompt",
    np.zeros((14, 3)),
    np.zeros((14, 3), int),
    np.zeros(3, bool),
    torch.ones(14, 3),
]
GIVEN += [np.zeros((14, 3), bool), np.zeros((2, 14, 44), bool), [[True] * 3] * 14, torch.ones(14, 3, dtype=torch.bool)]
GIVEN += [np.array(["a"]), np.array(None), {"type": "Periodic"}, Loudness, [True], [[True], [True, True]], (1, 2)]


@pytest.mark.parametrize("number", range(len(GIVEN)))
def test_what_is_no_prompt_is_refused(vamp, tokens, number):
    refused(outcome(vamp.vamp, tokens, GIVEN[number], **QUICK))


def test_words_and_masks_of_numpy_and_lists_are_prompts(vamp, tone, tokens, tmp_path):
    path = tone.excerpt(0, 0.5).save(tmp_path / "in.wav")
    mask = Periodic(7).mask(tokens)
    whole = vamp.vamp(tokens, Periodic(7), seed=1, **QUICK)
    for prompt in ("periodic:7", mask, mask.numpy(), mask.tolist(), mask.numpy()[None], Drawn(mask.numpy())):
        for given in (tokens, path, str(path), tone.excerpt(0, 0.5)):
            found = vamp.vamp(given, prompt, seed=1, **QUICK)
            assert torch.equal(found.tokens.codes, whole.tokens.codes)


SOUNDS = [
    None,
    3,
    True,
    b"in.wav",
    object(),
    Strange(),
    Clip,
    [],
    [0.1, 0.2],
    np.zeros(44_100),
    torch.zeros(44_100),
    {},
]
SOUNDS += [
    (np.zeros(10), 44_100),
    "",
    "no.wav",
    ".",
    "/",
    "/dev/null",
    "/dev/zero",
    Path("no.wav"),
    "a\0b",
    "x" * 5000,
    lambda: 3,
]
SOUNDS += [Periodic(7), "http://example.org/a.wav", "~", "in.wav\n", Loudness, "\udcff.wav"]


@pytest.mark.parametrize("number", range(len(SOUNDS)))
def test_what_is_no_sound_is_refused(vamp, number):
    refused(outcome(vamp.vamp, SOUNDS[number], Periodic(7), **QUICK))
    refused(outcome(vamp.codec.encode, SOUNDS[number]))


@pytest.mark.parametrize("count", [*NO_NUMBERS, 0, -1, 257, 10**9, 1.5])
def test_a_number_of_takes_that_is_none_is_refused(vamp, tokens, count):
    refused(outcome(vamp.takes, tokens, Periodic(7), count, **QUICK))


@pytest.mark.parametrize("progress", [3, "bar", [], True, Strange()])
def test_progress_that_cannot_be_called_is_refused_before_any_work(vamp, tokens, progress):
    refused(outcome(vamp.vamp, tokens, Periodic(7), progress=progress, **QUICK))


def test_the_last_seed_of_several_takes_is_checked_before_they_are_made(vamp, tokens):
    refused(outcome(vamp.takes, tokens, Periodic(7), 3, seed=2**53, **QUICK))
    assert vamp.vamp(tokens, Periodic(7), seed=2**53, **QUICK).record["seed"] == 2**53


CLIPS = [
    (None, 44_100),
    ("sound", 44_100),
    (np.zeros((2, 2, 2)), 44_100),
    (np.array(["a"]), 44_100),
    (np.zeros(9, bool), 44_100),
    (np.full(9, NAN), 44_100),
    (np.full(9, INF), 44_100),
    (np.full(9, 1e300), 44_100),
    (np.full(9, 1e30), 44_100),
    (np.zeros(9, complex), 44_100),
    (np.zeros((44_100, 9)), 44_100),
    ([[0.1], [0.1, 0.2]], 44_100),
    ({}, 44_100),
    *((np.zeros(9), rate) for rate in (0, -1, 44_100.5, None, "44100", True, NAN, 10**9, [44_100], 10**30)),
]


@pytest.mark.parametrize("number", range(len(CLIPS)))
def test_clips_of_nonsense_are_refused(number):
    refused(outcome(Clip, *CLIPS[number]))


def test_clips_do_not_grow_beyond_memory(sound):
    slow = Clip(np.zeros((1, 10**6), np.float32), 1)
    refused(outcome(slow.resample, 44_100))
    for rate in (0, -1, 1.5, None, "8000", 10**12, NAN):
        refused(outcome(sound.resample, rate))
    for start, seconds in ((-1, 1), (NAN, 1), (0, NAN), (0, -1), (99, 1), (None, 1), (0, None), (0, "1"), (INF, 1)):
        refused(outcome(sound.excerpt, start, seconds))
    for db in (NAN, INF, None, "3", 1e9):
        refused(outcome(sound.gain, db))


@pytest.mark.parametrize("kind, top", [(np.int16, 2**15 - 1), (np.int32, 2**31 - 1), (np.uint8, 255), (np.int8, 127)])
def test_whole_numbers_of_recorders_are_scaled_to_full_scale(kind, top):
    silence = 128 if kind is np.uint8 else 0
    found = Clip(np.array([silence, top, silence], kind), 44_100).samples[0]
    assert found[0] == found[2] == 0 and found[1] == pytest.approx(1, abs=0.01)


TOKENS = [
    dict(length=10**15),
    dict(length=-1),
    dict(length=0),
    dict(length=1.5),
    dict(gains=(NAN,)),
    dict(gains=(1e9,)),
    dict(gains=("1",)),
    dict(gains=(1.0, 2.0)),
    dict(gains=()),
    dict(gains=None),
    dict(rate=0),
    dict(rate=-5),
    dict(hop=0),
    dict(entries=0),
    dict(entries=10**9),
    dict(source_rate=0),
    dict(source_rate=10**12),
    dict(source_rate=NAN),
    dict(more=10**12),
    dict(stereo="left"),
    dict(stereo=None),
    dict(codes=torch.zeros(14, 3)),
    dict(codes=torch.full((14, 43), 1024)),
    dict(codes=None),
    dict(codes=torch.zeros(14, 43, dtype=torch.int64) - 1),
    dict(codes=torch.zeros(0, 43, dtype=torch.int64)),
    dict(hop=10**9),
]


@pytest.mark.parametrize("number", range(len(TOKENS)))
def test_tokens_of_nonsense_are_refused(tokens, number):
    refused(outcome(tokens.replace, **TOKENS[number]))


def test_tokens_of_another_shape_are_refused(vamp, tokens):
    for other in (
        tokens.replace(codes=tokens.codes[:4]),
        tokens.replace(hop=512, length=tokens.length // 2),
        tokens.replace(rate=48_000),
        tokens.replace(entries=2048),
        tokens.replace(codec="x"),
        tokens.replace(codec=None),
    ):
        refused(outcome(vamp.vamp, other, Periodic(7), **QUICK))


def test_mixes_of_nonsense_are_refused(vamp, tokens):
    take = vamp.vamp(tokens, Periodic(7), **QUICK)
    mask = Prefix(0.2).mask(tokens)
    assert torch.equal(take.mix(take, mask.numpy()).tokens.codes, take.tokens.codes)
    for other, what in itertools.product((take, None, 3, tokens, "take"), (None, 3, mask[:, 1:], mask.int(), "x", [])):
        refused(outcome(take.mix, other, what))


def test_controls_of_nonsense_are_refused(vamp, tokens, sound):
    for given in (*NO_NUMBERS, "rhythm", {}, np.zeros((2, 9)), np.full((3, 9), NAN), np.zeros((3, 0))):
        refused(outcome(Rhythm, given))
    loud = Loudness(sound)
    for follow in ([loud, loud], [loud.cut(0, 0.1)], [loud]):
        refused(outcome(vamp.vamp, tokens, Periodic(7), follow=follow, **QUICK))
    good = loud.to_json()
    for change in (
        dict(frames=10**12),
        dict(frames=-1),
        dict(frames="9"),
        dict(frames=None),
        dict(curve=""),
        dict(curve=None),
        dict(curve="no base85 \x00"),
        dict(control="melody"),
        dict(control=None),
        dict(control=["rhythm"]),
        dict(format="x"),
    ):
        refused(outcome(Loudness.from_json, good | change))
    for data in (None, 3, "", "{", "[]", "null", [], "9" * 5000, "[" * 100_000):
        refused(outcome(Loudness.from_json, data))


def test_tokens_keep_what_load_needs(tokens, tmp_path):
    assert Tokens.load(tokens.save(tmp_path / "t.safetensors")).length == tokens.length
