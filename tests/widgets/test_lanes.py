"""The lanes of the studio without a browser: drawn, tapped, taken, quantized, followed, taken back, and refused."""

import json

import numpy as np
import pytest

from vampkit.audio import Clip, clips, load_clip
from vampkit.controls import Control, Harmony, Loudness, Rhythm
from vampkit.controls.control import FRAME
from vampkit.pipeline import TakeSettings
from vampkit.widgets import MaskModel, VampStudio
from vampkit.widgets.lanes import Lanes, curve_bytes
from vampkit.widgets.steps import Steps

RATE = 44_100
USUAL = TakeSettings().strength
NAMES = {"Control": Control, "Rhythm": Rhythm, "Harmony": Harmony, "Loudness": Loudness, "load_clip": load_clip}


@pytest.fixture
def lanes():
    return Lanes(173)


def followed(lanes, clip=None):
    """What the printed code makes."""
    return eval(lanes.code(clip), NAMES | {"clip": clip})


def struck(times, seconds):
    t = np.arange(int(seconds * RATE)) / RATE
    sound = sum(np.sin(2760 * t) * np.exp(-30 * np.maximum(t - at, 0)) * (t >= at) for at in times)
    return Clip(0.3 * sound.astype(np.float32)[None], RATE, "strokes")


def test_at_first_nothing_is_followed(lanes):
    assert lanes.follow == () and lanes.code(None) == "[]" and list(lanes) == ["rhythm", "harmony", "loudness"]
    assert lanes.strength == USUAL and lanes.strokes() == [] and not lanes.undo() and "nothing" in repr(lanes)


def test_taps_become_strokes_and_each_is_one_step(lanes):
    for time in (0.5, 1.0, 1.52):
        lanes.tap(time)
    assert [time for time, _ in lanes.strokes()] == pytest.approx([0.5, 1.0, 1.52], abs=FRAME)
    assert lanes["rhythm"].on and lanes["rhythm"].words == "3 taps" and followed(lanes) == list(lanes.follow)
    assert "of_times([0.5, 1.0, 1.52]" in lanes.code(None)
    lanes.undo()
    assert len(lanes.strokes()) == 2
    lanes.redo()
    lanes.undo()
    lanes.undo()
    lanes.tap(2.0, strength=6)
    assert [height for _, height in lanes.strokes()] == [3, 6] and not lanes.redo()
    assert followed(lanes) == list(lanes.follow)


def test_taps_over_a_rhythm_leave_it_as_it_is(lanes):
    lanes.put("rhythm", struck([0.4, 2.0], 3.0))
    before = lanes["rhythm"].control.curve
    after = lanes.tap(1.2)["rhythm"].control.curve
    at = int(1.2 / FRAME)
    assert (after >= before).all() and after[:, at].min() >= 3 and (after[:, : at - 1] == before[:, : at - 1]).all()


def test_drawn_lines_and_erased_ones(lanes):
    lanes.draw("loudness", [(10, -4), (20, 1), (15, 1)])
    curve = lanes["loudness"].control.curve[0]
    assert curve[10] == -4 and curve[20] == 1 and curve[15] == 1 and curve[12] == -3 and curve[30] == curve[0] == 0
    lanes.draw("rhythm", [(5, 2.0)]).draw("rhythm", [(8, 6), (9, 6)])
    assert lanes["rhythm"].control.curve[:, [5, 8, 9, 10]].tolist() == [[2, 6, 6, 0]] * 3
    lanes.draw("rhythm", [(9, 0), (7, 0)], erase=True)
    assert lanes["rhythm"].control.curve.sum() == 6
    assert followed(lanes) == list(lanes.follow), "what is drawn is printed as JSON"


def test_a_painted_chord_keeps_its_length(lanes):
    for row in (0, 4, 7):
        lanes.draw("harmony", [(0, row), (50, row)])
    curve = lanes["harmony"].control.curve
    assert np.allclose(np.linalg.norm(curve[:, :51], axis=0), 1, atol=0.05) and curve[:, 51:].max() == 0
    assert set(np.flatnonzero(curve[:, 20])) == {0, 4, 7}
    lanes.draw("harmony", [(20, 4)], erase=True)
    assert set(np.flatnonzero(lanes["harmony"].control.curve[:, 20])) == {0, 7}
    lanes.draw("harmony", [(60, 3)]).draw("harmony", [(60, 3)], erase=True)
    assert lanes["harmony"].control.curve[:, 60].max() == 0


def test_quantized_to_beats_that_do_not_reach_the_ends(lanes):
    for time in (0.03, 0.56, 1.0, 2.93):
        lanes.tap(time)
    lanes.quantize([1.0, 1.5], division=2)
    assert [time for time, _ in lanes.strokes()] == pytest.approx([0.0, 0.5, 1.0, 3.0], abs=FRAME)
    assert followed(lanes) == list(lanes.follow) and ".quantize(" in lanes.code(None)
    lanes.undo()
    assert [time for time, _ in lanes.strokes()][1] == pytest.approx(0.56, abs=FRAME)


def test_moved_and_smoothed(lanes):
    lanes.tap(1.0).shift("rhythm", 0.5)
    assert [time for time, _ in lanes.strokes()] == pytest.approx([1.5], abs=FRAME)
    lanes.smooth("rhythm", 0.1)
    assert lanes.follow[0].curve.max() < 1 and followed(lanes) == list(lanes.follow)


def test_switching_clearing_and_strength_are_steps_too(lanes):
    lanes.tap(1.0).set_strength(1.5).switch("rhythm", False)
    assert lanes.follow == () and lanes["rhythm"].control is not None and "off" in repr(lanes)
    lanes.clear("rhythm")
    heard = []
    leave = lanes.listen(lambda same: heard.append(same.strength))
    states = [lanes.follow]
    while lanes.undo():
        states.append(lanes.follow)
    assert [len(follow) for follow in states] == [0, 0, 1, 1, 0] and heard == [1.5, 1.5, USUAL, USUAL]
    leave()
    while lanes.redo():
        pass
    assert lanes["rhythm"].control is None and lanes.strength == 1.5 and len(heard) == 4
    steps = len(lanes.steps.done)
    lanes.clear("rhythm").switch("rhythm", False).set_strength(1.5)
    assert len(lanes.steps.done) == steps, "what changes nothing is no step"


def test_mask_and_lanes_are_taken_back_in_one_order():
    model = MaskModel(14, 173)
    lanes = Lanes(173, model.steps)
    model.row(2)
    lanes.tap(1.0)
    model.row(3)
    assert model.undos == 3
    model.undo()
    model.undo()
    assert lanes.follow == () and model.mask.any() and "row" not in model.code() and "rectangle" in model.code()
    model.redo()
    model.redo()
    assert len(lanes.follow) == 1 and model.mask[3].all() and model.redos == 0


def test_several_steps_can_count_as_one():
    steps, model = Steps(), MaskModel(3, 9)
    model.steps = steps
    lanes = Lanes(9, steps)
    with steps.as_one():
        model.fill()
        lanes.tap(0.05)
    with steps.as_one():
        model.row(1, hidden=False)
    assert model.undos == 2 and (eval(model.code(), {"MaskModel": MaskModel}) == model.mask).all()
    model.undo()
    model.undo()
    assert not model.mask.any() and lanes.follow == ()
    model.redo()
    assert model.mask.all() and len(lanes.follow) == 1


def test_the_page_gets_bytes_over_what_is_shown(lanes):
    assert curve_bytes(None) == b""
    lanes.draw("loudness", [(0, -4), (1, 2)]).tap(0.5)
    loudness = np.frombuffer(curve_bytes(lanes["loudness"].control), np.uint8)
    assert (loudness[:3] == [0, 255, 170]).all() and len(curve_bytes(lanes["rhythm"].control)) == 3 * 173


@pytest.mark.parametrize(
    "act, error, words",
    [
        (lambda lanes: lanes.put("melody", np.zeros((1, 173))), ValueError, "no lane 'melody', one of rhythm, harmony"),
        (lambda lanes: lanes.put("rhythm", np.zeros((3, 100))), ValueError, "1.74 s long, 3.01 s were expected"),
        (lambda lanes: lanes.put("rhythm", np.zeros((3, 0))), ValueError, r"\[3, frames\] was expected"),
        (lambda lanes: lanes.put("rhythm", np.zeros((12, 173))), ValueError, r"\[3, frames\] was expected"),
        (lambda lanes: lanes.put("harmony", np.full((12, 173), np.nan)), ValueError, "not finite"),
        (lambda lanes: lanes.put("rhythm", Loudness(np.zeros(173))), TypeError, "Rhythm was expected"),
        (lambda lanes: lanes.put("rhythm", Clip(np.zeros(RATE * 4), RATE)), ValueError, "the clip is silent"),
        (lambda lanes: lanes.put("rhythm", "drums.wav"), TypeError, "a Clip or a curve"),
        (lambda lanes: lanes.place("rhythm", Clip(np.zeros(RATE), RATE), 0), ValueError, "the clip is silent"),
        (lambda lanes: lanes.place("rhythm", struck([0.1], 1.0), 9), ValueError, "a place from 0 to 3.01 s"),
        (lambda lanes: lanes.tap(np.nan), ValueError, "a tap at nan s was given, a time from 0 to 3.01 s"),
        (lambda lanes: lanes.tap(1.0, 0), ValueError, "height 0 was given, above 0 to 12"),
        (lambda lanes: lanes.draw("rhythm", []), ValueError, "no row of frames and values"),
        (lambda lanes: lanes.draw("rhythm", [(0, np.inf)]), ValueError, "no row of frames and values"),
        (lambda lanes: lanes.draw("rhythm", [(173, 1)]), ValueError, "frames from 0 to 172 and values from 0 to 12"),
        (lambda lanes: lanes.draw("harmony", [(0, 12)]), ValueError, "values from 0 to 11"),
        (lambda lanes: lanes.quantize([0, 1]), ValueError, "the rhythm is empty; take it"),
        (lambda lanes: lanes.tap(1).quantize([1]), ValueError, "1 times to quantize to were given"),
        (lambda lanes: lanes.switch("harmony", True), ValueError, "the harmony is empty"),
        (lambda lanes: lanes.set_strength(-1), ValueError, "strength is -1"),
        (lambda lanes: lanes.set_strength(float("nan")), ValueError, "strength is nan"),
        (lambda lanes: lanes.follow_only([3]), TypeError, "int was given to follow"),
        (lambda lanes: lanes.follow_only([Loudness(np.zeros(9))]), ValueError, "3.01 s were expected"),
        (lambda lanes: Lanes(0), ValueError, "the number of frames"),
    ],
)
def test_what_does_not_fit_gets_one_sentence_and_changes_nothing(lanes, act, error, words):
    with pytest.raises(error, match=words) as told:
        act(lanes)
    assert lanes["harmony"].control is None and lanes.strength == USUAL and "\n" not in str(told.value)
    assert [word for word in lanes if lanes[word].control is not None] in ([], ["rhythm"])


# In the studio


@pytest.fixture
def studio(vamp, tone):
    studio = VampStudio(vamp, tone.excerpt(0, 0.5), seed=5, preset="sketch")
    yield studio
    studio.close()


@pytest.fixture
def vamp(small_codec):
    from tests.widgets.test_studio import PlainVamp

    class Following(PlainVamp):
        """Notes what it is asked to follow."""

        def steps(self, sound, prompt, **settings):
            self.follow, self.strength = settings["follow"], settings["strength"]
            return super().steps(sound, prompt, **settings)

    return Following(small_codec)


def page(studio, **content):
    studio._heard(studio, {"view": "v", "n": 1, **content}, content.pop("buffers", []))
    return studio.state["message"]["text"]


def test_takes_follow_the_lanes_that_are_on(studio, vamp):
    studio.stamp("periodic:3")
    studio.generate(wait=True)
    assert vamp.follow == () and vamp.strength == USUAL
    studio.take_from("rhythm")
    studio.take_from("harmony")
    studio.lanes.set_strength(1.4).switch("harmony", False)
    entry = studio.generate(wait=True)
    assert [control.word for control in vamp.follow] == ["rhythm"] and vamp.strength == 1.4
    assert entry.settings.follow == vamp.follow and studio.panel["takes"][1]["follows"] == ["rhythm"]
    assert studio.settings.follow == vamp.follow and studio.session.preset == "sketch"
    studio.preset("paper, 12 passes")
    assert studio.settings.strength == 1.4 and studio.settings.follow


def test_live_vamping_follows_the_lanes_as_they_are(studio, vamp):
    studio.stamp("periodic:3")
    studio.lanes.tap(0.2)
    studio.live(rounds=2, wait=True)
    assert len(vamp.follow) == 1 and all(entry.settings.follow for entry in studio.history)


def test_the_page_switches_taps_draws_clears_and_takes_back(studio):
    assert not page(studio, type="tap", time=0.2) and studio.lane_facts["lanes"]["rhythm"]["on"]
    assert len(studio.rhythm) == 3 * studio.model.frames and studio.lane_facts["strokes"][0][0] == pytest.approx(
        0.2, abs=FRAME
    )
    page(studio, type="lane_draw", word="harmony", path=[[0, 4], [9, 4]], erase=False)
    page(studio, type="lane_strength", value=0.5)
    page(studio, type="lane_switch", word="harmony", on=False)
    page(studio, type="lane_shift", word="rhythm", seconds=FRAME)
    page(studio, type="lane_smooth", word="rhythm", seconds=0.1)
    assert studio.state["undos"] == 6 and studio.lane_facts["strength"] == 0.5
    for _ in range(6):
        page(studio, type="undo")
    assert (
        studio.lane_facts["strength"] == USUAL and studio.rhythm == studio.harmony == b"" and studio.state["redos"] == 6
    )
    assert "the rhythm is empty" in page(studio, type="lane_quantize", to="beats")
    assert "no lane 'bass'" in page(studio, type="lane_take", word="bass", source=0)
    assert "path leaves" in page(studio, type="lane_draw", word="rhythm", path=[[9999, 1]])
    assert "a tap at 77 s" in page(studio, type="tap", time=77)
    assert "nan" in page(studio, type="lane_strength", value=float("nan"))


def test_a_rhythm_of_another_clip_a_take_or_an_earlier_sound(studio, tone):
    name = clips()[4]
    assert not page(studio, type="lane_take", word="rhythm", source=name, start=1.5, stretch=False)
    curve, frames = Rhythm(load_clip(name)).curve, studio.model.frames
    first = round(1.5 / FRAME)
    assert (studio.lanes["rhythm"].control.curve == curve[:, first : first + frames]).all()
    assert studio.lane_facts["lanes"]["rhythm"]["words"] == f"of {name}"
    assert eval(studio.lanes.code(studio.clip), NAMES) == list(studio.lanes.follow)
    page(studio, type="lane_take", word="loudness", source=name[:2], stretch=True)
    whole = Loudness(load_clip(name)).stretch(studio.lanes.seconds)
    assert studio.lanes["loudness"].control == whole
    assert eval(studio.lanes.code(studio.clip), NAMES) == list(studio.lanes.follow)
    studio.fill()
    studio.generate(wait=True)
    page(studio, type="lane_take", word="harmony", source=1)
    assert studio.lanes["harmony"].words == "of take 1"
    studio.load(tone.excerpt(0, 1.0), name="longer")
    assert [0, "this sound"] in studio.lane_facts["sources"] and ["tone", "tone"] in studio.lane_facts["sources"]
    assert studio.lanes.follow == (), "a longer sound begins with lanes of its own"
    text = page(studio, type="lane_take", word="rhythm", source="tone")
    assert text == ("tone lasts 0.50 s from 0 s on, 1.01 s were expected; stretch it, or take a longer sound")
    assert not page(studio, type="lane_take", word="rhythm", source="tone", stretch=True)
    assert "there is no take 2" in page(studio, type="lane_take", word="rhythm", source=2)
    studio.load(Clip(np.zeros((1, 44_100), np.float32), 44_100, "still"))
    assert "the clip is silent" in page(studio, type="lane_take", word="loudness", source=0)


def test_only_so_many_seconds_of_earlier_sounds_are_kept(studio, tone, monkeypatch):
    monkeypatch.setattr("vampkit.widgets.session.LONGEST", 1.3)
    for name in ("a", "b", "a", "c"):
        studio.load(tone.excerpt(0, 0.4), name=name)
    assert list(studio.session.opened) == ["b", "a", "c"]
    studio.load(tone.excerpt(0, 1.1), name="long")
    assert list(studio.session.opened) == ["long"]


def test_own_curves_are_called_clip_only_while_it_is_open(studio, tone):
    studio.take_from("rhythm")
    assert studio.lanes.code(studio.clip) == "[Rhythm(clip)]" and "follow=[Rhythm(clip)]" in studio.as_code()
    control = studio.lanes.follow[0]
    studio.load(tone.excerpt(0.5, 0.5), name="other")
    assert studio.lanes.follow == (control,), "lanes are kept with the mask where the length is the same"
    assert "Rhythm(clip)" not in studio.as_code() and eval(studio.lanes.code(studio.clip), NAMES) == [control]


def test_the_printed_call_makes_the_same_take(small_codec, tone):
    """With real models, as the page's button prints it."""
    import torch

    import vampkit as vk
    from vampkit.controls import AdapterConfig, Adapters
    from vampkit.model import MaskedTransformer, ModelConfig

    torch.manual_seed(4)
    sizes = {"layers": 1, "width": 32}
    models = [
        MaskedTransformer(ModelConfig(codebooks=c, conditioning=k, heads=4, **sizes), small_codec.tables[:c]).eval()
        for c, k in ((4, 0), (14, 4))
    ]
    adapters = Adapters(AdapterConfig(**sizes, hidden=8, reading=8))
    torch.nn.init.normal_(adapters.up[0].weight)
    vamp = vk.Vamp(small_codec, *models, controls=torch.nn.ModuleDict({"coarse": adapters}).eval())
    studio = VampStudio(vamp, tone.excerpt(0, 0.5), seed=5, preset="sketch")
    studio.stamp("periodic:3")
    studio.take_from("harmony")
    studio.lanes.tap(0.2).draw("loudness", [(0, -2), (20, 1)]).set_strength(1.3)
    code = studio.as_code()
    entry = studio.generate(wait=True)
    names = {name: getattr(vk, name) for name in vk.__all__} | NAMES | {"MaskModel": MaskModel}
    take = eval(code, names | {"vamp": vamp, "clip": studio.clip})
    assert torch.equal(take.tokens.codes, entry.take.tokens.codes)
    record = json.loads(json.dumps(entry.take.record))
    assert "controls" in record and [c["control"] for c in record["follow"]] == ["rhythm", "harmony", "loudness"]
    assert torch.equal(vamp.again(record, studio.clip).tokens.codes, entry.take.tokens.codes)
    sent = []
    studio.send = lambda content, buffers=None: sent.append(content)
    page(studio, type="print", form="take")
    assert sent == [{"type": "printed", "text": studio.as_code()}]
    studio.lanes.switch("rhythm", False).switch("harmony", False).switch("loudness", False)
    other = studio.generate(wait=True, seed=5)
    assert not torch.equal(other.take.tokens.codes, entry.take.tokens.codes) and "follow" not in other.take.record
    studio.crop(0.0, 0.3)
    assert studio.as_code().startswith("vamp.vamp(\n    tokens,"), "tokens that were cut are not those of the clip"
    studio.set(circular=True)
    assert "Loop(seconds=" in studio.as_code()
    studio.close()
    plain = VampStudio(vk.Vamp(small_codec, *models), tone.excerpt(0, 0.5), preset="sketch")
    plain.fill()
    plain.lanes.tap(0.2)
    with pytest.raises(vk.VampkitError, match="has no controls, so it cannot follow"):
        plain.generate(wait=True)
    assert "has no controls" in plain.state["message"]["text"] and plain.mask.all()
    plain.close()


def test_recall_brings_mask_and_lanes_back_as_one_gesture(studio):
    studio.stamp("periodic:3")
    studio.lanes.tap(0.1)
    entry = studio.generate(wait=True)
    studio.clear()
    studio.lanes.clear("rhythm").draw("loudness", [(0, 1), (9, 1)])
    before = studio.state["undos"]
    studio.recall(entry)
    assert studio.settings == entry.settings and (studio.mask == entry.mask).all() and len(studio.lanes.strokes()) == 1
    assert studio.state["undos"] == before + 1
    studio.undo()
    assert not studio.mask.any() and [c.word for c in studio.settings.follow] == ["loudness"]


def test_follow_and_strength_as_settings_go_into_the_lanes(studio):
    studio.lanes.draw("loudness", [(0, 1), (9, 1)])
    rhythm = Rhythm.of_times([0.1, 0.3], 1.0)
    studio.set(follow=[rhythm], strength=0.7)
    assert [c.word for c in studio.settings.follow] == ["rhythm"] and studio.lanes.strength == 0.7
    assert studio.lanes["loudness"].control is not None and not studio.lanes["loudness"].on
    assert (studio.settings.follow[0].curve == rhythm.curve[:, : studio.model.frames]).all()
    undos = studio.state["undos"]
    with pytest.raises(ValueError, match="0.09 s long"):
        studio.set(follow=[Rhythm(np.ones((3, 5)))], passes=3)
    assert studio.settings.coarse.passes == 4 and studio.state["undos"] == undos
    studio.undo()
    assert studio.lanes.strength == USUAL and [c.word for c in studio.settings.follow] == ["loudness"]


def test_cropping_cuts_the_lanes(studio):
    studio.lanes.tap(0.3)
    before = studio.lanes["rhythm"].control.curve
    studio.crop(0.1, 0.4)
    first, end = round(0.1 / FRAME), round(0.4 / FRAME)
    assert (studio.lanes["rhythm"].control.curve == before[:, first:end]).all() and studio.lanes["rhythm"].on
    assert eval(studio.lanes.code(studio.clip), NAMES) == list(studio.lanes.follow)


def test_quantizing_uses_the_beats_that_are_there_or_finds_them(studio, monkeypatch):
    studio.lanes.tap(0.13).tap(0.33)
    studio.snap_to("beats", [0.1, 0.3])
    studio.quantize("beats")
    assert [time for time, _ in studio.lanes.strokes()] == pytest.approx([0.1, 0.3], abs=FRAME)
    found = {"onsets": (), "beats": (), "bars": (0.0, 0.25, 0.5)}
    monkeypatch.setattr("vampkit.widgets.session.find_times", lambda clip: found)
    studio.quantize("bars")
    assert [time for time, _ in studio.lanes.strokes()] == pytest.approx([0.0, 0.25], abs=FRAME)
    assert studio.sheet["times"]["bars"] == [0.0, 0.25, 0.5] and studio.sheet["times"]["beats"] == [0.1, 0.3]
    with pytest.raises(ValueError, match="one of bars, beats, 1/2, 1/4"):
        studio.quantize("1/3")
    studio.model.times["bars"] = ()
    monkeypatch.setattr("vampkit.widgets.session.find_times", lambda clip: found | {"bars": ()})
    with pytest.raises(ValueError, match="fewer than two bars are known or found"):
        studio.quantize("bars")


def test_a_beatboxed_recording_gives_the_rhythm_and_is_not_opened(studio, tmp_path):
    data = struck([0.05], 0.2).save(tmp_path / "beatbox.wav").read_bytes()
    text = page(studio, type="upload", name="beatbox.wav", index=0, count=1, at=0.25, buffers=[data])
    assert not text and studio.panel["source"] == "tone" and studio.lanes["rhythm"].words == "beatboxed"
    assert [time for time, _ in studio.lanes.strokes()] == pytest.approx([0.3], abs=2 * FRAME)
    silent = Clip(np.zeros((1, 9000), np.float32), RATE).save(tmp_path / "silent.wav").read_bytes()
    assert "silent" in page(studio, type="upload", name="b.wav", index=0, count=1, at=0.0, buffers=[silent])
    assert studio.lanes["rhythm"].words == "beatboxed"
