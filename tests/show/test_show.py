"""Players and figures: they are small, say what they show, ask nobody for anything, and never change a level."""

import base64
import dataclasses
import inspect
import io
import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest
import soundfile
import torch
from PIL import Image

from vampkit import masks, show
from vampkit.audio import Clip
from vampkit.show import pictures, player, spectra, static


@pytest.fixture(scope="module")
def clip():
    """Ten seconds of a rich tone with noise, made once."""
    t = np.arange(441_000) / 44_100
    rng = np.random.default_rng(0)
    sound = 0.2 * np.sin(2 * np.pi * 440 * t) * (t % 0.5 < 0.3) + 0.03 * rng.standard_normal(len(t))
    return Clip(sound.astype(np.float32), 44_100, "tone", "A. Maker <b>, CC BY 4.0")


@pytest.fixture(scope="module")
def mask():
    grid = torch.ones(14, 575, dtype=torch.bool)
    grid[:, ::7] = False
    grid[0] = False
    return grid


def test_listen_prints_facts_and_returns_a_player(clip, mask, capsys):
    found = show.listen(clip, clip.gain(-6), labels=["loud", "soft"], mask=mask)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(
        re.fullmatch(r"\w+: 10\.00 s, peak -\d+\.\d dBFS, loudness -\d+\.\d LUFS", line) for line in lines
    )
    bundle = found._repr_mimebundle_()
    assert bundle["text/plain"].splitlines() == lines
    values = [float(re.search(r"loudness (-\d+\.\d)", line)[1]) for line in lines]
    assert values[0] - values[1] == pytest.approx(6, abs=0.11)


def test_the_page_is_whole_small_and_safe(clip, mask):
    page = player.Player([clip, clip], ["a<script>", "b"], mask).html()
    assert "http://" not in page and "https://" not in page and "@import" not in page
    assert "a<script>" not in page and "Maker &lt;b&gt;" in page
    assert page.count("<audio controls") == 2 and page.count("data:audio/mpeg;base64,") == 2
    assert "currentColor" in page
    assert 'data-lm-suppress-shortcuts="true"' in page and "aria-valuetext" in page and 'role="group"' in page
    assert f"{100 * float(mask.float().mean()):.1f} % hidden" in page
    assert len(page) < 330_000


def test_a_name_that_looks_like_a_tag_or_a_formula_is_text(clip):
    strange = dataclasses.replace(clip, name="<b>x</b> $x_$")
    for figure in (show.spectrogram(strange), show.waveform(strange)):
        assert "&lt;b&gt;x&lt;/b&gt; $x_$" in figure.layout.title.text
    drawn = static.overview(strange)
    drawn.canvas.draw()  # reads formulas
    assert drawn.get_axes()[0].get_title(loc="left") == r"<b>x</b> \$x_\$"


def test_the_still_of_a_player_shows_all_its_sounds(clip, mask):
    """Without scripts there is one picture, and all that needs the script is away with it."""
    page = player.Player([clip, clip.gain(-6)], ["loud", "soft"], mask).html()
    stripped = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    images = re.findall(r'<img [^>]*src="data:image/png;base64,([^"]+)"', stripped)
    assert len(images) == 1 and stripped.count("<audio") == 2 and "Keys:" not in stripped
    assert 'alt="Mel spectrograms of loud, soft; below, the mask"' in stripped
    assert base64.b64decode(images[0]) == pictures.figure_png(
        static.stack([clip, clip.gain(-6)], ["loud", "soft"], mask)
    )
    axes = static.stack([clip, clip.gain(-6)], ["loud", "soft"], mask).get_axes()
    assert [a.get_title(loc="left") for a in axes[:2]] == ["loud", "soft"] and "79.5 % hidden" in axes[2].get_title(
        "left"
    )
    assert axes[-1].get_xlabel() == "time (s)" and {a.get_xlim() for a in axes} == {(0, 10)}
    assert len(base64.b64decode(images[0])) < 40_000
    assert "<img" in player.Player([clip], ["x"], mask).html(sound=False)


def test_mp3_keeps_level_length_and_bytes(clip):
    data = player.to_mp3(clip)
    assert len(data) <= 90_000 and data == player.to_mp3(clip)
    samples, rate = soundfile.read(io.BytesIO(data))
    assert rate == 44_100 and len(samples) == 441_000
    tone = Clip(0.3 * np.sin(np.arange(88_200) / 20).astype(np.float32), 44_100)
    for db in (0, -20, -40):
        heard, _ = soundfile.read(io.BytesIO(player.to_mp3(tone.gain(db))))
        assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.3 / np.sqrt(2) * 10 ** (db / 20), rel=0.02)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 96_000, 12_345])
def test_any_rate_keeps_length_and_level(rate):
    clip = Clip(0.1 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32), rate)
    samples, got = soundfile.read(io.BytesIO(player.to_mp3(clip)))
    assert len(samples) / got == pytest.approx(1, abs=0.001)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.1 / np.sqrt(2), rel=0.02)


def test_silence_and_stereo(capsys):
    show.listen(Clip(np.zeros((2, 4410), dtype=np.float32), 44_100, "hush"))._repr_mimebundle_()
    assert capsys.readouterr().out == "hush: 0.10 s, peak -inf dBFS, loudness -inf LUFS\n"


def test_listen_refuses_with_a_sentence(clip):
    with pytest.raises(ValueError, match="no clip"):
        show.listen()
    with pytest.raises(TypeError, match="ndarray was given"):
        show.listen(np.zeros(10))
    with pytest.raises(ValueError, match="2 clips"):
        show.listen(clip, clip, labels=["one"])
    with pytest.raises(TypeError, match="booleans"):
        show.listen(clip, mask=torch.ones(4, 5))


def test_two_clips_of_one_name_are_told_apart(clip, capsys):
    assert show.listen(clip, clip).labels == ("A tone", "B tone")
    capsys.readouterr()


def test_player_page_is_written(clip, tmp_path):
    path = player.Player([clip], ["x"]).save(tmp_path / "deep" / "page.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>") and not list(tmp_path.rglob("*.part"))


def test_figures_are_small_figures(clip, mask):
    codes = torch.randint(0, 1024, (14, 575), generator=torch.Generator().manual_seed(0))
    noisy = torch.rand(14, 575, generator=torch.Generator().manual_seed(1)) < 0.6
    found = [
        show.spectrogram(clip),
        show.waveform(clip),
        show.tokens(codes),
        show.mask(mask),
        show.mask(noisy),
        show.mask_over(clip, noisy),
        show.passes([noisy] * 12),
        show.curves({"a": [1, 2]}),
        show.bars({"a": 1.0, "b": (2.0, 1.0, 3.0)}),
    ]
    for figure in found:
        assert isinstance(figure, go.Figure) and hasattr(figure, "png")
        size = len(figure.to_json())
        assert size < 150_000
        assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


@pytest.fixture(scope="module")
def made(clip, mask):
    """A figure of every public function, by its name; what is asked for is named as the function names it."""
    named = "`x_title`", "`y_title`", "a title"
    return {
        "spectrogram": show.spectrogram(clip),
        "waveform": show.waveform(clip),
        "tokens": show.tokens(mask.int()),
        "mask": show.mask(mask),
        "mask_over": show.mask_over(clip, mask),
        "passes": show.passes([mask] * 5),
        "curves": show.curves({"a": [1, 2]}, *named),
        "bars": show.bars({"a": 1.0, "b": (2.0, 1.0, 3.0)}, named[1], named[2], x_title="the names"),
        "matrices": show.matrices({"a": np.eye(2), "b": np.eye(2)}, *named),
        "schedules": show.schedules({"cosine": np.cos}),
    }


def picture(figure):
    """The still of a figure, as it would stand in a notebook, uint8 [height, width, 3]."""
    return pixels(base64.b64decode(figure._repr_mimebundle_()["image/png"]))


def pixels(png: bytes):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_every_figure_has_a_title_and_axis_titles(made):
    for name, figure in made.items():
        assert figure.layout.title.text, name
        for axes in (figure.select_xaxes(), figure.select_yaxes()):
            assert any(axis.title.text for axis in axes), name


def test_every_figure_carries_a_still_of_its_own(made):
    for name, figure in made.items():
        bundle = figure._repr_mimebundle_()
        assert set(bundle) == {"application/vnd.plotly.v1+json", "image/png"}, name
        assert len(bundle["application/vnd.plotly.v1+json"]["data"]) == len(figure.data)
        data = base64.b64decode(bundle["image/png"])
        still = pixels(data)
        assert still.shape == (figure.layout.height, 720, 3), name
        assert (still[0] == 255).all() and (still[:, 0] == 255).all() and still.std() > 10, name
        assert figure.png() == data and len(data) < 50_000, name


def test_no_two_curves_look_alike():
    lines = [trace.line for trace in show.curves({str(n): [1, 2] for n in range(12)}).data]
    assert len({(line.color, line.dash) for line in lines}) == 12


def test_a_still_shows_what_was_added_later():
    figure = show.curves({"a": ([0, 10], [0, 1])}, "x", "y", "t")
    steps = [picture(figure)]
    figure.add_scatter(x=[0, 10], y=[1, 0], mode="markers", name="b")
    steps.append(picture(figure))
    figure.update_traces(mode="lines+markers")
    steps.append(picture(figure))
    figure.add_vline(5, line=dict(color="red", dash="dot"))
    steps.append(picture(figure))
    figure.add_vrect(2, 4, fillcolor="green", opacity=0.3, annotation_text="gap")
    steps.append(picture(figure))
    figure.add_hline(1.4)  # above all curves: the axis takes it in
    steps.append(picture(figure))
    figure.update_xaxes(title_text="another", tickvals=[0, 10], ticktext=["first", "last"])
    steps.append(picture(figure))
    assert all((one != other).any() for one, other in zip(steps, steps[1:], strict=False))
    assert not (steps[2] == (255, 0, 0)).all(-1).any() and (steps[3] == (255, 0, 0)).all(-1).any()


def test_figures_that_plotly_made_get_a_still_by_their_dress():
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=["one", "two"])
    figure.add_heatmap(z=[[0, 1], [1, 0]], row=1, col=1, texttemplate="%{z}", showscale=False)
    figure.add_scatter(x=[1, 2], y=[2, 1], mode="markers", marker=dict(symbol=4), row=1, col=2)
    assert show.dress(figure, "t") is figure
    assert picture(figure).std() > 10


def test_jupyterlab_draws_figures_at_once(monkeypatch):
    """Its plotly would show a PNG that comes along until the pointer is on it."""
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    assert set(show.curves({"a": [1, 2]})._repr_mimebundle_()) == {"application/vnd.plotly.v1+json"}


def test_a_figure_of_another_kind_has_no_wrong_still():
    figure = show.dress(go.Figure(go.Pie(values=[1, 2])), "t")
    assert set(figure._repr_mimebundle_()) == {"application/vnd.plotly.v1+json"}


def test_heatmaps_lie_where_they_should():
    """First row on top, first column on the left, colours from the scale."""
    still = picture(show.matrices({"a": np.array([[1.0, 0], [0, 0]])}, "x", "y", "t"))
    yellow = np.argwhere(np.abs(still.astype(int) - (253, 231, 37)).sum(-1) < 12)
    inside = yellow[yellow[:, 1] < 600]  # the bar of colours lies on the right
    assert (
        inside[:, 0].max() < 0.6 * still.shape[0] and inside[:, 1].max() < 0.51 * still.shape[1] and len(inside) > 5000
    )


def test_entries_are_names(mask):
    """Colours of tokens say nothing of order: no bar, and neighbours look unlike."""
    codes = torch.randint(0, 1024, (14, 575), generator=torch.Generator().manual_seed(0))
    trace = show.tokens(codes).data[0]
    assert trace.showscale is False and np.array_equal(np.asarray(trace.z), codes.numpy())
    colours = spectra.entry_colours().astype(int)
    assert len(np.unique(colours, axis=0)) == len(colours)
    assert np.abs(np.diff(colours, axis=0)).sum(1).min() > 60
    rows = np.array([int(part) for _, c in trace.colorscale for part in c[4:-1].split(",")]).reshape(-1, 3)
    # Plotly's scale and the player's picture give an entry the same colour.
    places = (codes.numpy() - trace.zmin) / (trace.zmax - trace.zmin)
    stops = np.array([place for place, _ in trace.colorscale])
    assert np.array_equal(rows[np.searchsorted(stops, places) - 1], colours[spectra.entry_colour_index(codes.numpy())])
    larger = np.array([[0, 2047]])
    assert spectra.entry_colour_index(larger).tolist() == [[0, 63]]


def test_docstrings_name_axes_and_units(made):
    """What stands at the axes of a figure stands in the docstring of its function, with a unit."""
    returns = {name: inspect.getdoc(getattr(show, name)).partition("Returns\n-------\n")[2] for name in show.__all__}
    drawn = {name for name, text in returns.items() if text.startswith("Figure") and name not in ("dress", "overview")}
    assert drawn == set(made)
    for name in (*made, "overview"):
        text = " ".join(returns[name].split())
        assert re.search(r"\bx: .+\by: ", text), name
        assert re.search(r"\(s\)|\bunits?\b|0 to 1", text), name
        if name in made:
            for axis in (*made[name].select_xaxes(), *made[name].select_yaxes()):
                assert (axis.title.text or "") in text, (name, axis.title.text)


def test_mask_figure_tells_truth(mask):
    figure = show.mask(mask)
    assert np.array_equal(np.asarray(figure.data[0].z), mask.numpy())
    assert figure.layout.yaxis.ticktext[:5] == ("coarse 1", "coarse 2", "coarse 3", "coarse 4", "fine 5")
    assert "79.5 % hidden" in figure.layout.title.text
    drawn = ~np.isnan(figure.data[1].x)
    assert drawn.sum() == 2 * sum(len(masks.runs(row)) for row in mask.numpy())
    assert figure.layout.xaxis.range[1] == pytest.approx(575 * 768 / 44_100)


def test_passes_name_each_pass():
    grids = [torch.zeros(4, 50, dtype=torch.bool) for _ in range(36)]
    titles = [a.text for a in show.passes(grids).layout.annotations]
    assert len(titles) == 9 and titles[0].startswith("pass 1:") and titles[-1].startswith("pass 36:")
    with pytest.raises(ValueError, match="no passes"):
        show.passes([])


def test_matrices_share_a_scale_and_keep_their_order():
    grids = {f"head {i}": np.full((3, 5), i / 10) for i in range(1, 6)}
    figure = show.matrices(grids, "looked at", "looks")
    assert [a.text for a in figure.layout.annotations] == list(grids)
    assert {trace.zmax for trace in figure.data} == {0.5} and sum(trace.showscale for trace in figure.data) == 1
    assert all(np.allclose(trace.z, grid) for trace, grid in zip(figure.data, grids.values(), strict=True))
    assert show.matrices(grids, top=1).data[0].zmax == 1
    for wrong in ({}, {"row": np.zeros(4)}):
        with pytest.raises(ValueError, match=r"at least one \[rows, columns\]"):
            show.matrices(wrong)


def test_wrong_grids_are_refused(clip):
    with pytest.raises(TypeError, match="whole numbers"):
        show.tokens(np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"\(2, 4, 5\)"):
        show.mask(torch.ones(2, 4, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match="no samples"):
        show.spectrogram(Clip(np.zeros((1, 0), dtype=np.float32), 44_100))


def test_spectrum_finds_the_tone(clip):
    found = spectra.spectrum(clip)
    assert abs(found.hz[found.db.max(1).argmax()] - 440) < 60 and found.db.shape[1] <= 480


def test_hatch_marks_exactly_the_hidden_cells(mask):
    painted = pictures.hatch(mask.numpy(), 2, 10).reshape(14, 10, 575, 2)
    assert np.array_equal((painted[:, :9] > 0).all((1, 3)), mask.numpy())
    assert set(np.unique(painted)) == {0, 1, 2}


def test_overview_writes_a_png(clip, mask, tmp_path):
    path = show.overview(clip, mask, tmp_path / "o.png")
    first = path.read_bytes()
    assert first[:4] == b"\x89PNG" and len(first) < 700_000
    assert show.overview(clip, mask, path).read_bytes() == first
    assert show.overview(clip).get_axes()


def test_names_and_json_stay_plain(clip):
    assert {"listen", "spectrogram", "waveform", "tokens", "mask", "mask_over", "passes", "overview"} <= set(dir(show))
    with pytest.raises(AttributeError):
        _ = show.nothing
    json.loads(show.schedules({"cosine": np.cos}).to_json())


def test_a_sheet_is_a_png_of_a_page_and_prints_its_labels():
    pictures = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), dtype=np.uint8)
    sheet = show.sheet(pictures, ["one", "two\nlines", "3", "4", "5"], columns=3, title="Five")
    assert repr(sheet) == "Five (5: one, two lines, 3, 4, 5)"
    bundle = sheet._repr_mimebundle_()
    image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert image.width == 720 and image.height > 2 * 64 and bundle["text/plain"] == repr(sheet)
    with pytest.raises(ValueError, match="5 pictures and 1 labels"):
        show.sheet(pictures, ["one"])
    with pytest.raises(ValueError, match="lower columns or zoom"):
        show.sheet(pictures, columns=20)
