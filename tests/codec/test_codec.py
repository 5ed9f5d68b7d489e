"""Codec: lengths, levels and rates come back; windows change nothing; what does not belong is refused."""

import functools
import http.server
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

import vampkit.codec.codec as codec_module
from vampkit.audio import Clip
from vampkit.codec import Codec
from vampkit.codec.network import build, settings_of, token_hash
from vampkit.errors import VampkitError
from vampkit.weights import load_codec


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_length_rate_and_level_come_back(small_codec, tone, rate):
    sound = tone.resample(rate).excerpt(0, 1.237).gain(-11)
    tokens = small_codec.encode(sound)
    back = small_codec.decode(tokens)
    assert (back.rate, back.samples.shape) == (rate, sound.samples.shape)
    assert tokens.codes.shape == (14, -(-tokens.length // 768)) and tokens.codes.dtype == torch.int64
    assert tokens.gains[0] == pytest.approx(-24 - sound.resample(44_100).loudness(), abs=1e-6)


def test_level_is_undone(small_codec, tone):
    loud, soft = small_codec.decode(small_codec.encode(tone)), small_codec.decode(small_codec.encode(tone.gain(-20)))
    assert np.abs(loud.samples - soft.gain(20).samples).max() < 0.02 * np.abs(loud.samples).max()


def test_stereo_as_two_items_or_mixed(small_codec, tone):
    stereo = Clip(np.concatenate([tone.samples, tone.samples[:, ::-1]]), tone.rate)
    items, mixed = small_codec.encode(stereo, stereo="items"), small_codec.encode(stereo)
    assert items.codes.shape[:2] == (2, 14) and len(items.gains) == 2 and mixed.codes.ndim == 2
    assert small_codec.decode(items).channels == 2 and small_codec.decode(mixed).channels == 1
    assert torch.equal(mixed.codes, small_codec.encode(stereo.mono()).codes)
    with pytest.raises(ValueError, match="items"):
        small_codec.encode(stereo, stereo="left")


def test_windows_give_the_codes_of_one_pass(small_codec, monkeypatch):
    """Codes may differ only where two entries are equally near up to rounding.

    At the ends both ways see the same silence.
    """
    rng = np.random.default_rng(1)
    sound = (rng.standard_normal(768 * 400) * 0.05).astype(np.float32)
    whole = small_codec.encode_samples(sound)
    monkeypatch.setattr(codec_module, "WINDOW", 64)
    parts = small_codec.encode_samples(sound)
    assert (whole == parts).float().mean() >= 0.999
    decoded = small_codec.decode_codes(whole)
    monkeypatch.setattr(codec_module, "WINDOW", 4096)
    assert np.abs(small_codec.decode_codes(whole) - decoded).max() < 1e-4 * np.abs(decoded).max() + 1e-6


def test_context_is_enough_and_not_far_too_much(small_codec):
    """Noise before a point changes no latent `context` frames after it, and does change one right after it."""
    a = torch.randn(1, 1, 768 * 80) * 0.1
    b = a.clone()
    b[..., : 768 * 40] = torch.randn(768 * 40) * 0.1
    with torch.inference_mode():
        difference = (small_codec.model.encoder(a) - small_codec.model.encoder(b)).abs().amax(1)[0]
    last = int(torch.nonzero(difference > 1e-6).max())
    assert 40 < last < 40 + small_codec.context


def test_fewer_codebooks_decode_and_too_many_do_not(small_codec, tone):
    tokens = small_codec.encode(tone)
    one, all_of_them = small_codec.decode(tokens, codebooks=1), small_codec.decode(tokens)
    assert one.samples.shape == all_of_them.samples.shape and not np.array_equal(one.samples, all_of_them.samples)
    for count in (0, 15):
        with pytest.raises(ValueError, match="choose 1 to 14"):
            small_codec.decode(tokens, codebooks=count)


def test_another_codecs_tokens_are_refused(small_codec, tone):
    torch.manual_seed(9)
    other = Codec(build(settings_of(small_codec.model)), "other")
    assert other.hash != small_codec.hash
    with pytest.raises(VampkitError, match="made by codec"):
        other.decode(small_codec.encode(tone))


def test_a_better_decoder_keeps_the_tokens(small_codec):
    model = build(settings_of(small_codec.model))
    model.load_state_dict(small_codec.model.state_dict())
    torch.nn.init.normal_(model.decoder.model[0].bias)
    assert token_hash(model) == small_codec.hash
    torch.nn.init.normal_(model.encoder.block[0].bias)
    assert token_hash(model) != small_codec.hash


def test_silence_and_very_short_clips(small_codec):
    for samples in (1, 767, 768, 769):
        clip = Clip(np.zeros((1, samples)), 44_100)
        assert small_codec.decode(small_codec.encode(clip)).samples.shape == (1, samples)
    with pytest.raises(ValueError, match="0 samples"):
        small_codec.encode(Clip(np.zeros((1, 0)), 44_100))


def test_saved_and_loaded(small_codec, tone, tmp_path):
    path = small_codec.save(tmp_path / "codec.safetensors", dtype=torch.float32)
    back = load_codec(path)
    assert back.hash == small_codec.hash and torch.equal(back.encode(tone).codes, small_codec.encode(tone).codes)
    half = load_codec(small_codec.save(tmp_path / "half.safetensors"))
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * path.stat().st_size
    assert load_codec(half.save(tmp_path / "again.safetensors")).hash == half.hash


def test_files_that_are_no_codec(tmp_path, small_codec):
    with pytest.raises(FileNotFoundError, match="no codec called"):
        load_codec("huge")
    with pytest.raises(FileNotFoundError):
        load_codec(tmp_path / "missing.safetensors")
    torch.save({"a": torch.zeros(1)}, tmp_path / "codec.pth")
    with pytest.raises(VampkitError, match="pickle"):
        load_codec(tmp_path / "codec.pth")


@pytest.fixture
def server(tmp_path):
    """A loopback host that gives away what lies in its folder."""
    folder = tmp_path / "host"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{host.server_port}"
    host.shutdown()


def test_published_weights_are_fetched_once(server, small_codec, tone, monkeypatch, tmp_path):
    folder, url = server
    monkeypatch.setenv("VAMPKIT_CACHE", str(tmp_path / "cache"))
    torch.save(
        {
            "state_dict": small_codec.model.state_dict(),
            "metadata": {"kwargs": settings_of(small_codec.model) | {"unknown": 1}},
        },
        folder / "w.pth",
    )
    monkeypatch.setenv("VAMPKIT_DAC_URL", f"{url}/w.pth")
    codec = load_codec("dac-44khz")
    assert torch.equal(codec.encode(tone).codes, small_codec.encode(tone).codes)
    (folder / "w.pth").unlink()
    assert load_codec("dac-44khz").hash == codec.hash


def test_without_a_network_it_says_what_to_put_where(server, monkeypatch, tmp_path):
    monkeypatch.setenv("VAMPKIT_CACHE", str(tmp_path / "cache"))
    for url in (f"{server[1]}/missing.pth", "http://127.0.0.1:9/w.pth"):
        monkeypatch.setenv("VAMPKIT_DAC_URL", url)
        with pytest.raises(VampkitError, match="put the file at .*weights_44khz"):
            load_codec("dac-44khz")
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_the_guard_leaves_other_packages_in_peace():
    """After our import of dac, `import torchaudio` either works or fails as for a package that is not there."""
    code = (
        "from vampkit.codec.descript import dac\nimport importlib.util, sys\n"
        "try:\n    import torchaudio\nexcept ModuleNotFoundError:\n"
        "    assert importlib.util.find_spec('torchaudio') is None\nimport dac\nassert dac.DAC\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_activation_is_dacs_own_to_the_bit():
    from vampkit.codec.descript import _dac_snake, dac, snake

    x, alpha = torch.randn(2, 3, 50), torch.rand(1, 3, 1) + 0.1
    before = x.clone()
    assert dac.nn.layers.snake is not _dac_snake
    with torch.no_grad():
        assert torch.equal(snake(x, alpha), _dac_snake(x, alpha)) and torch.equal(x, before)
    alpha.requires_grad_(True)
    snake(x, alpha).sum().backward()
    assert alpha.grad is not None


@pytest.mark.parametrize(
    "settings",
    [dict(kernel_size=7, dilation=9, padding=27), dict(kernel_size=16, stride=8, padding=4), dict(kernel_size=1)],
)
def test_quick_convolutions_are_torchs_own_but_for_rounding(settings):
    from vampkit.codec.descript import FEW, Conv1d

    x = torch.randn(2, FEW, 200)
    ours, theirs = Conv1d(FEW, 3, **settings), torch.nn.Conv1d(FEW, 3, **settings)
    theirs.load_state_dict(ours.state_dict())
    with torch.no_grad():
        assert torch.allclose(ours(x), theirs(x), atol=1e-5)
    assert torch.equal(ours(x), theirs(x))  # with gradients it is torch's


def test_a_built_codec_has_quick_convolutions_and_dacs_names():
    from vampkit.codec.descript import Conv1d, dac

    settings = settings_of(load_codec().model)
    model = build(settings)
    assert {type(m) for m in model.modules() if isinstance(m, torch.nn.Conv1d)} == {Conv1d}
    assert list(model.state_dict()) == list(dac.DAC(**settings).state_dict())
