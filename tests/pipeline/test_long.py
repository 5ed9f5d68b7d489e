"""Any length: streams and files equal the whole, loops have no seam, the reference's chunks agree, work is linear."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.test_model import reference
from vampkit.audio import Clip
from vampkit.audio import blocks as sound_blocks
from vampkit.audio.blocks import FileBlocks, loudness, resample_blocks, resample_loop, save_blocks
from vampkit.errors import VampkitError
from vampkit.pipeline import Windows, again_file, take_settings, vamp_file
from vampkit.pipeline.run import Canvas, Round, Run, Stage
from vampkit.pipeline.soundfiles import pairs
from vampkit.pipeline.source import Prompted, Source
from vampkit.pipeline.windows import plan
from vampkit.prompts import Continuation, Inpaint, Loop, Nothing, Outpaint, Periodic, Prefix

SMALL = dict(passes=2, fine_passes=1, windows=Windows(32, 10, 4, 16))


@pytest.fixture(scope="module")
def tokens(small_codec, tone):
    return small_codec.encode(tone)


@pytest.mark.parametrize(
    "prompt", [Periodic(7), Prefix(0.5), Inpaint(0.6, 0.9), Continuation(0.8, prefix=0.3), Outpaint(0.2, 0.3)]
)
def test_a_stream_is_the_whole_take_in_blocks(vamp, tokens, prompt):
    whole = vamp.vamp(tokens, prompt, seed=3, **SMALL)
    parts = list(vamp.stream(tokens, prompt, seed=3, **SMALL))
    joined = np.concatenate([p.samples for p in parts], 1)
    assert len(parts) > 1 and joined.shape == whole.clip.samples.shape
    assert np.abs(joined - whole.clip.samples).max() < 1e-4 * np.abs(whole.clip.samples).max()
    kept = ~whole.mask
    assert torch.equal(whole.tokens.codes[kept], whole.original.codes[kept])


def test_a_stream_begins_before_the_end_is_made_and_at_another_rate(vamp, tone):
    sound = tone.resample(48_000)
    coarse, made = vamp.coarse, []
    vamp.coarse = lambda *a, **k: made.append(1) or coarse(*a, **k)
    vamp.coarse.config, vamp.coarse.parameters = coarse.config, coarse.parameters
    try:
        stream = vamp.stream(sound, Nothing(), seed=3, **SMALL)
        first = next(stream)
        early = len(made)
        rest = list(stream)
    finally:
        vamp.coarse = coarse
    assert 0 < early < len(made) / 2
    joined = np.concatenate([p.samples for p in (first, *rest)], 1)
    whole = vamp.vamp(sound, Nothing(), seed=3, **SMALL).clip.samples
    assert (
        joined.shape == whole.shape == sound.samples.shape and np.abs(joined - whole).max() < 1e-4 * np.abs(whole).max()
    )


def test_windows_know_what_earlier_ones_made_and_what_is_kept_ahead(vamp, tokens):
    """Another start changes the windows after it.

    Another kept frame ahead changes the window before it, and none that ended long before.
    """
    base = vamp.vamp(tokens, Periodic(29), seed=1, **SMALL).tokens.codes
    other = tokens.replace(codes=tokens.codes.clone())
    other.codes[:, 58] = (other.codes[:, 58] + 1) % 1024
    changed = (vamp.vamp(other, Periodic(29), seed=1, **SMALL).tokens.codes != base)[:4].any(0).nonzero()[:, 0]
    assert int(changed.min()) in range(58 - 32, 58) and int(changed.max()) > 58 + 32


def test_what_goes_on_beyond_its_sound_recommends_more_noise(vamp, tokens, tone, tmp_path):
    """A prompt recommends settings, and none of them is set behind one's back."""
    for prompt in (Continuation(0.4), Continuation(0.4).dropout(0.1), Outpaint(0.2) | Outpaint(0.2).on(0)):
        assert prompt.recommended == {"mask_temperature": 40.0}, prompt
        assert vamp.vamp(tokens, prompt, **SMALL).record["coarse"]["mask_temperature"] == 10.5
    assert (Periodic(7) & Prefix(0.5)).recommended == {}
    tone.save(tmp_path / "in.wav")
    vamp_file(vamp, tmp_path / "in.wav", tmp_path / "out.wav", prompt, **SMALL, **prompt.recommended)
    assert json.loads((tmp_path / "out.json").read_text())["coarse"]["mask_temperature"] == 40.0
    prompt = Continuation(0.8)
    usual, more = (vamp.vamp(tokens, prompt, seed=2, mask_temperature=t, **SMALL).tokens.codes for t in (10.5, 40.0))
    assert torch.equal(usual, vamp.vamp(tokens, prompt, seed=2, **SMALL).tokens.codes)
    assert not torch.equal(usual, more)


@pytest.mark.parametrize("frames", [30, 32, 75])
def test_a_turned_loop_is_the_loop_turned(vamp, tokens, frames):
    """The model on a circle knows no first frame.

    Turned codes give turned logits. In windows, the seam has context on both sides.
    """
    codes, mask = (
        tokens.codes[None, :4, :frames],
        torch.rand(1, 4, frames, generator=torch.Generator().manual_seed(1)) < 0.8,
    )
    logits = vamp.coarse(codes, mask, circular=True)
    for turn in (1, 17):
        turned = vamp.coarse(codes.roll(turn, -1), mask.roll(turn, -1), circular=True)
        assert torch.allclose(turned, logits.roll(turn, -2), atol=1e-4)
    assert not torch.allclose(vamp.coarse(codes, mask), logits, atol=1e-2)
    loop = vamp.vamp(tokens, Loop(seconds=frames * 768 / 44_100), seed=2, **SMALL)
    assert loop.tokens.frames == frames and loop.clip.samples.shape[1] == frames * 768
    assert torch.equal(loop.tokens.codes[~loop.mask], tokens.codes[:, :frames][~loop.mask])


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_sound_of_a_loop_goes_on_over_its_seam(small_codec, tokens, rate):
    loop = tokens.replace(codes=tokens.codes[:, :98], length=98 * 768, source_rate=rate)
    once = small_codec.decode(loop, circular=True).samples[0]
    turned = small_codec.decode(loop.replace(codes=loop.codes.roll(49, -1)), circular=True).samples[
        0
    ]  # 49 frames are whole samples at both rates
    assert len(once) == 98 * 768 * rate // 44_100
    assert np.abs(np.roll(once, len(once) // 2) - turned).max() < 1e-3 * np.abs(once).max()
    plain = small_codec.decode(loop).samples[0]
    assert np.abs(once - plain)[: 768 // 2].max() > 1e-3 * np.abs(once).max(), "the start knows nothing of the end"
    stream = np.concatenate(
        list(small_codec.decode_blocks(loop, loop.batch.split(7, -1), circular=True, eager=True)), 1
    )
    assert np.allclose(stream[0], once, atol=1e-5)


def test_chunks_agree_with_the_reference():
    saved = np.load(Path(__file__).parents[1] / "fixtures" / "chunks.npz")
    fine, tables = reference("forward_c2f")[0], reference("forward_c2f")[0].tables
    coarse = reference("forward_coarse")[0]
    coarse.tables = tables[:4]
    codes, mask = torch.from_numpy(saved["codes"].astype(np.int64)), torch.from_numpy(saved["mask"]).bool()[0]
    chunks = Windows(int(saved["coarse_chunk"]), 0, 0, int(saved["c2f_chunk"]), 0, 0, reference=True)
    greedy = dict(mask_temperature=0.0, fine_mask_temperature=0.0, cutoff=-1.0, windows=chunks)
    settings = take_settings(passes=6, fine_passes=2, **greedy)
    stages = (Stage("coarse", coarse, settings.coarse), Stage("fine", fine, settings.fine))

    def run(name, start, hidden):
        """One stage alone, as the recorded fine model is given other codebooks than the coarse one makes."""
        each, canvas = Round(stages, hidden, [0], settings, False, 0), Canvas(start, hidden)
        stage = each.coarse if name == "coarse" else each.fine
        config = stage.model.config
        for window in plan(hidden[config.conditioning : config.codebooks].any(0), chunks, name):
            *_, step = each.passes(stage, window, canvas)
            canvas.keep(window, step)
        return canvas.codes

    made = run("coarse", codes, mask)
    assert torch.equal(made, torch.from_numpy(saved["coarse_out"].astype(np.int64)))
    assert torch.equal(run("fine", made, mask), torch.from_numpy(saved["fine_out"].astype(np.int64)))
    everything = torch.ones_like(mask)
    assert torch.equal(run("fine", made, everything), torch.from_numpy(saved["fine_out_nomask"].astype(np.int64)))


def test_a_file_vamps_as_its_clip_does(vamp, tone, tmp_path, monkeypatch):
    monkeypatch.setattr(sound_blocks, "SIZE", 10_000)
    stereo = Clip(np.concatenate([tone.samples, 0.3 * tone.samples[:, ::-1]]), 48_000)
    source = stereo.save(tmp_path / "in.wav")
    clip = Clip.load(source)
    made, whole = Source.of(source, vamp.codec).tokens, vamp.codec.encode(clip, "mid-side")
    assert made.channels == whole.channels == 2 and made.gains[1] == pytest.approx(whole.gains[1], abs=0.01)
    assert made.length == whole.length and made.gains[0] == pytest.approx(whole.gains[0], abs=1e-6)
    assert (made.codes == whole.codes).float().mean() > 0.999
    path = vamp_file(vamp, source, tmp_path / "out.wav", Inpaint(0.5, 1.0), seed=5, restore=True, **SMALL)
    take, written = vamp.vamp(made.replace(codes=made.codes), Inpaint(0.5, 1.0), seed=5, **SMALL), Clip.load(path)
    assert written.samples.shape == clip.samples.shape
    same = (written.samples == clip.samples).all(0)
    assert same[: round(0.49 * 48_000)].all() and same[round(1.03 * 48_000) :].all()
    inside = slice(round(0.55 * 48_000), round(0.95 * 48_000))
    assert (
        np.abs(written.samples[0, inside] - take.clip.samples[0, inside]).max() < 1e-3 * np.abs(written.samples).max()
    )
    record = json.loads(path.with_suffix(".json").read_text())
    again = again_file(vamp, path.with_suffix(".json"), source, tmp_path / "again.wav")
    assert np.array_equal(Clip.load(again).samples, written.samples) and record == json.loads(
        again.with_suffix(".json").read_text()
    )


def test_loudness_and_resampling_in_blocks_are_those_of_the_whole(tone):
    rng = np.random.default_rng(2)
    for rate in (44_100, 11_025):
        sound = Clip(tone.samples * np.linspace(0, 1, tone.samples.shape[1], dtype=np.float32), rate)
        cuts = np.split(sound.samples, np.sort(rng.integers(0, sound.samples.shape[1], 9)), axis=1)
        level, length = loudness(iter(cuts), rate)
        assert length == sound.samples.shape[1] and level == pytest.approx(sound.loudness(), abs=1e-6)
        other = np.concatenate(list(resample_blocks(iter(cuts), rate, 32_000)), 1)
        assert np.abs(other - sound.resample(32_000).samples).max() < 1e-6
    assert loudness(iter([np.zeros((1, 44_100), np.float32)]), 44_100) == (float("-inf"), 44_100)
    sine = np.sin(2 * np.pi * np.arange(441) * 5 / 441).astype(np.float32)[None]
    looped = resample_loop(sine, 44_100, 48_000)
    assert looped.shape == (1, 480) and np.abs(looped - np.sin(2 * np.pi * np.arange(480) * 5 / 480)).max() < 1e-3


def test_what_is_not_finished_leaves_no_file(vamp, tone, tmp_path):
    source = tone.save(tmp_path / "in.wav")

    def stop(done, total):
        if done > 4:
            raise KeyboardInterrupt

    vamp_file(vamp, source, tmp_path / "a.wav", Periodic(7), **SMALL)
    with pytest.raises(KeyboardInterrupt):
        vamp_file(vamp, source, tmp_path / "b.wav", Periodic(7), progress=stop, **SMALL)
    assert {p.name for p in tmp_path.iterdir()} == {"in.wav", "a.wav", "a.json"}
    with pytest.raises(ValueError, match="rename it"):
        save_blocks([], 44_100, tmp_path / "c.mp4")
    for bad in ("none.wav", "empty.wav"):
        (tmp_path / "empty.wav").touch()
        with pytest.raises((FileNotFoundError, VampkitError), match="no sound file|empty"):
            FileBlocks(tmp_path / bad)


def test_files_of_a_folder(tmp_path):
    for name in ("a.wav", "b.flac", "notes.txt"):
        (tmp_path / name).touch()
    out = tmp_path / "out"
    assert [(s.name, m.name, t) for s, m, t in pairs(tmp_path, out, 2)] == [
        ("a.wav", "a-1.wav", 0), ("a.wav", "a-2.wav", 1), ("b.flac", "b-1.wav", 0), ("b.flac", "b-2.wav", 1),
    ]  # fmt: skip
    assert [m for _, m, _ in pairs(tmp_path / "a.wav", out / "x.ogg")] == [out / "x.ogg"]
    with pytest.raises(VampkitError, match="written over"):
        list(pairs(tmp_path, tmp_path))
    (tmp_path / "void").mkdir()
    with pytest.raises(FileNotFoundError, match="no sound in"):
        list(pairs(tmp_path / "void", out))


def test_the_work_a_second_does_not_grow(vamp, tokens):
    """Passes and windows are proportional to the length."""

    def total(frames):
        blank = tokens.replace(codes=torch.zeros(14, frames, dtype=torch.int64))
        prompted = Prompted(blank, torch.ones(14, frames, dtype=torch.bool), Nothing())
        return Run(vamp.coarse, vamp.fine, prompted, take_settings(passes=1)).total

    short, long = total(10_000), total(100_000)
    assert long == pytest.approx(10 * short, rel=0.03)
