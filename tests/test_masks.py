"""Masks and schedules: exact counts, the algebra, the reference's numbers."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vampkit import masks, schedules
from vampkit.codec import Tokens
from vampkit.prompts import Beats

DATA = np.load(Path(__file__).parent / "fixtures" / "masks.npz")
SHAPE = dict(k=st.integers(1, 14), t=st.integers(1, 200))


TOKENS = Tokens(torch.zeros(4, 61, dtype=torch.int64), "c", 44_100, 768, 1024, 61 * 768, 44_100)
frames_of = TOKENS.frames_of
BEATS = [frames_of(t) for t in DATA["beats_s"]]
ONSETS = DATA["onset_frames"].tolist()


def same(mask, name):
    return all(np.array_equal(mask.numpy(), item) for item in DATA[name].astype(bool))


def named(start):
    """Arrays of a kind, such as periodic_p7_w3."""
    return [name for name in DATA.files if name.startswith(start) and "offset" not in name and "idx" not in name]


def numbers(name):
    return [int(n) for n in re.findall(r"(?<![.\d])\d+(?![.\d])", name)]


def idle_draws(generator, period, width, items=1):
    """The reference draws once for every frame that a periodic mask keeps, to no effect."""
    kept = int((~masks.periodic(1, 61, period, width, reference=True)).sum())
    torch.randint(0, period, (items * kept,), generator=generator)


def rolled(generator, period, width):
    """The reference's offset, drawn after those."""
    idle_draws(generator, period, width)
    return int(torch.randint(0, period, (1,), generator=generator))


def test_ours_agrees_with_the_reference_where_it_means_the_same():
    """Odd widths, windows that start at or after 0."""
    for name in named("periodic_p"):
        period, width = numbers(name)
        if width % 2:
            assert same(masks.periodic(4, 61, period, width), name), name
    for name, seconds in (("beat_default", (0, 0.02)), ("beat_b0_a75", (0, 0.075))):
        assert same(masks.windows(4, 61, BEATS, *(frames_of(s) for s in seconds)), name), name
    assert same(masks.windows(4, 61, ONSETS, 1, 1), "onset_w1") and same(masks.windows(4, 61, ONSETS, 3, 3), "onset_w3")


def test_the_reference_behind_its_switch():
    """Even widths, a roll around the end, windows lost before 0."""
    for name in named("periodic_p"):
        assert same(masks.periodic(4, 61, *numbers(name), reference=True), name), name
    for name in named("periodic_roll_p"):
        period, seed = numbers(name)
        offset = rolled(torch.Generator().manual_seed(seed), period, 1)
        assert offset == DATA[name.replace("roll_p", "roll_offset_p")][0]
        assert same(masks.periodic(4, 61, period, 1, offset, reference=True), name), name
    for name in named("onset_w"):
        assert same(masks.windows(4, 61, ONSETS, *numbers(name) * 2, reference=True), name), name
    assert not same(masks.windows(4, 61, ONSETS, 5, 5), "onset_w5") and not same(
        masks.periodic(4, 61, 7, 2), "periodic_p7_w2"
    )


def test_places_agree_with_the_reference():
    for name in named("inpaint_p"):
        before, after = numbers(name)  # together they may be longer than all there is
        assert same(masks.prefix(4, 61, before) & masks.suffix(4, 61, after), name), name
    for name in named("codebook_mask_"):
        assert same(masks.codebooks(4, 61, *numbers(name)), name), name
    for name in named("codebook_unmask_"):
        assert same(masks.full(4, 61) & masks.codebooks(4, 61, *numbers(name)), name), name
    for name in named("time_stretch_"):
        assert same(masks.periodic(4, 61, *numbers(name)), name), name
    assert [frames_of(s) for s in DATA["s2t_seconds"]] == DATA["s2t_tokens"].tolist()


def test_beats_agree_with_the_reference():
    """Times rounded up to frames, downbeats apart from the others, every second upbeat, windows before and after, the
    opposite."""
    beats, down = DATA["beats_s"], DATA["downbeats_s"]
    given = dict(beats=beats, downbeats=down)
    cases = {
        "beat_default": Beats(0, 0.02, **given),
        "beat_b0_a75": Beats(0, 0.075, **given),
        "beat_downonly": Beats(0, 0.05, "down", **given),
        "beat_uponly": Beats(0, 0.05, "up", **given),
        "beat_ds2": Beats(0, 0.05, "up", 2, **given) | Beats(0, 0.05, "down", **given),
        "beat_noinvert": ~Beats(0, 0.05, **given),
        "beat_b37_a37": Beats(0.0375, 0.0375, **given),
    }
    assert set(cases) == set(named("beat_"))
    for name, prompt in cases.items():
        assert same(prompt.mask(TOKENS), name), name


def test_chance_agrees_with_the_reference_draw_for_draw():
    for name in named("random_r") + named("linear_random_r"):
        ratio, seed = float(name.split("_")[-2][1:]), numbers(name)[-1]
        hidden = schedules.cosine(ratio) if name.startswith("random") else ratio
        drawn = masks.random(8, 61, hidden, torch.Generator().manual_seed(seed))
        assert np.array_equal(drawn.numpy().reshape(2, 4, 61), DATA[name].astype(bool)), name
    for name in named("dropout_p"):
        share, seed = float(name.split("_")[1][1:]), numbers(name)[-1]
        generator = torch.Generator().manual_seed(seed)
        idle_draws(generator, 5, 1, items=2)
        assert same(masks.dropout(masks.periodic(4, 61, 5), share, generator, reference=True), name), name
        steps = DATA[name.replace("_p", "_idx_p")]  # what the same seed draws first
        alone = masks.dropout(masks.empty(4, 61), share, torch.Generator().manual_seed(seed), reference=True)
        assert set(torch.nonzero(alone[0])[:, 0].tolist()) == set(steps.tolist()) and len(steps) == int(61 * share)


def test_combinations_agree_with_the_reference():
    a, b = (torch.from_numpy(DATA[name].astype(bool)) for name in ("and_a", "and_b"))
    assert np.array_equal((a & b).numpy(), DATA["and_out"].astype(bool)) and np.array_equal(
        (a | b).numpy(), DATA["or_out"].astype(bool)
    )
    codes, mask = (torch.from_numpy(DATA[name].astype(np.int64)) for name in ("apply_codes", "apply_mask"))
    assert np.array_equal(torch.where(mask.bool(), 32, codes).numpy(), DATA["apply_out"])


def test_the_builder_agrees_with_the_reference():
    """Its order: random, prefix and suffix, periodic; then dropout, codebooks kept whole, codebooks hidden whole."""
    upper = masks.codebooks
    assert same(masks.periodic(4, 61, 7) | upper(4, 61, 3), "build_a")
    ends = masks.prefix(4, 61, frames_of(0.3)) & masks.suffix(4, 61, frames_of(0.2))
    assert same(ends & masks.periodic(4, 61, 0) | upper(4, 61, 4), "build_b")
    generator = torch.Generator().manual_seed(4)
    masks.random(4, 61, 1.0, generator)  # drawn first, whatever it hides
    periodic = masks.periodic(4, 61, 5, 3, rolled(generator, 5, 3), reference=True)
    built = masks.dropout(periodic, 0.2, generator, reference=True)
    assert same(built & upper(4, 61, 1) | upper(4, 61, 2), "build_c")
    drawn = masks.random(4, 61, 0.9, torch.Generator().manual_seed(4))
    assert same(drawn & masks.periodic(4, 61, 7) | upper(4, 61, 3), "build_d")


def test_cosine_agrees_with_the_reference():
    assert np.abs(schedules.cosine(torch.from_numpy(DATA["gamma_in"]).float()).numpy() - DATA["gamma_out"]).max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(**SHAPE, period=st.integers(1, 40), width=st.integers(1, 9), offset=st.integers(-50, 50))
def test_periodic_keeps_exactly_its_frames(k, t, period, width, offset):
    mask = masks.periodic(k, t, period, width, offset)
    before = (width - 1) // 2
    kept = {f + d for f in range(offset % period, t, period) for d in range(-before, width - before) if 0 <= f + d < t}
    assert {int(f) for f in torch.nonzero(~mask[0])} == kept and bool((mask == mask[:1]).all())


@settings(max_examples=40, deadline=None)
@given(**SHAPE, share=st.floats(0, 1), seed=st.integers(0, 2**40))
def test_counts_and_algebra(k, t, share, seed):
    n, keep = round(share * t), round(share * k)
    assert int((~masks.prefix(k, t, n)).sum()) == n * k == int((~masks.suffix(k, t, n)).sum())
    assert int((~masks.codebooks(k, t, keep)).sum()) == keep * t
    a, b = (masks.random(k, t, share, torch.Generator().manual_seed(seed + i)) for i in range(2))
    assert torch.equal(a, masks.random(k, t, share, torch.Generator().manual_seed(seed)))
    assert (
        torch.equal(~(a & b), ~a | ~b)
        and torch.equal(masks.full(k, t) & a, a)
        and torch.equal(masks.empty(k, t) | a, a)
    )


@settings(max_examples=40, deadline=None)
@given(**SHAPE, share=st.floats(0, 1), seed=st.integers(0, 2**40), data=st.data())
def test_counts_of_gaps_windows_shares_and_dropout(k, t, share, seed, data):
    def generator():
        return torch.Generator().manual_seed(seed)

    start, end = sorted(data.draw(st.tuples(st.integers(0, t), st.integers(0, t))))
    assert int(masks.gap(k, t, start, end).sum()) == (end - start) * k
    assert torch.equal(masks.gap(k, t, start, end), masks.prefix(k, t, start) & masks.suffix(k, t, t - end))
    assert int((~masks.share(k, t, share, generator())).sum()) == round(share * k * t)
    at, before, after = (
        data.draw(st.lists(st.integers(0, t - 1))),
        data.draw(st.integers(0, 9)),
        data.draw(st.integers(0, 9)),
    )
    kept = {f for a in at for f in range(max(0, a - before), min(t, a + after))}
    assert set(torch.nonzero(~masks.windows(k, t, at, before, after)[-1])[:, 0].tolist()) == kept
    whole = masks.periodic(k, t, 3)
    dropped = masks.dropout(whole, share, generator())
    frames = int((~whole[0]).sum())
    assert int((~dropped).sum()) == (frames - round(share * frames)) * k and not (whole & ~dropped).any()
    rows = data.draw(st.sets(st.integers(0, k - 1), min_size=1))
    only = masks.only(whole, rows)
    assert all(torch.equal(only[r], whole[r]) if r in rows else only[r].all() for r in range(k))


def test_random_hides_its_share():
    mask = masks.random(14, 10_000, 0.3, torch.Generator().manual_seed(1))
    assert float(mask.float().mean()) == pytest.approx(0.3, abs=4 * (0.21 / 140_000) ** 0.5)


@settings(max_examples=40, deadline=None)
@given(**SHAPE, seed=st.integers(0, 2**40))
def test_masks_come_back_from_bytes_and_text(k, t, seed):
    mask = masks.random(k, t, 0.5, torch.Generator().manual_seed(seed))
    data, text = masks.pack(mask), masks.to_base64(mask)
    assert len(data) == -(-k * t // 8) and text.startswith(f"{k}x{t}:") and re.fullmatch(r"[\w:-]+", text)
    assert torch.equal(masks.unpack(data, k, t), mask) and torch.equal(masks.from_base64(text), mask)
    assert masks.pack(mask.numpy()) == data and masks.to_base64(mask.tolist()) == text
    for row in mask:
        at = [f for a, b in masks.runs(row) for f in range(a, b)]
        assert at == torch.nonzero(row)[:, 0].tolist() and masks.runs(row.numpy()) == masks.runs(row)


def test_bits_and_runs_are_what_they_say():
    mask = torch.tensor([[True, False, True, True], [False, False, False, True]])
    assert masks.pack(mask) == bytes([0b10110001]) and masks.to_base64(mask) == "2x4:sQ"
    assert [masks.runs(row) for row in mask] == [[(0, 1), (2, 4)], [(3, 4)]]
    assert masks.runs(masks.empty(1, 5)[0]) == [] and masks.runs(masks.full(1, 5)[0]) == [(0, 5)]


def test_what_holds_a_mask_becomes_one():
    mask = torch.tensor([[True, False], [False, False]])
    for value in (mask, mask[None], mask.numpy(), mask.tolist(), np.broadcast_to(mask.numpy(), (1, 2, 2))):
        found = masks.as_mask(value)
        assert torch.equal(found, mask) and found.dtype == torch.bool
    masks.as_mask(mask)[:] = True
    assert not mask.all(), "a copy"
    for value, error in (
        (mask.int(), TypeError),
        ([[0, 1]], TypeError),
        (mask[0], ValueError),
        (torch.stack([mask, mask]), ValueError),
        (torch.ones(0, 3, dtype=torch.bool), ValueError),
    ):
        with pytest.raises(error, match="expected"):
            masks.as_mask(value)


@pytest.mark.parametrize(
    "call",
    [
        lambda g: masks.full(0, 5),
        lambda g: masks.random(2, 5, 1.5, g),
        lambda g: masks.periodic(2, 5, -1),
        lambda g: masks.periodic(2, 5, 3, 0),
        lambda g: masks.prefix(2, 5, 6),
        lambda g: masks.suffix(2, 5, -1),
        lambda g: masks.codebooks(2, 5, 3),
        lambda g: masks.gap(2, 5, 3, 2),
        lambda g: masks.gap(2, 5, 0, 6),
        lambda g: masks.windows(2, 5, [1], -1, 1),
        lambda g: masks.share(2, 5, 1.1, g),
        lambda g: masks.dropout(masks.full(2, 5), -0.1, g),
        lambda g: masks.unpack(b"ab", 2, 4),
        lambda g: masks.unpack(b"", 0, 4),
        lambda g: masks.from_base64("2x4:8"),
        lambda g: masks.from_base64("2x4:sQsQ"),
        lambda g: masks.from_base64("0x4:"),
        lambda g: masks.from_base64("a mask"),
        lambda g: masks.only(masks.full(2, 5), [2]),
        lambda g: masks.only(masks.full(2, 5), []),
    ],
)
def test_impossible_masks_are_refused(call):
    with pytest.raises(ValueError, match="expected"):
        call(torch.Generator())


@pytest.mark.parametrize("keep", [masks.prefix, masks.suffix])
def test_what_is_refused_is_named(keep):
    with pytest.raises(ValueError, match=f"a {keep.__name__} of 9 frames was asked for, 0 to 5 was expected"):
        keep(1, 5, 9)


def test_counts_of_the_reference():
    """160 hidden tokens, 12 passes: as the reference code counts them."""
    assert schedules.hidden_counts(160, 12) == [158, 154, 147, 138, 126, 113, 97, 79, 61, 41, 20, 0]


@settings(max_examples=60, deadline=None)
@given(n=st.integers(0, 3000), passes=st.integers(1, 80))
def test_counts_fall_to_nothing(n, passes):
    counts = schedules.hidden_counts(n, passes)
    assert len(counts) == passes and counts[-1] == 0
    assert all(a > b or a <= 1 for a, b in zip([n, *counts], counts, strict=False))
    with pytest.raises(ValueError, match="at least 1"):
        schedules.hidden_counts(n, 0)


def test_schedules_run_from_all_to_nothing():
    for gamma in schedules.SCHEDULES.values():
        values = [gamma(u / 50) for u in range(51)]
        assert (
            values[0] == pytest.approx(1)
            and values[-1] == pytest.approx(0, abs=1e-9)
            and values == sorted(values, reverse=True)
        )


def test_learning_rate_of_the_paper():
    data = np.load(Path(__file__).parent / "fixtures" / "schedule.npz")
    for name, settings_ in (
        ("base_lr", (1280, 10_000, 2.0)),
        ("lora_lr", (1280, 500, 2.0)),
        ("default_lr", (512, 4000, 1.0)),
    ):
        assert [schedules.noam(int(step), *settings_) for step in data["steps"]] == pytest.approx(
            data[name].tolist(), rel=1e-6
        )
    with pytest.raises(ValueError, match="1 or more"):
        schedules.noam(0, 512)


def test_training_ratios_cover_the_range():
    r = schedules.training_ratios(64, seed=3, step=9)
    assert torch.equal(r, schedules.training_ratios(64, seed=3, step=9)) and not torch.equal(
        r, schedules.training_ratios(64, seed=3, step=10)
    )
    assert ((r.sort().values * 64).floor() == torch.arange(64)).all()
    hidden = torch.cat([schedules.cosine(schedules.training_ratios(8, 0, s)) for s in range(500)])
    assert float(hidden.mean()) == pytest.approx(2 / np.pi, abs=0.003)
