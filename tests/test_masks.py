"""Masks, prompts and schedules: exact counts, the algebra, the reference's numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vampkit import masks, schedules
from vampkit.prompts import Compression, Everything, Nothing, Periodic, Prefix, Suffix
from vampkit.tokens import Tokens

DATA = np.load(Path(__file__).parent / "fixtures" / "masks.npz")
SHAPE = dict(k=st.integers(1, 14), t=st.integers(1, 200))


def same(mask, name):
    return np.array_equal(mask.numpy(), DATA[name].reshape(-1, *mask.shape)[0].astype(bool))


def test_masks_agree_with_the_reference():
    """Odd widths; the reference keeps one frame more than asked for at even ones."""
    tried = 0
    for name in DATA.files:
        parts = name.split("_")
        if name.startswith("inpaint_p"):
            a, b = int(parts[1][1:]), int(parts[2][1:])
            if a + b <= 61:
                assert same(masks.prefix(4, 61, a) & masks.suffix(4, 61, b), name), name
                tried += 1
        if name.startswith("periodic_p"):
            period, width = int(parts[1][1:]), int(parts[2][1:])
            if width % 2 and (width <= period or period == 0):
                assert same(masks.periodic(4, 61, period, width), name) or period == 0 and same(masks.full(4, 61), name), name
                tried += 1
        if name.startswith("codebook_mask_"):
            assert same(masks.codebooks(4, 61, int(parts[2])), name), name
            tried += 1
    assert tried >= 8


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
    assert torch.equal(~(a & b), ~a | ~b) and torch.equal(masks.full(k, t) & a, a) and torch.equal(masks.empty(k, t) | a, a)


def test_random_hides_its_share():
    mask = masks.random(14, 10_000, 0.3, torch.Generator().manual_seed(1))
    assert float(mask.float().mean()) == pytest.approx(0.3, abs=4 * (0.21 / 140_000) ** 0.5)


@pytest.mark.parametrize("call", [lambda: masks.full(0, 5), lambda: masks.random(2, 5, 1.5, torch.Generator()),
                                  lambda: masks.periodic(2, 5, -1), lambda: masks.periodic(2, 5, 3, 0),
                                  lambda: masks.prefix(2, 5, 6), lambda: masks.suffix(2, 5, -1), lambda: masks.codebooks(2, 5, 3)])  # fmt: skip
def test_impossible_masks_are_refused(call):
    with pytest.raises(ValueError, match="expected"):
        call()


@pytest.fixture
def tokens():
    return Tokens(torch.zeros(14, 575, dtype=torch.int64), "c", 44_100, 768, 1024, 441_000, 44_100)


def test_prompts_keep_what_they_say(tokens):
    kept = {repr(p): int((~p.mask(tokens)).sum()) for p in (Compression(2), Periodic(7), Prefix(3), Suffix(1), Everything(), Nothing())}
    assert list(kept.values()) == [2 * 575, 83 * 14, 173 * 14, 58 * 14, 575 * 14, 0]
    assert Compression(1).bits_per_second(tokens) == pytest.approx(574.2, abs=0.1)
    with pytest.raises(ValueError, match="lasts 10.00 s"):
        Prefix(11).mask(tokens)


def test_prompts_combine_and_print_as_python(tokens):
    a, b = Periodic(7, 3, 1), Compression(3)
    assert torch.equal((a | b).mask(tokens), a.mask(tokens) & b.mask(tokens)) and torch.equal((a & b).mask(tokens), a.mask(tokens) | b.mask(tokens))
    assert torch.equal((~a).mask(tokens), ~a.mask(tokens))
    for prompt in (a, a | b, a & ~(b | Prefix(1.5)), Nothing(), ~Suffix(2)):
        assert eval(repr(prompt)) == prompt


def test_counts_of_the_reference():
    """vampnet d4: 160 hidden tokens, 12 passes."""
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
    for gamma in (schedules.cosine, schedules.linear, schedules.square, schedules.root):
        values = [gamma(u / 50) for u in range(51)]
        assert values[0] == pytest.approx(1) and values[-1] == pytest.approx(0, abs=1e-9) and values == sorted(values, reverse=True)


def test_training_ratios_cover_the_range():
    r = schedules.training_ratios(64, seed=3, step=9)
    assert torch.equal(r, schedules.training_ratios(64, seed=3, step=9)) and not torch.equal(r, schedules.training_ratios(64, seed=3, step=10))
    assert ((r.sort().values * 64).floor() == torch.arange(64)).all()
    hidden = torch.cat([schedules.cosine(schedules.training_ratios(8, 0, s)) for s in range(500)])
    assert float(hidden.mean()) == pytest.approx(2 / np.pi, abs=0.003)
