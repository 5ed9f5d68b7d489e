"""The drawn mask: every gesture, undo and redo, JSON and printed Python, without a browser."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vampkit import masks, prompts
from vampkit.prompts import Compression, Periodic, Prefix, Prompt
from vampkit.widgets import MaskModel, cells

K, T = 6, 40
ROWS = st.none() | st.lists(st.integers(0, K - 1), max_size=K, unique=True)
FRAME, CODEBOOK = st.integers(0, T - 1), st.integers(0, K - 1)
MASKS = arrays(bool, (K, T))


def again(model):
    return eval(model.code(), vars(prompts) | {"MaskModel": MaskModel})


def test_a_model_starts_with_everything_kept_and_counts_what_is_hidden():
    model = MaskModel(14, 575)
    assert model.mask_ratio == 0 and model.mask.shape == (14, 575) and model.mask.dtype == bool and model.undos == 0
    assert model.bits_per_second == pytest.approx(10 * 14 * 44_100 / 768)
    model.fill()
    assert (
        model.mask_ratio == 1 and model.bits_per_second == 0 and model.tensor.all() and model.tensor.dtype == torch.bool
    )


def test_the_mask_is_handed_out_as_a_copy_and_taken_as_an_array():
    model = MaskModel(2, 5)
    model.mask[0, 0] = True
    assert not model.mask.any()
    drawn = np.zeros((2, 5), bool)
    drawn[1, 3] = True
    model.mask = drawn
    drawn[:] = True
    assert model.mask.sum() == 1 and model.mask[1, 3] and model.undos == 1
    model.mask = torch.ones(2, 5, dtype=torch.bool)
    assert model.mask_ratio == 1


def test_a_stroke_is_one_gesture_and_the_eraser_its_opposite():
    model = MaskModel(14, 100).paint([(2, 10), (2, 20)], width=3, height=2)
    assert model.undos == 1 and model.mask.sum() == 2 * 13 and model.mask[2:4, 9:22].all()
    model.erase([(3, 0), (3, 99)])
    assert model.undos == 2 and not model.mask[3].any() and model.mask[2].sum() == 13
    model.erase([(3, 0), (3, 99)])
    assert model.undos == 2, "a gesture that changes nothing is no step"
    assert model.undo() and model.undo() and not model.undo() and not model.mask.any()
    assert model.redo() and model.redo() and not model.redo() and model.mask.sum() == 13
    model.undo()
    model.fill()
    assert model.redos == 0, "a new gesture forgets what was taken back"


def test_boxes_rows_columns_and_times():
    model = MaskModel(14, 575)
    assert model.rectangle((0, 4), (100, 200)).mask.sum() == 400
    assert model.clear().row(13).mask[13].all() and model.mask.sum() == 575
    assert model.clear().column(7).mask[:, 7].all() and model.mask.sum() == 14
    assert model.clear().time(1.0, 2.0).mask[0].sum() == round(2 * 44_100 / 768) - round(44_100 / 768)
    assert model.fill().rectangle(None, (0, 10), hidden=False).mask.sum() == 14 * 565


@pytest.mark.parametrize("how", ["replace", "or", "and"])
def test_stamps_combine_as_prompts_do(how):
    model = MaskModel(14, 575).stamp(Periodic(7)).stamp(Prefix(1.0), how)
    wanted = {"replace": Prefix(1.0), "or": Periodic(7) | Prefix(1.0), "and": Periodic(7) & Prefix(1.0)}[how]
    assert (model.mask == wanted.mask(model.tokens).numpy()).all()
    assert f"stamp({Prefix(1.0)!r}" in model.code() and (again(model) == model.mask).all()


def test_stamps_by_words():
    model = MaskModel(14, 575).stamp("periodic:7+prefix:1")
    assert (model.mask == (Periodic(7) | Prefix(1.0)).mask(model.tokens).numpy()).all()
    with pytest.raises(ValueError, match="nonsense"):
        model.stamp("nonsense")


class Louder(Prompt):
    """A prompt of one's own that needs the sound and does not print as Python."""

    def mask(self, tokens, clip=None):
        if clip is None:
            raise ValueError("a clip was expected")
        return Periodic(5).mask(tokens)


@pytest.mark.parametrize("prompt", ["continuation:2", "outpaint:1,1", "stretch:2", "loop:1(periodic:3)"])
def test_a_stamp_that_would_change_the_length_is_refused_with_a_way_out(prompt):
    model = MaskModel(6, 100).column(3)
    with pytest.raises(
        ValueError, match=r"makes \d+ frames of 100, and a stamp leaves the sound as it is; .* open that"
    ):
        model.stamp(prompt)
    assert model.mask.sum() == 6 and model.undos == 1
    model.stamp("stretch:1")
    assert model.undos == 2, "what leaves the length is a stamp like others"


def test_a_stamp_that_needs_the_sound_is_printed_as_the_mask_it_made(tone):
    model = MaskModel(4, 30, clip=tone).stamp(Compression(1)).stamp(Louder(), "or")
    assert "Louder" not in model.code() and (again(model) == model.mask).all()
    with pytest.raises(ValueError, match="clip was expected"):
        MaskModel(4, 30).stamp(Louder())


def test_roll_repeat_and_invert():
    model = MaskModel(3, 12).rectangle((0, 2), (0, 2)).roll(-1)
    assert model.mask[0].nonzero()[0].tolist() == [0, 11]
    model.clear().column(4).repeat(3, 6)
    assert model.mask[2].nonzero()[0].tolist() == [1, 4, 7, 10]
    assert model.invert().mask.sum() == 3 * 8


def test_locked_rows_and_coarse_only():
    model = MaskModel(14, 10).lock(0, 5)
    model.fill()
    assert not model.mask[0].any() and not model.mask[5].any() and model.mask.sum() == 120
    assert (again(model) == model.mask).all()
    model.coarse_only = True
    model.clear()
    assert model.mask[1:4].sum() == 0 and model.mask[6:].all() and model.locked == [0, 5]
    model.lock(on=False)
    assert model.locked == [] and model.undos == 2
    model.undo()
    assert model.coarse_only, "undo takes back drawing, not the tools"


def test_snapping():
    model = MaskModel(2, 100).snap_to("beats", [0.5, 1.0, 1.5])
    points = model.snap_points()
    assert points == [0, 29, 57, 86, 100]
    assert model.paint([(0, 40)], snap=True).mask[0].nonzero()[0].tolist() == list(range(29, 57))
    assert model.clear().rectangle(None, (25, 60), snap=True).mask[1].nonzero()[0].tolist() == list(range(29, 57))
    assert model.clear().rectangle(None, (31, 35), snap=True).mask[1].sum() == 28, "a box inside one beat is that beat"
    assert model.clear().column(99, snap=True).mask[0].sum() == 14
    with pytest.raises(ValueError, match="no bars are known"):
        model.snap_to("bars")
    with pytest.raises(ValueError, match="one of frames"):
        model.snap_to("seconds")
    assert model.snap == "beats"


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda m: m.paint([]), ValueError, "at least one cell"),
        (lambda m: m.paint([(0, 1)], width=0), ValueError, "width of the brush"),
        (lambda m: m.paint([(0, float("nan"))]), TypeError, "integer"),
        (lambda m: m.rectangle((3, 3)), ValueError, "an end after the first"),
        (lambda m: m.rectangle((0, 99)), ValueError, "from 1 to 6"),
        (lambda m: m.draw(np.zeros((2, 3), bool)), ValueError, "was expected for this sound"),
        (lambda m: m.draw(np.zeros((K, T))), TypeError, "booleans"),
        (lambda m: m.draw("0:4 10:99"), ValueError, "leaves the grid"),
        (lambda m: m.draw("hello"), ValueError, "no part of a mask"),
        (lambda m: m.stamp(Periodic(3), "xor"), ValueError, "replace, or, and"),
        (lambda m: m.roll(1.5), TypeError, "whole number"),
        (lambda m: m.time(2, 1), ValueError, "later end"),
        (lambda m: m.lock(99), ValueError, "the codebook"),
        (lambda m: MaskModel.from_json({"format": "other"}), ValueError, "no mask of format"),
        (lambda m: MaskModel(0, 10), ValueError, "number of codebooks"),
        (lambda m: MaskModel(4, 0), ValueError, "number of frames"),
    ],
)
def test_bad_gestures_are_refused_and_nothing_is_lost(call, kind, words):
    model = MaskModel(K, T).column(3)
    with pytest.raises(kind, match=words):
        call(model)
    assert model.mask.sum() == K and model.undos == 1


def test_a_stroke_from_far_outside_paints_only_the_grid_and_quickly():
    assert MaskModel(K, T).paint([(0, 5), (-(10**15), 10**15)]).mask.sum() <= T
    assert MaskModel(K, T).paint([(10**9, 10**9)]).undos == 0


def test_a_thousand_gestures_come_back_one_by_one():
    model = MaskModel(14, 3446)
    seen = []
    for i in range(1000):
        seen.append(model.mask[i % 14, i * 3])
        model.paint([(i % 14, i * 3)])
    assert model.undos == 1000 and model.mask.sum() == 1000 and "draw(" in model.code()
    while model.undo():
        pass
    assert not model.mask.any() and model.redos == 1000
    while model.redo():
        pass
    assert model.mask.sum() == 1000 and (again(model) == model.mask).all()


def test_a_model_read_from_json_prints_what_it_read_and_what_was_done_then():
    model = MaskModel.from_json(MaskModel(K, T).column(3).to_json()).row(2)
    assert (again(model) == model.mask).all() and "row" not in model.code() and "draw(" in model.code()
    assert (again(MaskModel.from_json(model.to_json())) == model.mask).all()


def test_listeners_hear_every_change_until_they_leave():
    model, heard = MaskModel(K, T), []
    leave = model.listen(lambda m: heard.append(m.mask_ratio))
    model.fill()
    model.undo()
    leave()
    leave()
    model.fill()
    assert heard == [1.0, 0.0]


@given(MASKS)
def test_text_and_bits_hold_the_mask(mask):
    assert (cells.from_text(cells.to_text(mask), K, T) == mask).all()
    assert (masks.unpack(masks.pack(mask), K, T).numpy() == mask).all()


@given(
    st.lists(st.tuples(st.integers(-5, K + 5), st.integers(-9, T + 9)), min_size=1, max_size=6),
    st.integers(1, 9),
    st.integers(1, K),
)
def test_a_stroke_covers_its_path_and_stays_near_it(path, width, height):
    painted = cells.stroke(K, T, path, width, height)
    for row, frame in path:
        assert not (0 <= row < K and 0 <= frame < T) or painted[row, frame]
    rows, frames = [r for r, _ in path], [f for _, f in path]
    for row, frame in zip(*painted.nonzero(), strict=True):
        assert min(rows) - height < row < max(rows) + height and min(frames) - width < frame < max(frames) + width


@given(st.lists(st.integers(1, T - 1), unique=True), FRAME, st.integers(1, T))
def test_snapped_ranges_are_whole_stretches(inside, first, end):
    points = sorted({0, T, *inside})
    a, b = cells.snap_range(points, first, end)
    assert a in points and b in points and a < b


class Gestures(RuleBasedStateMachine):
    """Random gestures, undone and redone at random: the model shows what a plain list of masks shows."""

    @initialize()
    def start(self):
        self.model = MaskModel(K, T, length=T * 768 - 5)
        self.model.times["beats"] = (0.1, 0.25, 0.4)
        self.past, self.future = [self.model.mask], []

    def did(self):
        if (self.model.mask != self.past[-1]).any():
            self.past.append(self.model.mask)
            self.future.clear()

    @rule(
        path=st.lists(st.tuples(st.integers(-2, K + 1), st.integers(-3, T + 2)), min_size=1, max_size=4),
        width=st.integers(1, 5),
        height=st.integers(1, K),
        hidden=st.booleans(),
        rows=ROWS,
        snap=st.booleans(),
    )
    def paint(self, **a):
        self.model.paint(**a)
        self.did()

    @rule(
        rows=st.tuples(CODEBOOK, st.integers(1, K)),
        frames=st.tuples(FRAME, st.integers(1, T)),
        hidden=st.booleans(),
        snap=st.booleans(),
    )
    def rectangle(self, rows, frames, hidden, snap):
        top, left = min(rows[0], rows[1] - 1), min(frames[0], frames[1] - 1)
        self.model.rectangle((top, rows[1]), (left, frames[1]), hidden, snap=snap)
        self.did()

    @rule(
        prompt=st.sampled_from([Periodic(7), Compression(2), Prefix(0.2), ~Periodic(3, 2, 1)]),
        how=st.sampled_from(["replace", "or", "and"]),
        rows=ROWS,
    )
    def stamp(self, prompt, how, rows):
        self.model.stamp(prompt, how, rows)
        self.did()

    @rule(name=st.sampled_from(["invert", "clear", "fill"]), rows=ROWS)
    def whole(self, name, rows):
        getattr(self.model, name)(rows)
        self.did()

    @rule(by=st.integers(-T, T), rows=ROWS)
    def roll(self, by, rows):
        self.model.roll(by, rows)
        self.did()

    @rule(first=FRAME, length=st.integers(1, T))
    def repeat(self, first, length):
        self.model.repeat(first, min(T, first + length))
        self.did()

    @rule(mask=MASKS)
    def draw(self, mask):
        self.model.mask = mask
        self.did()

    @rule(row=CODEBOOK, on=st.booleans())
    def lock(self, row, on):
        self.model.lock(row, on=on)

    @rule(on=st.booleans(), snap=st.sampled_from(["frames", "beats"]))
    def tools(self, on, snap):
        self.model.coarse_only = on
        self.model.snap_to(snap)

    @precondition(lambda self: len(self.past) > 1)
    @rule()
    def undo(self):
        assert self.model.undo()
        self.future.append(self.past.pop())

    @precondition(lambda self: self.future)
    @rule()
    def redo(self):
        assert self.model.redo()
        self.past.append(self.future.pop())

    @invariant()
    def shows_what_was_drawn(self):
        assert (self.model.mask == self.past[-1]).all()
        assert self.model.undos == len(self.past) - 1 and self.model.redos == len(self.future)

    @invariant()
    def comes_back_from_paper(self):
        read = MaskModel.from_json(json.dumps(self.model.to_json()))
        assert (read.mask == self.model.mask).all() and read.to_json() == self.model.to_json()
        assert (again(self.model) == self.model.mask).all() and (again(read) == self.model.mask).all()


TestGestures = Gestures.TestCase
TestGestures.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
