"""Pages of listening tests: what they hold, and what is refused. The page itself is tried in tests/browser."""

import base64
import io
import json
import re

import numpy as np
import pytest
import soundfile

from vampkit.audio import Clip
from vampkit.show import listening_test, low_pass

RATE = 44_100


def noise(seed, seconds=1.0):
    return Clip(
        0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32), RATE, f"{seed}"
    )


def data(path):
    page = path.read_text(encoding="utf-8")
    return page, json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_a_page_holds_its_sounds_at_one_level_and_needs_no_network(tmp_path):
    trials = {"one </script> two": {"reference": noise(1), "base": noise(2).gain(-12)}}
    page, found = data(listening_test(trials, tmp_path / "test.html", title="Is it <close>?"))
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(http""", page)
    assert "Is it &lt;close&gt;?" in page and found["trials"][0]["name"] == "one </script> two"
    sounds = found["trials"][0]["sounds"]
    assert list(sounds) == ["reference", "base", "anchor 3.5 kHz", "anchor 7 kHz"]
    for label in ("reference", "base"):
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sounds[label].split(",")[1])))
        assert rate == RATE and abs(Clip(samples.astype(np.float32), rate).loudness() + 24) < 0.1
    _, plain = data(listening_test(trials, tmp_path / "plain.html", anchors=False, level=None))
    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(plain["trials"][0]["sounds"]["base"].split(",")[1])))
    assert len(plain["trials"][0]["sounds"]) == 2
    assert np.abs(samples - noise(2).gain(-12).samples[0]).max() < 2**-15


def test_an_anchor_keeps_what_is_low_and_takes_what_is_high():
    t = np.arange(RATE) / RATE
    for hertz, kept in ((200, 1.0), (3000, 1.0), (3400, 1.0), (4200, 0.0), (12_000, 0.0)):
        tone = Clip(np.sin(2 * np.pi * hertz * t).astype(np.float32), RATE)
        inside = low_pass(tone, 3500).samples[0, 4000:-4000]
        assert abs(np.abs(inside).max() - kept) < 2e-3, hertz
        if kept:
            assert np.abs(inside - tone.samples[0, 4000:-4000]).max() < 2e-3  # not delayed


def test_sounds_of_two_rates_are_equally_long_in_seconds(tmp_path):
    low = Clip(noise(2).samples[:, ::2].copy(), RATE // 2)
    assert listening_test({"a": {"x": noise(1), "y": low}}, tmp_path / "test.html", "abx").exists()
    with pytest.raises(ValueError, match="last 1.00 to 2.00 s, equal lengths"):
        twice = Clip(noise(2, 2.0).samples[:, ::2].copy(), RATE // 2)
        listening_test({"a": {"x": noise(1), "y": twice}}, tmp_path / "test.html", "abx")


@pytest.mark.parametrize(
    "trials, kind, error, words",
    [
        ({}, "mushra", ValueError, "at least one of each"),
        ({"a": {"reference": noise(1), "b": noise(2)}}, "mush", ValueError, '"mushra" or "abx"'),
        ({"a": {"base": noise(1), "b": noise(2)}}, "mushra", ValueError, '"reference" and at least one'),
        ({"a": {"reference": noise(1)}}, "mushra", ValueError, '"reference" and at least one'),
        ({"a": {"x": noise(1), "y": noise(2), "z": noise(3)}}, "abx", ValueError, "two were expected"),
        ({"a": {"x": noise(1), "y": noise(2, 2)}}, "abx", ValueError, "equal lengths"),
        ({"a": {"x": noise(1), "y": 7}}, "abx", TypeError, "a Clip or a Take"),
    ],
)
def test_what_is_no_test_is_refused(trials, kind, error, words, tmp_path):
    with pytest.raises(error, match=words):
        listening_test(trials, tmp_path / "test.html", kind)
    assert not list(tmp_path.iterdir())
