"""Windows: every frame is made once, in order, with the context that was promised.

Counts in closed form; the reference's cut.
"""

from math import ceil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vampkit.pipeline.windows import (
    REFERENCE,
    SHARED,
    Window,
    Windows,
    chunks,
    circle,
    cut,
    line,
    plan,
    ready,
    seed_of,
    settled,
)

sizes = st.tuples(st.integers(2, 30), st.integers(0, 12), st.integers(0, 12)).filter(lambda s: s[0] - s[1] - s[2] >= 1)
rows = st.lists(st.booleans(), min_size=1, max_size=150).map(torch.tensor)


def own_frames(windows):
    return [frame for w in windows for frame in range(w.first, w.last)]


@given(st.integers(1, 400), sizes)
def test_a_row_all_hidden_in_closed_form(frames, sizes):
    size, context, ahead = sizes
    windows = line(torch.ones(frames, dtype=torch.bool), *sizes)
    if context + ahead == 0:
        assert len(windows) == ceil(frames / size)
    else:
        assert len(windows) == 1 + max(0, ceil((frames - size) / (size - context - ahead)))
    assert own_frames(windows) == list(range(frames))
    assert all(w.right - w.left == min(size, frames) and w.left >= 0 and w.right <= frames for w in windows)
    assert all(w.first - w.left >= min(context, w.first) for w in windows), "less context than promised"
    assert all(w.right - w.last == ahead for w in windows[:-1]) and windows[-1].last == frames


@given(rows, sizes)
def test_every_hidden_frame_is_made_once_and_nothing_hidden_is_context(hidden, sizes):
    windows, made = line(hidden, *sizes), []
    left = hidden.clone()
    for window in windows:
        assert not left[window.left : window.first].any(), "context that is not made yet"
        assert left[window.first : window.last].any(), "a window with nothing to do"
        left[window.first : window.last] = False
        made += range(window.first, window.last)
    assert not left.any() and len(made) == len(set(made)) and made == sorted(made)
    assert [w.number for w in windows] == sorted({w.number for w in windows})


def test_a_gap_lies_in_one_window_with_context_on_both_sides():
    hidden = torch.zeros(10_000, dtype=torch.bool)
    hidden[5000:5150] = True
    assert plan(hidden, SHARED, "coarse") == [Window(5000 - 172, 5000 - 172 + 575, 5000, 5000 - 172 + 575)]


@given(st.integers(1, 300), sizes)
def test_a_circle_in_closed_form(frames, sizes):
    size, context, ahead = sizes
    windows = circle(torch.ones(frames, dtype=torch.bool), *sizes)
    if frames <= size:
        assert windows == [Window(0, frames, 0, frames, circular=True)]
        return
    assert len(windows) == ceil(frames / (size - context - ahead)) and own_frames(windows) == list(range(frames))
    for window in windows:
        seen = cut(torch.arange(frames), window)
        assert len(set(seen.tolist())) == size and seen[window.made].tolist() == list(range(window.first, window.last))
        assert seen[0] == (window.first - context) % frames


@given(rows, st.integers(1, 30), st.booleans())
def test_the_references_chunks_lie_side_by_side(hidden, size, pad):
    windows = chunks(hidden, size, pad)
    assert all(w.left == w.first == w.number * size and w.last == min(w.left + size, len(hidden)) for w in windows)
    assert all(len(cut(hidden, w, True)) == (size if pad else w.last - w.first) for w in windows)
    assert all(cut(hidden, w, True)[w.last - w.left :].all() for w in windows)
    assert hidden.sum() == sum(int(hidden[w.first : w.last].sum()) for w in windows)


@given(st.integers(0, 2**31))
def test_no_two_windows_of_a_take_share_their_noise(seed):
    seeds = {seed_of(seed, stage, n, turn) for stage in ("coarse", "fine") for n in range(100) for turn in range(3)}
    assert len(seeds) == 2 * 100 * 3 and seed_of(seed, "coarse", 0) == seed and all(0 <= s < 2**63 for s in seeds)


def test_what_is_ready_and_settled():
    windows = line(torch.ones(100, dtype=torch.bool), 30, 10, 5)
    assert [settled(windows, done, 100) for done in (0, 1, len(windows))] == [0, 25, 100]
    assert ready(Window(0, 20, 0, 20), 20, 100) and not ready(Window(0, 21, 0, 21), 20, 100)
    assert not ready(Window(-5, 20, 0, 20), 90, 100) and ready(Window(-5, 20, 0, 20), 100, 100)


def test_sizes():
    for wrong in (dict(coarse_context=-1), dict(coarse=229), dict(fine=10, fine_context=10)):
        with pytest.raises(ValueError, match="frame of its own"):
            Windows(**wrong)
    assert REFERENCE.coarse == ceil(10 * 44_100 / 768) and REFERENCE.fine == ceil(3 * 44_100 / 768)
