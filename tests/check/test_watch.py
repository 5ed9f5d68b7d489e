"""What a check sees of a function: calls of the library by any name, endless loops; and how it shows what came out."""

import signal
import threading
from functools import wraps

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vampkit import masks
from vampkit.check import core, pictures
from vampkit.check.cases import Draw
from vampkit.check.watch import LibraryCall, TooLong, Watch
from vampkit.codec import Tokens
from vampkit.masks import periodic as another_name


@wraps(masks.periodic)
def wrapped(*arguments):
    return masks.periodic(*arguments)


@pytest.mark.parametrize(
    "forbidden, call",
    [
        (masks.periodic, lambda: masks.periodic(1, 6, 3)),
        (masks.periodic, lambda: another_name(1, 6, 3)),
        (masks.periodic, lambda: wrapped(1, 6, 3)),
        (masks.windows, lambda: masks.periodic(1, 6, 3)),  # through a third function
        (F.cross_entropy, lambda: torch.nn.CrossEntropyLoss()(torch.zeros(1, 3), torch.zeros(1, dtype=torch.int64))),
        (F.scaled_dot_product_attention, lambda: F.scaled_dot_product_attention(*torch.zeros(3, 1, 2, 2))),
        (
            Tokens.bits_per_second,
            lambda: (
                Tokens(
                    torch.zeros(2, 4, dtype=torch.int64), "none", rate=8, hop=2, entries=4, length=8, source_rate=8
                ).bits_per_second
            ),
        ),
    ],
)
def test_a_call_is_seen_by_whatever_name(forbidden, call):
    watch = Watch([forbidden])
    with pytest.raises(LibraryCall):
        watch.run(call, ())
    assert watch.called

    def hides():
        try:
            return call()
        except Exception:
            return 3

    watch = Watch([forbidden])
    assert watch.run(hides, ()) == 3 and watch.called  # swallowed, but seen


def test_what_is_not_forbidden_is_left_alone():
    watch = Watch([masks.windows])
    assert watch.run(masks.gap, (1, 6, 2, 4)).sum() == 2 and not watch.called
    with pytest.raises(ZeroDivisionError):
        watch.run(lambda: 1 / 0, ())


def test_an_endless_loop_is_stopped_and_signals_are_as_before():
    before = signal.getsignal(signal.SIGVTALRM)

    def endless():
        while True:
            pass

    def patient():
        while True:
            try:
                endless()
            except Exception:
                continue

    for function in (endless, patient):
        with pytest.raises(TooLong, match="stopped after 0.2 s"):
            Watch(seconds=0.2).run(function, ())
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_in_another_thread_a_check_works_without_an_alarm():
    found = []
    thread = threading.Thread(target=lambda: found.append(Watch().run(lambda: 7, ())))
    thread.start()
    thread.join()
    assert found == [7]


@pytest.mark.parametrize(
    "yours, words",
    [
        (lambda tokens: masks.periodic(1, 4, 2)[0], "in case 1 it calls the library's periodic, which is to be"),
        (lambda tokens: exit(), "in case 1 it stopped with SystemExit"),
        (lambda tokens: [True, True, True, True], "A right answer keeps to this: something is kept"),
        (lambda tokens: [0, 1, 0, 1], "yours holds whole numbers, True or False was expected"),
    ],
)
def test_a_judge_says_what_it_saw(yours, words, capsys):
    cases = [(torch.arange(4),), (torch.arange(4) + 1,)]
    holds = {"something is kept": lambda found, tokens: not found.all()}
    settings = dict(holds=holds, library=[masks.periodic])
    assert core.judge("task", yours, cases, lambda tokens: tokens % 2 > 0, {}, **settings) is False
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("found", [[3.0, 1.0], [np.inf, 1.0], [-np.inf, np.inf], [1e30, 1.0]])
def test_only_an_infinite_number_is_right_where_one_is_expected(found):
    expected = np.array([-np.inf, 1.0])
    assert core.difference(np.array(found), expected).startswith("the first of ")
    assert core.difference(expected.copy(), expected) == ""


@pytest.mark.parametrize(
    "found, expected, kinds",
    [
        (np.zeros((3, 9), bool), np.ones((3, 9), bool), {"heatmap"}),
        (np.zeros(9, bool), np.ones(9, bool), {"heatmap"}),
        (np.zeros(9), np.arange(9.0), {"scatter"}),
        (np.array([np.inf, np.nan, 1.0]), np.arange(4.0), {"scatter"}),
        (np.full((2, 3, 4), np.nan), np.zeros((4, 2)), {"heatmap"}),
        (np.asarray(3), np.asarray(4.5), {"bar"}),
        (np.arange(2.0), np.arange(2.0) + 1, {"heatmap"}),
    ],
)
def test_results_are_drawn_whatever_they_are(found, expected, kinds):
    figure = pictures.side_by_side("task", found, expected)
    assert {trace.type for trace in figure.data} == kinds
    assert "task" in figure.layout.title.text and "image/png" in figure._repr_mimebundle_()


def test_a_picture_shows_as_different_what_is_wrong_and_no_more():
    expected = np.array([[-np.inf, 1.0, 2.0], [np.inf, 4.0, -np.inf]])
    found = np.array([[-np.inf, 1.0 + 1e-7, 2.5], [np.inf, np.nan, 3.0]])
    *_, differ = pictures.side_by_side("task", found, expected).data
    assert np.array_equal(differ.z, [[0, 0, 1], [0, 1, 1]])


def test_nothing_is_drawn_of_nothing_and_sound_is_played(capsys):
    assert pictures.side_by_side("task", np.zeros(0), np.zeros(3)) is None
    sound = 0.1 * np.sin(np.arange(8000) / 5)
    player = pictures.as_sound(8000)("task", sound, 3 * sound)
    assert player.labels == ("yours", "target")
    assert pictures.as_sound()("task", np.full(5, np.nan), np.zeros(5)).data[0].type == "scatter"


def test_cases_are_drawn_again_from_their_seed():
    one, two = Draw(5), Draw(5)
    assert one.times(4, 3.0, 0.2) == two.times(4, 3.0, 0.2)
    assert torch.equal(one.mask(0.5, 3, 4), two.mask(0.5, 3, 4))
    times = Draw(1).times(6, 4.0, 0.3)
    assert all(b - a >= 0.3 - 1e-9 for a, b in zip(times, times[1:], strict=False)) and 0 <= times[0] and times[-1] < 4
