"""The panel: its model without a browser, its controls by their values, and nothing left open."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from vampkit import masks
from vampkit.audio import clips, load_clip
from vampkit.controls import Harmony, Rhythm
from vampkit.prompts import (
    Beats,
    Compression,
    Continuation,
    Inpaint,
    Loop,
    Onsets,
    Outpaint,
    Periodic,
    Prefix,
    Prompt,
    RandomShare,
    Stretch,
    Suffix,
    prompt_type,
)
from vampkit.prompts.beats import BeatGrid
from vampkit.prompts.values import Slider, whole
from vampkit.widgets.panel import PanelModel, VampPanel
from vampkit.widgets.panel_model import offered


class PlainVamp:
    """Stands for a Vamp: encodes with the small codec, and answers with the clip turned around."""

    def __init__(self, codec):
        self.codec, self.calls, self.settings = codec, [], {}

    def vamp(self, sound, prompt, *, seed, passes, progress=None, **settings):
        if seed == 666:
            raise ValueError("the model <failed>, try another seed")
        self.calls.append((prompt, seed, passes))
        self.settings = settings
        for i in range(passes):
            if progress:
                progress(i + 1, passes)
        made, mask = prompt.prepare(sound.tokens, sound.clip)
        clip = self.codec.decode(made)
        return SimpleNamespace(clip=replace(clip, samples=clip.samples[:, ::-1].copy()), mask=mask, tokens=made)


@pytest.fixture(scope="module")
def vamp(small_codec):
    return PlainVamp(small_codec)


@pytest.fixture(scope="module")
def clip(tone):
    return tone.excerpt(0, 1.0)


@pytest.fixture
def panel(vamp, clip):
    panel = VampPanel(vamp, clip, passes=4)
    yield panel
    panel.close()


def html_of(panel):
    return panel._view.outputs[0]["data"]["text/html"]


EXAMPLES = {
    "compression": (dict(codebooks=3, downsampling=4), Compression(3, 4)),
    "periodic": (dict(period=5, width=3, offset=2), Periodic(5, 3, 2)),
    "share": (dict(share=0.3), RandomShare(0.3)),
    "prefix": (dict(seconds=0.5), Prefix(0.5)),
    "suffix": (dict(seconds=0.2), Suffix(0.2)),
    "inpaint": (dict(start=0.2, end=0.7), Inpaint(0.2, 0.7)),
    "outpaint": (dict(before=0.5, after=0.3), Outpaint(0.5, 0.3)),
    "continuation": (dict(seconds=0.8, prefix=0.4), Continuation(0.8, 0.4)),
    "loop": (dict(seconds=0.4, start=0.3, period=3), Loop(0.4, start=0.3, prompt=Periodic(3))),
    "stretch": (dict(factor=3), Stretch(3)),
    "beats": (
        dict(before=0.01, after=0.05, which="down", every=1),
        Beats(0.01, 0.05, "down", beats=(0.1, 0.5, 0.9), downbeats=(0.5,)),
    ),
    "onsets": (dict(before=0.02, after=0.1), Onsets(0.02, 0.1)),
}


@pytest.mark.parametrize("kind", offered())
def test_model_makes_every_prompt(vamp, clip, kind, monkeypatch):
    monkeypatch.setattr("vampkit.widgets.panel_model.onset_times", lambda clip, **how: [0.25, 0.75])
    numbers, prompt = EXAMPLES[kind]
    model = PanelModel(vamp, clip, beats=BeatGrid((0.1, 0.5, 0.9), (0.5,)))
    model.set(prompt=kind, **numbers)
    timed = replace(prompt, times=(0.25, 0.75)) if kind == "onsets" else prompt
    made, mask = timed.prepare(model.tokens, clip)
    assert model.prompt == prompt and repr(prompt) in model.code() and model.values == numbers
    assert model.mask.equal(mask) and model.made.codes.equal(made.codes) and model.mask.any()
    assert model.given.seconds == pytest.approx(made.seconds, abs=0.01)
    assert model.generate().mask.equal(mask)


def test_any_prompt_that_listens_hears_the_sound(vamp, clip):
    @prompt_type(word="beginning", example="beginning", bare=True, title="Beginning: keep what is above the mean")
    class Beginning(Prompt):
        """Keeps the first frames of what is heard."""

        frames: int = whole("frames", default=5, low=1, slider=Slider(1, 9))

        def mask(self, tokens, clip=None):
            return masks.prefix(tokens.codebooks, tokens.frames, self.frames if clip.samples.any() else 0)

    try:
        for sound in (clip, vamp.codec.encode(clip)):
            model = PanelModel(vamp, sound, "beginning")
            assert int((~model.generate().mask[0]).sum()) == 5
    finally:
        del Prompt.kinds["Beginning"]


def test_what_a_prompt_recommends_is_applied_and_shown(vamp, clip):
    model = PanelModel(vamp, clip, passes=2)
    model.generate()
    assert vamp.settings == {}
    model.set(prompt="continuation", seconds=0.5, seed=3)
    model.generate()
    assert vamp.settings == {"mask_temperature": 40.0}
    assert model.code() == (
        "vamp.vamp(clip, Continuation(seconds=0.5, prefix=0.5), seed=3, passes=2, mask_temperature=40.0)"
    )


def test_what_is_followed_is_given_to_the_take_and_printed(vamp, clip):
    model = PanelModel(vamp, clip, passes=2, follow="own rhythm and harmony")
    model.generate()
    assert vamp.settings == {"follow": (Rhythm(clip), Harmony(clip)), "strength": 1.0}
    assert model.code().endswith("passes=2, follow=[Rhythm(clip), Harmony(clip)], strength=1.0)")
    other = clips()[2]
    model.set(follow=f"rhythm of {other}", strength=1.5)
    model.generate()
    assert vamp.settings == {"follow": (Rhythm(load_clip(other)),), "strength": 1.5}
    assert f"follow=[Rhythm(load_clip({other!r}))], strength=1.5" in model.code()
    model.set(follow="nothing")
    model.generate()
    assert vamp.settings == {} and "follow" not in model.code()


def test_what_cannot_be_followed_gets_one_sentence_and_changes_nothing(vamp, clip):
    model = PanelModel(vamp, clip, follow="own rhythm")
    before, state = model.followed, (model.kind, dict(model.values), model.strength)
    for wrong, words in [
        ({"follow": "the leader"}, "'the leader' cannot be followed, one of nothing, own rhythm"),
        ({"strength": 2.5}, "0 to 2 was expected"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"prompt": "continuation"}, "own rhythm does not fit; follow nothing or another clip"),
        ({"prompt": "loop"}, "own rhythm does not fit; follow nothing or another clip"),
    ]:
        with pytest.raises(ValueError, match=words):
            model.set(**wrong)
        assert model.followed is before and state == (model.kind, model.values, model.strength)
    model.set(prompt="continuation", seconds=5, follow=f"rhythm of {clips()[0]}")
    assert model.followed[0].frames >= model.made.frames
    with pytest.raises(ValueError, match="expected; stretch it, or take it from a longer sound"):
        model.set(prompt="outpaint", before=10, after=10)
    assert model.kind == "continuation"
    with pytest.raises(ValueError, match="silent"):
        PanelModel(vamp, replace(clip, samples=0 * clip.samples), follow="own rhythm")


def test_the_panel_has_a_menu_of_what_to_follow(panel, vamp):
    assert panel._strength.disabled and panel._follow.options[:2] == ("nothing", "own rhythm")
    panel._follow.value = "own rhythm"
    panel._strength.value = 0.5
    assert panel.model.follow == "own rhythm" and panel.model.strength == 0.5 and not panel._strength.disabled
    panel._prompt.value = "loop"
    assert "does not fit" in panel._status.value and panel._prompt.value == panel.model.kind == "periodic"
    panel.set(follow="nothing")
    assert panel._follow.value == "nothing" and panel._strength.disabled
    panel._prompt.value = "loop"
    panel._follow.value = "own rhythm"
    assert "does not fit" in panel._status.value and panel._follow.value == panel.model.follow == "nothing"


def test_value_is_the_first_number(vamp, clip, monkeypatch):
    monkeypatch.setattr("vampkit.widgets.panel_model.onset_times", lambda clip, **how: [0.25, 0.75])
    for kind in offered():
        model = PanelModel(vamp, clip, beats=(0.2, 0.6))
        model.set(prompt=kind)
        first = model.numbers[0]
        assert model.value == model.values[first.name] == first.start
        model.set(value=first.low)
        assert model.value == model.values[first.name] == first.low


def test_a_tracker_listens_once_where_no_beats_are_given(vamp, clip, monkeypatch):
    heard = []
    monkeypatch.setattr(
        "vampkit.widgets.panel_model.LibrosaBeats.track",
        lambda self, clip: heard.append(clip) or BeatGrid((0.3, 0.7), (0.7,)),
    )
    model = PanelModel(vamp, clip, "beats", before=0.0, after=0.1)
    model.set(which="down")
    assert model.mask.equal(Beats(0.0, 0.1, beats=(0.7,)).mask(model.tokens)) and len(heard) == 1
    assert model.prompt == Beats(0.0, 0.1, "down"), "the printed call leaves the tracking to the prompt"
    model.generate()
    assert vamp.calls[-1][0].beats == (0.3, 0.7) and len(heard) == 1


def test_the_picture_shows_the_sound_where_the_prompt_puts_it(vamp, clip):
    model = PanelModel(vamp, clip)
    assert model.given is model.original
    hop, samples = model.tokens.hop, clip.mono().resample(model.tokens.rate).samples[0]
    model.set(prompt="outpaint", before=0.5, after=0.5)
    lead = model.tokens.frames_of(0.5) * hop
    shown = model.given.samples[0]
    assert (
        not shown[:lead].any()
        and (shown[lead : lead + len(samples) - hop] == samples[:-hop]).all()
        and not shown[lead + len(samples) :].any()
    )
    model.set(prompt="stretch", factor=2)
    assert (model.given.samples[0, 2 * hop : 3 * hop] == samples[hop : 2 * hop]).all()
    model.set(prompt="continuation", seconds=1, prefix=0.3)
    kept = int((~model.mask.all(0)).sum()) * hop
    assert (model.given.samples[0, :kept] == samples[:kept]).all() and not model.given.samples[0, kept + hop :].any()


def test_model_refuses_and_keeps_what_it_had(vamp, clip):
    model = PanelModel(vamp, clip, "periodic", 9, seed=4)
    mask = model.mask
    for wrong, error in (
        (dict(prompt="mystery"), ValueError),
        (dict(value=0), ValueError),
        (dict(value=7.5), ValueError),
        (dict(value="7"), TypeError),
        (dict(seed=-1), ValueError),
        (dict(seed=1.5), TypeError),
        (dict(passes=0), ValueError),
        (dict(prompt="prefix", value=99), ValueError),
        (dict(prompt="inpaint", start=0.8, end=0.3), ValueError),
        (dict(seconds=2), TypeError),
        (dict(period=True), TypeError),
        (dict(prompt="beats", which="some"), ValueError),
    ):
        with pytest.raises(error, match="expected"):
            model.set(**wrong)
    assert (model.kind, model.value, model.seed) == ("periodic", 9, 4) and model.mask is mask


def test_another_kind_starts_with_its_own_number(vamp, clip):
    model = PanelModel(vamp, clip, "periodic", 31)
    model.set(prompt="compression")
    assert model.value == 1
    model.set(seed=5)
    assert model.value == 1 and model.seed == 5


def test_panel_by_calls(panel, vamp):
    assert "<audio" not in html_of(panel) and "% hidden" in html_of(panel)
    panel.set(prompt="periodic", value=7, seed=3)
    take = panel.generate()
    assert vamp.calls[-1] == (Periodic(7), 3, 4) and panel.model.take is take
    assert html_of(panel).count("<audio") == 2 and panel._bar.value == panel._bar.max == 4
    assert "Periodic(" in panel._status.value and not panel._button.disabled
    assert re.match(r"VampPanel: vamp\.vamp\(clip, Periodic\(.*\), seed=3, passes=4\), \d+\.\d % hidden", repr(panel))


def test_panel_by_hand(panel, vamp, monkeypatch):
    monkeypatch.setattr("vampkit.widgets.panel_model.onset_times", lambda clip, **how: [0.25, 0.75])
    panel._prompt.value = "periodic"
    panel.controls["period"].value = 5
    panel.controls["width"].value = 2
    assert panel.model.prompt == Periodic(5, 2) and "% hidden" in html_of(panel)
    panel._prompt.value = "prefix"
    assert (
        panel.model.kind == "prefix"
        and panel.controls["seconds"].max == 1.0
        and panel.controls["seconds"].description == "Seconds kept"
    )
    panel.controls["seconds"].value = 0.3
    panel._seed.value = 12
    panel._passes.value = 2
    panel._button.click()
    assert vamp.calls[-1] == (Prefix(0.3), 12, 2)
    for kind in offered():
        panel.model.beats = (0.2, 0.6)
        panel._prompt.value = kind
        assert panel.model.kind == kind == panel._prompt.value
        assert {name: control.value for name, control in panel.controls.items()} == panel.model.values
        assert panel._numbers.children == tuple(panel.controls.values())


def test_the_picture_follows_each_slider(panel):
    pages = set()
    for period in (3, 4, 6):
        panel.controls["period"].value = period
        pages.add(html_of(panel))
        assert f"{100 * float(panel.model.mask.float().mean()):.1f} % of the tokens" in panel._status.value
    assert len(pages) == 3


def test_a_slider_in_the_wrong_place_says_so_and_recovers(panel):
    panel.set(prompt="inpaint", start=0.2, end=0.6)
    panel.controls["start"].value = 0.8
    assert 'role="alert"' in panel._status.value and panel.model.prompt == Inpaint(0.2, 0.6)
    panel.controls["end"].value = 0.9
    assert 'role="status"' in panel._status.value and panel.model.prompt == Inpaint(0.8, 0.9)


def test_a_kind_that_does_not_fit_is_not_left_in_the_menu(panel, monkeypatch):
    monkeypatch.setattr("vampkit.widgets.panel_model.onset_times", lambda clip, **how: [])
    panel._prompt.value = "onsets"
    assert 'role="alert"' in panel._status.value and panel._prompt.value == panel.model.kind == "periodic"
    assert list(panel.controls) == ["period", "width", "offset"]


def test_errors_are_shown(panel):
    panel._seed.value = 666
    panel._button.click()
    assert (
        'role="alert"' in panel._status.value and "&lt;failed&gt;" in panel._status.value and not panel._button.disabled
    )
    with pytest.raises(ValueError, match="another seed"):
        panel.generate()


def test_display_has_text_and_widget(panel):
    bundle = panel._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert bundle["text/plain"] == repr(panel) and "application/vnd.jupyter.widget-view+json" in bundle


def test_close_frees_everything(vamp, clip):
    from ipywidgets.widgets.widget import _instances

    VampPanel(vamp, clip, passes=2).close()  # shared pieces are opened once
    before = set(_instances)
    panel = VampPanel(vamp, clip, passes=2)
    panel.generate()
    panel.set(prompt="outpaint", before=0.2, after=0.1)
    panel.generate()
    assert set(_instances) != before
    panel.close()
    panel.close()
    assert set(_instances) == before
    with pytest.raises(ValueError, match="closed"):
        panel.generate()
