"""The panel: its model without a browser, its controls by their values, and nothing left open."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from vampkit.prompts import Compression, Periodic, Prefix, Suffix
from vampkit.widgets.panel import KINDS, PanelModel, VampPanel


class PlainVamp:
    """Stands for a Vamp: encodes with the small codec, and answers with the clip turned around."""

    def __init__(self, codec):
        self.codec, self.calls = codec, []

    def vamp(self, tokens, prompt, *, seed, passes, progress=None):
        if seed == 666:
            raise ValueError("the model <failed>, try another seed")
        self.calls.append((prompt, seed, passes))
        for i in range(passes):
            if progress:
                progress(i + 1, passes)
        clip = self.codec.decode(tokens)
        return SimpleNamespace(
            clip=replace(clip, samples=clip.samples[:, ::-1].copy()), mask=prompt.mask(tokens), tokens=tokens
        )


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


@pytest.mark.parametrize(
    ("kind", "value", "prompt"),
    [
        ("compression", 3, Compression(3)),
        ("periodic", 5, Periodic(5)),
        ("prefix", 0.5, Prefix(0.5)),
        ("suffix", 0.2, Suffix(0.2)),
    ],
)
def test_model_makes_prompts(vamp, clip, kind, value, prompt):
    model = PanelModel(vamp, clip)
    model.set(prompt=kind, value=value)
    assert model.prompt == prompt and model.mask.equal(prompt.mask(model.tokens))
    assert repr(prompt) in model.code()


def test_model_refuses_and_keeps_what_it_had(vamp, clip):
    model = PanelModel(vamp, clip, "periodic", 9, seed=4)
    for wrong, error in (
        (dict(prompt="mystery"), ValueError),
        (dict(value=0), ValueError),
        (dict(value=7.5), ValueError),
        (dict(value="7"), TypeError),
        (dict(seed=-1), ValueError),
        (dict(seed=1.5), TypeError),
        (dict(passes=0), ValueError),
        (dict(prompt="prefix", value=99), ValueError),
    ):
        with pytest.raises(error, match="expected"):
            model.set(**wrong)
    assert (model.kind, model.value, model.seed) == ("periodic", 9, 4)


def test_another_kind_starts_with_its_own_number(vamp, clip):
    model = PanelModel(vamp, clip, "periodic", 31)
    model.set(prompt="compression")
    assert model.value == KINDS["compression"].start
    model.set(seed=5)
    assert model.value == KINDS["compression"].start and model.seed == 5


def test_panel_by_calls(panel, vamp):
    assert "<audio" not in html_of(panel) and "% hidden" in html_of(panel)
    panel.set(prompt="periodic", value=7, seed=3)
    take = panel.generate()
    assert vamp.calls[-1] == (Periodic(7), 3, 4) and panel.model.take is take
    assert html_of(panel).count("<audio") == 2 and panel._bar.value == panel._bar.max == 4
    assert "Periodic(" in panel._status.value and not panel._button.disabled
    assert re.match(r"VampPanel: vamp\.vamp\(clip, Periodic\(.*\), seed=3, passes=4\), \d+\.\d % hidden", repr(panel))


def test_panel_by_hand(panel, vamp):
    panel._prompt.value = "prefix"
    assert (
        panel.model.kind == "prefix"
        and panel._value.max == KINDS["prefix"].high
        and panel._value.description == "Seconds kept"
    )
    panel._value.value = 0.3
    panel._seed.value = 12
    panel._passes.value = 2
    panel._button.click()
    assert vamp.calls[-1] == (Prefix(0.3), 12, 2)
    for kind in KINDS:
        panel._prompt.value = kind
        assert panel.model.kind == kind and panel._value.value == panel.model.value == KINDS[kind].start


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
    assert bundle["text/plain"] == repr(panel) and "application/vnd.jupyter.widget-view+json" in bundle


def test_close_frees_everything(vamp, clip):
    from ipywidgets.widgets.widget import _instances

    VampPanel(vamp, clip, passes=2).close()  # shared pieces are opened once
    before = set(_instances)
    panel = VampPanel(vamp, clip, passes=2)
    panel.generate()
    assert set(_instances) != before
    panel.close()
    panel.close()
    assert set(_instances) == before
    with pytest.raises(ValueError, match="closed"):
        panel.generate()
