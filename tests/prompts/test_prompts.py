"""Prompts: each keeps exactly what it says, whatever the batch.

They combine, print as Python, go to JSON and back, and refuse what does not fit.
"""

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vampkit import prompts
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.prompts import (
    PRESETS,
    Beats,
    Compression,
    Continuation,
    Drawn,
    Everything,
    Inpaint,
    Loop,
    Nothing,
    Onsets,
    Outpaint,
    Periodic,
    Prefix,
    Prompt,
    Random,
    RandomShare,
    Stretch,
    Suffix,
    parse,
    prompt_type,
    words_help,
)
from vampkit.prompts.beats import BeatGrid
from vampkit.prompts.values import Slider, choice, number, whole
from vampkit.widgets.panel import VampPanel
from vampkit.widgets.panel_model import Menu, Range, offered

HOP, RATE = 768, 44_100
QUICK = settings(max_examples=25, deadline=None)


def tokens_of(k, length, batch=None, seed=0):
    frames = -(-length // HOP)
    codes = torch.randint(16, (*([batch] if batch else []), k, frames), generator=torch.Generator().manual_seed(seed))
    return Tokens(codes, "c", RATE, HOP, 16, length, RATE, gains=(0.0,) * (batch or 1))


@st.composite
def shapes(draw):
    return tokens_of(draw(st.integers(1, 14)), draw(st.integers(1, 150 * HOP)))


def seconds(draw, tokens, low=0.0):
    return low + draw(st.floats(0, 1)) * (tokens.seconds - low)


def times(draw, tokens):
    found = sorted({round(t, 4) for t in draw(st.lists(st.floats(0, tokens.seconds), min_size=1, max_size=12))})
    return tuple(t for t in found if t <= tokens.seconds) or (0.0,)


def frames(tokens, seconds):
    return min(tokens.frames, math.ceil(seconds * RATE / HOP - 1e-9))


def union(tokens, at, before, after):
    """Frames within the windows around times, in plain Python."""
    first = [math.ceil(t * RATE / HOP - 1e-9) for t in at]
    reach = math.ceil(before * RATE / HOP - 1e-9), math.ceil(after * RATE / HOP - 1e-9)
    return {f for c in first for f in range(max(0, c - reach[0]), min(tokens.frames, c + reach[1]))}


@st.composite
def cases(draw, alone=False):
    """Tokens, a prompt of any type that leaves the length, and the number of tokens it keeps."""
    tokens = draw(shapes())
    k, t = tokens.codebooks, tokens.frames
    kind = draw(
        st.sampled_from(
            [
                "compression",
                "periodic",
                "prefix",
                "suffix",
                "inpaint",
                "random",
                "share",
                "drawn",
                "beats",
                "onsets",
                "all",
                "none",
            ]
        )
    )
    seed = draw(st.integers(0, 2**30))
    if kind == "compression":
        n, d = draw(st.integers(0, k)), draw(st.integers(1, 20))
        return tokens, Compression(n, d), n * -(-t // d)
    if kind == "periodic":
        period, width, offset = draw(st.integers(0, 40)), draw(st.integers(1, 9)), draw(st.integers(-50, 50))
        centres = range(offset % period, t, period) if period else ()
        before = (width - 1) // 2
        kept = {f for c in centres for f in range(c - before, c - before + width) if 0 <= f < t}
        return tokens, Periodic(period, width, offset), len(kept) * k
    if kind in ("prefix", "suffix"):
        s = seconds(draw, tokens)
        return tokens, (Prefix if kind == "prefix" else Suffix)(s), frames(tokens, s) * k
    if kind == "inpaint":
        start, end = sorted((seconds(draw, tokens), seconds(draw, tokens)))
        end = end if end > start else tokens.seconds
        start = min(start, end / 2)
        return tokens, Inpaint(start, end), (t - (frames(tokens, end) - frames(tokens, start))) * k
    if kind == "random":
        ratio = draw(st.sampled_from([0.0, 1.0]))
        return tokens, Random(ratio, seed), round((1 - ratio) * k * t)
    if kind == "share":
        share = draw(st.floats(0, 1))
        return tokens, RandomShare(share, seed), round(share * k * t)
    if kind == "drawn":
        mask = np.random.default_rng(seed).random((k, t)) < 0.4
        return tokens, Drawn(mask), int((~mask).sum())
    before, after = draw(st.floats(0, 0.2)), draw(st.floats(0, 0.2))
    at = times(draw, tokens)
    if kind == "beats":
        every = draw(st.integers(1, 4))
        return tokens, Beats(before, after, every=every, beats=at), len(union(tokens, at[::every], before, after)) * k
    if kind == "onsets":
        return tokens, Onsets(before, after, times=at), len(union(tokens, at, before, after)) * k
    return (tokens, Everything(), k * t) if kind == "all" else (tokens, Nothing(), 0)


@QUICK
@given(cases())
def test_every_prompt_keeps_what_it_says(case):
    tokens, prompt, kept = case
    mask = prompt.mask(tokens)
    assert mask.dtype == torch.bool and mask.shape == (tokens.codebooks, tokens.frames)
    assert int((~mask).sum()) == kept
    assert prompt.bits_per_second(tokens) == pytest.approx(4 * RATE / HOP * kept / tokens.frames)
    made, prepared = prompt.prepare(tokens)
    assert made is tokens and torch.equal(prepared, mask) and prompt.shift(tokens) == 0 and not prompt.circular


@QUICK
@given(cases(), st.integers(1, 3))
def test_no_mask_depends_on_the_batch(case, batch):
    tokens, prompt, _ = case
    many = tokens_of(tokens.codebooks, tokens.length, batch, seed=batch)
    assert torch.equal(prompt.mask(many), prompt.mask(tokens)) and torch.equal(prompt.mask(tokens), prompt.mask(tokens))


def again(prompt):
    return eval(repr(prompt), vars(prompts).copy())


@QUICK
@given(cases(), cases(), st.data())
def test_every_prompt_prints_as_python_and_goes_to_json_and_back(one, two, data):
    (tokens, a, _), (_, b, _) = one, two
    rows = data.draw(st.sets(st.integers(0, tokens.codebooks - 1), min_size=1))
    for prompt in (
        a,
        ~a,
        a | b,
        a & ~b,
        (~a).on(rows),
        ~a.on(rows),
        (a | b).dropout(0.25, 3),
        (~a.dropout(0.5)).on(rows),
        Stretch(3, a),
        Loop(1.5, prompt=a | b),
    ):
        assert again(prompt) == prompt, repr(prompt)
        plain = prompt.to_json()
        assert plain["format"] == "vampkit.prompt/1"
        assert Prompt.from_json(plain) == prompt == Prompt.from_json(json.dumps(plain))
    assert torch.equal(again(a).mask(tokens), a.mask(tokens))


@QUICK
@given(cases(), st.data())
def test_the_algebra_holds(case, data):
    tokens, a, kept = case
    b = data.draw(st.sampled_from([Periodic(3), Compression(1), RandomShare(0.4, 9), Nothing(), Everything()]))
    x, y = ~a.mask(tokens), ~b.mask(tokens)  # what is kept
    assert (
        torch.equal(~(a | b).mask(tokens), x | y)
        and torch.equal(~(a & b).mask(tokens), x & y)
        and torch.equal(~(~a).mask(tokens), ~x)
    )
    for left, right in (
        (~(a | b), ~a & ~b),
        (a | (a & b), a),
        (a & Everything(), a),
        (a | Nothing(), a),
        (a & Nothing(), Nothing()),
        (~~a, a),
    ):
        assert torch.equal(left.mask(tokens), right.mask(tokens)), (left, right)
    rows = data.draw(st.sets(st.integers(0, tokens.codebooks - 1), min_size=1))
    row = torch.zeros(tokens.codebooks, 1, dtype=torch.bool)
    row[list(rows)] = True
    assert torch.equal(~a.on(rows).mask(tokens), x & row)
    others = set(range(tokens.codebooks)) - rows
    if others:
        assert torch.equal((a.on(rows) | a.on(others)).mask(tokens), a.mask(tokens))
    share = data.draw(st.floats(0, 1))
    left, frames_kept = ~a.dropout(share, 5).mask(tokens), int(x.any(0).sum())
    assert not (left & ~x).any() and int(left.any(0).sum()) == frames_kept - round(share * frames_kept)


@QUICK
@given(cases(), st.floats(0, 1.5), st.floats(0, 1.5), st.sampled_from([None, 2]))
def test_outpainting_keeps_the_sound_and_adds_round_it(case, before, after, batch):
    tokens = case[0]
    tokens = tokens_of(tokens.codebooks, tokens.length, batch)
    prompt = Outpaint(before, after)
    made, mask = prompt.prepare(tokens)
    lead, added = math.ceil(before * RATE / HOP - 1e-9), round(after * RATE)
    kept = tokens.length // HOP if added else tokens.frames
    assert (
        made.length == lead * HOP + tokens.length + added
        and made.frames == -(-made.length // HOP)
        and prompt.shift(tokens) == lead
    )
    assert torch.equal(made.codes[..., lead : lead + kept], tokens.codes[..., :kept])
    assert (
        mask.shape == made.codes.shape[-2:]
        and int((~mask).sum()) == kept * tokens.codebooks
        and not mask[:, lead : lead + kept].any()
    )
    assert torch.equal(prompt.mask(tokens), mask) and again(prompt) == prompt == Prompt.from_json(prompt.to_json())


@QUICK
@given(shapes(), st.floats(0.1, 2), st.data())
def test_continuing_keeps_a_prefix_and_adds_what_follows(tokens, more, data):
    start = data.draw(st.floats(0.001, 1)) * tokens.seconds
    made, mask = Continuation(more, prefix=start).prepare(tokens)
    kept = frames(tokens, start)
    whole = min(kept, min(tokens.length, kept * HOP) // HOP)
    assert made.length == min(tokens.length, kept * HOP) + round(more * RATE) and int((~mask[0]).sum()) == whole
    assert torch.equal(made.codes[:, :whole], tokens.codes[:, :whole]) and mask[:, whole:].all()
    assert torch.equal(Continuation(more).mask(tokens), Outpaint(0, more).mask(tokens))


@QUICK
@given(shapes(), st.integers(1, 5), st.data())
def test_stretching_repeats_frames_and_hides_the_copies(tokens, factor, data):
    inner = data.draw(st.sampled_from([Everything(), Periodic(3), Compression(1)]))
    made, mask = Stretch(factor, inner).prepare(tokens)
    assert (
        made.frames == factor * tokens.frames
        and -(-made.length // HOP) <= made.frames
        and made.length == factor * tokens.length
    )
    for copy in range(factor):
        assert torch.equal(made.codes[:, copy::factor], tokens.codes)
    assert torch.equal(mask[:, ::factor], inner.mask(tokens)) and all(
        mask[:, copy::factor].all() for copy in range(1, factor)
    )


@QUICK
@given(st.integers(1, 14), st.floats(0.05, 2), st.floats(0, 1))
def test_a_loop_is_the_passage_in_whole_frames(k, long, start):
    tokens = tokens_of(k, 3 * RATE)
    loop = Loop(seconds=long, start=start, prompt=Periodic(5))
    made, mask = loop.prepare(tokens)
    first = round(start * RATE / HOP)
    assert made.length == made.frames * HOP and abs(made.seconds - long) <= HOP / RATE + 1e-6 and loop.circular
    assert torch.equal(made.codes, tokens.codes[:, first : first + made.frames]) and torch.equal(
        mask, Periodic(5).mask(made)
    )
    assert (loop | loop).circular and (~loop).circular and torch.equal((~loop).mask(tokens), ~mask)


def test_loops_by_bars():
    tokens, bars = tokens_of(4, 10 * RATE), (0.5, 2.5, 4.5, 6.5)
    loop = Loop(bars=2, start=1.0, downbeats=bars)
    assert loop.passage(tokens) == pytest.approx((2.45, 6.45)) and loop.prepare(tokens)[0].seconds == pytest.approx(
        4, abs=0.02
    )
    assert Loop(bars=2, start=1.0, downbeats=bars, lead=0).passage(tokens) == (2.5, 6.5)
    assert Loop(bars=1, downbeats=(0.02, 2.0)).passage(tokens) == pytest.approx((0, 1.98)), (
        "no sound before it to begin with"
    )
    with pytest.raises(ValueError, match="need 4 downbeats, 3 were found"):
        Loop(bars=3, start=1.0, downbeats=bars).mask(tokens)
    with pytest.raises(ValueError, match="listens for bars"):
        Loop(bars=3).mask(tokens)


def test_a_seed_may_draw_the_offset():
    tokens = tokens_of(2, 100 * HOP)
    masks = [Periodic(7, offset_seed=seed).mask(tokens) for seed in range(30)]
    plain = [Periodic(7, offset=offset).mask(tokens) for offset in range(7)]
    found = {next(i for i, p in enumerate(plain) if torch.equal(m, p)) for m in masks}
    assert (
        len(found) >= 5
        and torch.equal(masks[3], Periodic(7, offset_seed=3).mask(tokens))
        and Periodic(0, offset_seed=1).mask(tokens).all()
    )


def test_random_is_independent_and_share_is_exact():
    tokens = tokens_of(10, 4000 * HOP)
    assert float(Random(0.3, 1).mask(tokens).float().mean()) == pytest.approx(0.3, abs=4 * (0.21 / 40_000) ** 0.5)
    assert not torch.equal(Random(0.3, 1).mask(tokens), Random(0.3, 2).mask(tokens)) and not torch.equal(
        RandomShare(0.3, 1).mask(tokens), RandomShare(0.3, 2).mask(tokens)
    )


@pytest.fixture(scope="module")
def clicks():
    """Four seconds with a click every half second from 0.25 s on, and their tokens' shape."""
    samples = np.zeros(4 * RATE, np.float32)
    for i, t in enumerate(np.arange(0.25, 4, 0.5)):
        at = int(t * RATE)
        samples[at : at + 2000] = 0.3 * np.random.default_rng(i).standard_normal(2000) * np.exp(-np.arange(2000) / 500)
    return Clip(samples[None], RATE, name="clicks"), tokens_of(3, 4 * RATE)


def test_prompts_that_listen_keep_what_they_hear(clicks):
    clip, tokens = clicks
    truth = Beats(0.03, 0.06, beats=tuple(np.arange(0.25, 4, 0.5))).mask(tokens)
    for prompt in (Beats(0.03, 0.06), Onsets(0.03, 0.06)):
        mask = prompt.mask(tokens, clip)
        assert float((~mask & ~truth).sum() / (~truth).sum()) > 0.5, "more than half of what was to be kept"
        assert 0 < prompt.bits_per_second(tokens, clip) < tokens.bits_per_second
        with pytest.raises(ValueError, match="only tokens were given"):
            prompt.mask(tokens)
        with pytest.raises(ValueError, match="was found"):
            prompt.mask(tokens, Clip(np.zeros((1, 4 * RATE), np.float32), RATE))
    assert torch.equal((~Beats()).mask(tokens, clip), ~Beats().mask(tokens, clip))
    loop = Loop(seconds=2, prompt=Beats(), start=1.0)
    made, mask = loop.prepare(tokens, clip)
    assert mask.shape[-1] == made.frames and 0 < float(mask.float().mean()) < 1, (
        "the inner prompt hears the passage alone"
    )


def test_beats_choose_and_take_a_grid():
    tokens = tokens_of(1, 4 * RATE)
    grid = BeatGrid((0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0), (0.0, 2.0))
    chosen = {"all": grid.beats, "down": (0.0, 2.0), "up": (0.5, 1.0, 1.5, 2.5, 3.0)}
    for which, at in chosen.items():
        for every in (1, 2):
            prompt = Beats(0.02, 0.05, which, every, beats=grid)
            assert set(torch.nonzero(~prompt.mask(tokens)[0])[:, 0].tolist()) == union(tokens, at[::every], 0.02, 0.05)
            assert again(prompt) == prompt == Prompt.from_json(json.dumps(prompt.to_json()))
    assert Beats(beats=np.array(grid.beats)).beats == grid.beats, "taps may come as an array"


def test_every_preset_hides_something_and_fits_the_paper(clicks):
    clip, tokens = clicks
    tokens = tokens_of(14, 4 * RATE).replace(entries=1024)
    rates = {name: prompt.bits_per_second(tokens, clip) for name, prompt in PRESETS.items()}
    assert all(again(p) == p == Prompt.from_json(p.to_json()) for p in PRESETS.values())
    assert all(0 < rate < tokens.bits_per_second for name, rate in rates.items() if "unconditional" not in name)
    ten = tokens_of(14, 10 * RATE).replace(entries=1024)
    for name, rate in {"1-p1": 574, "4-p1": 2297, "4-p8": 287, "4-p16": 144, "4-p32": 72}.items():
        # The bits that are kept, not the paper's nominal ones; of a started period the first frame is kept.
        assert PRESETS[f"paper-compression-{name}"].bits_per_second(ten) == pytest.approx(rate, rel=0.05), name
    assert (
        int((~PRESETS["paper-inpaint-1s"].mask(ten)[0]).sum()) == 58
        and int((~PRESETS["paper-periodic-16"].mask(ten)[0]).sum()) == 36
    )


WORDS = {
    "compression:2,downsampling=8": Compression(2, 8),
    "periodic:7,3": Periodic(7, 3),
    "periodic:7,offset_seed=2": Periodic(7, offset_seed=2),
    "prefix:3": Prefix(3),
    "suffix:1.5": Suffix(1.5),
    "inpaint:2,4": Inpaint(2, 4),
    "outpaint:1,5": Outpaint(1, 5),
    "continuation:30,prefix=3": Continuation(30, prefix=3),
    "loop:seconds=4(periodic:5)": Loop(seconds=4, prompt=Periodic(5)),
    "loop:bars=2,downbeats=0/2/4,lead=0": Loop(bars=2, downbeats=(0, 2, 4), lead=0),
    "beats": Beats(),
    "beats:after=0.05,which=down": Beats(after=0.05, which="down"),
    "beats:beats=0.5/1": Beats(beats=(0.5, 1)),
    "onsets": Onsets(),
    "onsets:times=1/2": Onsets(times=(1, 2)),
    "random:0.8,3": Random(0.8, 3),
    "share:0.2": RandomShare(0.2),
    "stretch:2": Stretch(2),
    "stretch:3(prefix:1)": Stretch(3, Prefix(1)),
    "everything": Everything(),
    "nothing": Nothing(),
    "dropout:0.2,3(periodic:7)": Periodic(7).dropout(0.2, 3),
    "on:0,2(prefix:3)": Prefix(3).on((0, 2)),
    "paper-beats": PRESETS["paper-beats"],
    "~periodic:7": ~Periodic(7),
    "periodic:7+prefix:3": Periodic(7) | Prefix(3),
    "nothing + periodic:3 & compression:4": Nothing() | (Periodic(3) & Compression(4)),
    "(nothing+periodic:3)&~compression:4": (Nothing() | Periodic(3)) & ~Compression(4),
    "drawn:2x4:8A": Drawn([[True] * 4, [False] * 4]),
}


@pytest.mark.parametrize("text", WORDS)
def test_words(text):
    assert parse(text) == WORDS[text] == parse(f" ( {text} ) ")


def test_words_know_every_type_and_files(tmp_path):
    spoken = {type(p) for p in WORDS.values()}
    assert {kind for kind in Prompt.kinds.values() if kind.__module__.startswith("vampkit.")} <= spoken
    mask = np.random.default_rng(1).random((3, 9)) < 0.5
    np.save(tmp_path / "m.npy", mask)
    assert parse(f"drawn:{tmp_path / 'm.npy'}") == Drawn(mask)
    for data in (WORDS["beats"].to_json(), {"seed": 1, "prompt": WORDS["beats"].to_json()}):
        (tmp_path / "p.json").write_text(json.dumps(data))
        assert parse(f"json:{tmp_path / 'p.json'}") == Beats()
    (tmp_path / "bad.npy").write_bytes(b"no array")
    with pytest.raises(ValueError, match="holds no prompt"):
        parse(f"drawn:{tmp_path / 'bad.npy'}")
    for words in ("json:nowhere.json", "drawn:nowhere.npy"):
        with pytest.raises(FileNotFoundError, match="no file at"):
            parse(words)


def test_the_help_shows_every_word():
    lines = words_help().splitlines()
    for kind in Prompt.kinds.values():
        if kind.word:
            example = kind.example or kind.word
            assert any(line.startswith(f"{example} ") and line.endswith(".") for line in lines), example
            assert example == "drawn:MASK.npy" or type(parse(example)) is kind
            assert not kind.bare or parse(kind.word) == kind()
    assert all(name in words_help() for name in PRESETS)


def test_prompts_recommend_settings():
    onward, far = {"mask_temperature": 40.0}, Outpaint(1)
    for prompt in (far, Continuation(2), ~far, far.on(0) | far, far.dropout(0.1), Periodic(7) | far, far & Periodic(7)):
        assert prompt.recommended == onward
    assert Periodic(7).recommended == (Periodic(7) & Prefix(1)).recommended == Loop(seconds=1).recommended == {}


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "lacks a word"),
        ("periodic", "not known"),
        ("periodic:x", "a whole number"),
        ("louder:3", "not known"),
        ("periodic:7+", "lacks a word"),
        ("periodic:7)", "goes on"),
        ("(periodic:7", "does not close"),
        ("on:0", "needs another"),
        ("prefix:1(nothing)", "takes none"),
        ("nothing:3", "does not take"),
        ("periodic:7,wide=3", "does not take"),
        ("periodic:7,1,0,2,9", "does not take"),
        ("loop:4,4", "one of the two"),
        ("beats:which=left", '"all", "down" or "up"'),
        ("prefix:nan", "a number"),
        ("dropout:2(beats)", "from 0 to 1"),
        ("drawn:2x4:8", "no mask"),
    ],
)
def test_words_that_do_not_fit(text, words):
    with pytest.raises(ValueError, match=words):
        parse(text)


TEN = tokens_of(4, 10 * RATE)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Prefix(11).mask(TEN), "lasts 10.00 s"),
        (lambda: Suffix(10.1).mask(TEN), "lasts 10.00 s"),
        (lambda: Prefix(-1), "at least 0"),
        (lambda: Inpaint(2, 12).mask(TEN), "lasts 10.00 s"),
        (lambda: Inpaint(3, 3), "an end after its start"),
        (lambda: Inpaint(-1, 3), "at least 0"),
        (lambda: Periodic(-1), "at least 0"),
        (lambda: Periodic(7, 0), "at least 1"),
        (lambda: Periodic(2.5), "whole number"),
        (lambda: Compression(5).mask(TEN), "0 to 4"),
        (lambda: Compression(1, 0), "at least 1"),
        (lambda: Random(1.1), "from 0 to 1"),
        (lambda: RandomShare(float("nan")), "from 0 to 1"),
        (lambda: Outpaint(-1, 2), "at least 0"),
        (lambda: Continuation(2, prefix=11).mask(TEN), "lasts 10.00 s"),
        (lambda: Continuation(2, prefix=0), "some sound to go on from"),
        (lambda: Loop(), "one of the two"),
        (lambda: Loop(seconds=0), "one of the two"),
        (lambda: Loop(seconds=8, start=3).mask(TEN), "lasts 10.00 s"),
        (lambda: Loop(seconds=10.001).mask(TEN), "from 0 to 10.001 s was asked for, the sound lasts 10.00 s; make it"),
        (lambda: Loop(seconds=2, prompt=Stretch(2)).mask(TEN), "inside a loop"),
        (lambda: Stretch(0), "at least 1"),
        (lambda: Beats(beats=(1.0, 0.5)), "out of order"),
        (lambda: Beats(beats=(0.5, 0.5)), "out of order"),
        (lambda: Beats(beats=(-0.5, 0.5)), "0 or more"),
        (lambda: Beats(beats=(0.5, 10.5)).mask(TEN), "beyond the end"),
        (lambda: Beats(every=0), "at least 1"),
        (lambda: Beats(beats=()).mask(TEN), "no beat was found"),
        (lambda: Beats(which="down", beats=(1.0, 2.0)), "needs downbeats"),
        (lambda: Onsets(times=(3.0, 11.0)).mask(TEN), "beyond the end"),
        (lambda: Periodic(3).on(4).mask(TEN), "some of 0 to 3"),
        (lambda: Periodic(3).on(()), "from 0 on"),
        (lambda: Periodic(3).dropout(1.5), "from 0 to 1"),
        (lambda: Drawn(np.zeros((4, 9), bool)).mask(TEN), "drawn on 4"),
        (lambda: Drawn(np.zeros((2, 4, 9), bool)), "was expected"),
        (lambda: (Outpaint(1, 1) | Periodic(3)).mask(TEN), "combine where they leave the same"),
        (lambda: (Loop(seconds=2) & Stretch(2)).prepare(TEN), "combine where they leave the same"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_what_is_of_another_type_is_refused():
    for make in (
        lambda: Periodic("7"),
        lambda: Periodic(True),
        lambda: Prefix(None),
        lambda: Drawn(np.zeros((4, 9))),
        lambda: Periodic(3) | 3,
    ):
        with pytest.raises(TypeError):
            make()
    for data in (
        "no json",
        "[]",
        {},
        {"format": "vampkit.prompt/2"},
        {"format": "vampkit.prompt/1", "type": "Wide"},
        {"format": "vampkit.prompt/1", "type": "Periodic", "wide": 3},
        {"format": "vampkit.prompt/1", "type": "Either", "a": 1},
    ):
        with pytest.raises(VampkitError, match="expected|write|there are"):
            Prompt.from_json(data)


def test_limits_of_the_period():
    tokens = tokens_of(2, 50 * HOP)
    assert Periodic(0).mask(tokens).all() and not Periodic(1).mask(tokens).any()
    assert not Periodic(5, width=5).mask(tokens)[:, :48].any() and not Periodic(3, width=9).mask(tokens).any()
    assert Periodic(60, offset=55).mask(tokens).all() and int((~Periodic(60).mask(tokens)).sum()) == 2


def test_numbers_of_numpy_become_plain():
    prompt = Periodic(np.int64(5), width=np.int32(3)).dropout(np.float32(0.5))
    assert json.loads(json.dumps(prompt.to_json())) == prompt.to_json() and "np." not in repr(prompt)


def test_prompts_draw_themselves(clicks):
    clip, tokens = clicks
    alone, over, longer = Periodic(5).draw(tokens), Beats().draw(tokens, clip), Outpaint(1, 1).draw(tokens, clip)
    assert alone.layout.title.text == "Periodic(period=5, width=1, offset=0)" and len(alone.data) == len(longer.data)
    assert "z" in over.data[0] and "yaxis2" in over.layout and "yaxis2" not in alone.layout, (
        "the spectrogram above the mask"
    )
    assert longer.layout.xaxis.range[1] == pytest.approx(6, abs=0.05)


def test_a_prompt_of_ones_own_joins_in():
    @prompts.prompt_type
    class Half(Prompt):
        """Keeps every second codebook."""

        first: int = 0

        def mask(self, tokens, clip=None):
            mask = torch.ones(tokens.codebooks, tokens.frames, dtype=torch.bool)
            mask[self.first :: 2] = False
            return mask

    try:
        prompt = Half(1) | Prefix(1)
        assert Prompt.from_json(prompt.to_json()) == prompt and repr(prompt) == "(Half(first=1) | Prefix(seconds=1))"
        assert dataclasses.is_dataclass(Half) and prompt.bits_per_second(TEN) > Half(1).bits_per_second(TEN)
    finally:
        del Prompt.kinds["Half"]


def test_all_else_derives_from_the_class(clicks):
    """Words, help, JSON and the panel of a prompt type that is defined here."""
    clip, tokens = clicks

    @prompt_type(word="louder", example="louder:-30,every=2", title="Louder: keep what is loud")
    class Louder(Prompt):
        """Keeps every frame that is louder than some dB."""

        db: float = number("decibels", default=-30.0, high=0, slider=Slider(-80, 0, 0.5))
        every: int = whole("of every n-th frame", default=1, low=1, slider=Slider(1, 8), repr=False)
        how: str = choice("which of them", ("loud", "soft"), default="loud")

        def mask(self, tokens, clip=None):
            sound = np.pad(clip.samples[0], (0, tokens.frames * tokens.hop - clip.samples.shape[1]))
            power = np.square(sound.reshape(-1, tokens.hop)).mean(1)
            quiet = torch.from_numpy(10 * np.log10(power + 1e-10) <= self.db).expand(tokens.codebooks, -1)
            return (quiet if self.how == "loud" else ~quiet) | Periodic(self.every).mask(tokens)

    try:
        prompt = Louder(-20)
        assert 0 < int((~prompt.mask(tokens, clip)[0]).sum()) < tokens.frames / 2
        assert parse("louder:-20") == parse("louder:db=-20,how=loud") == prompt != parse("louder:-20,2")
        assert parse("stretch:2(louder:-20&periodic:7)") == Stretch(2, Louder(-20) & Periodic(7))
        for words, why in (
            ("louder:3", "db=3, a number of at most 0"),
            ("louder:x", "a number"),
            ("louder:-3,0", "every=0, a whole number of at least 1"),
            ("louder:wide=3", "it takes db, every, how"),
            ("louder:how=deep", '"loud" or "soft"'),
            ("louder", "louder:-30,every=2"),
        ):
            with pytest.raises(ValueError, match=why):
                parse(words)
        line = next(line for line in words_help().splitlines() if line.startswith("louder:-30,every=2 "))
        assert line.endswith("  Keeps every frame that is louder than some dB.")
        assert repr(prompt) == "Louder(db=-20, how='loud')"
        assert Prompt.from_json(json.dumps((prompt | Prefix(1)).to_json())) == prompt | Prefix(1)

        vamp = SimpleNamespace(codec=SimpleNamespace(encode=lambda clip: tokens))
        panel = VampPanel(vamp, clip, "louder", -40)
        assert offered()["louder"] is Louder and (Louder.title, "louder") in panel._prompt.options
        assert panel.model.numbers == (
            Range("db", "decibels", -80, 0, 0.5, -30.0, False),
            Range("every", "of every n-th frame", 1, 8, 1, 1, True),
            Menu("how", "which of them", ("loud", "soft"), "loud"),
        )
        slider = panel.controls["db"]
        assert (slider.min, slider.max, slider.step, slider.description) == (-80, 0, 0.5, "Decibels")
        slider.value = -20
        assert panel.model.prompt == prompt and torch.equal(panel.model.mask, prompt.mask(tokens, clip))
        assert panel.model.code() == "vamp.vamp(clip, Louder(db=-20.0, how='loud'), seed=0, passes=36)"
        panel.close()
    finally:
        del Prompt.kinds["Louder"]
    with pytest.raises(ValueError, match="not known"):
        parse("louder:-20")


def test_every_prompt_type_has_its_name_in_the_room():
    own = {name for name, kind in Prompt.kinds.items() if kind.__module__.startswith("vampkit.")}
    assert own == {name for name in prompts.__all__ if name in Prompt.kinds}
    assert all(getattr(prompts, name) is Prompt.kinds[name] for name in own)


def test_a_word_has_one_meaning():
    with pytest.raises(ValueError, match="choose one that is free"):
        prompt_type(word="periodic")(type("Other", (Prompt,), {}))
    assert "Other" not in Prompt.kinds and type(parse("periodic:7")) is Periodic
