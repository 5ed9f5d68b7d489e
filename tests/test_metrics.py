"""What is measured: known values, the order of known degradations, intervals that cover."""

import numpy as np
import pytest
import torch

from vampkit import metrics
from vampkit.audio import Clip, load_clip


@pytest.fixture(scope="module")
def clip():
    return load_clip("05").mono().excerpt(1, 4).at_loudness(-24)


def changed(clip, how):
    rng = np.random.default_rng(1)
    x = clip.samples
    if how == "a little noise":
        return Clip(x + 0.002 * rng.standard_normal(x.shape), clip.rate)
    if how == "noise":
        return Clip(x + 0.02 * rng.standard_normal(x.shape), clip.rate)
    if how == "low-pass":
        return Clip(clip.resample(8_000).resample(44_100).samples[:, : x.shape[1]], clip.rate)
    return clip


def test_equal_sounds_are_at_distance_nothing(clip):
    assert metrics.mel_distance(clip, clip) == 0 and metrics.si_sdr(clip, clip) > 80


def test_the_mel_distance_is_the_codecs_own_training_loss(clip):
    from vampkit._compat import dac
    from vampkit.train.losses import SpectralLoss, signal_ratio

    other = changed(clip, "noise")
    ours = metrics.mel_distance(clip, other)
    x, y = (torch.from_numpy(c.samples) for c in (clip, other))
    assert float(SpectralLoss()(x, y)[1]) == pytest.approx(ours, rel=1e-4)
    assert float(signal_ratio(x, y)) == pytest.approx(metrics.si_sdr(clip, other), abs=1e-2)
    from audiotools import AudioSignal

    loss = dac.nn.loss.MelSpectrogramLoss(n_mels=[5, 10, 20, 40, 80, 160, 320], window_lengths=[32, 64, 128, 256, 512, 1024, 2048],
                                           mel_fmin=[0] * 7, mel_fmax=[None] * 7,
                                          pow=1.0, clamp_eps=1e-5, mag_weight=0.0)  # fmt: skip
    theirs = float(loss(AudioSignal(x[None], clip.rate), AudioSignal(y[None], clip.rate)))
    assert ours == pytest.approx(theirs, rel=1e-3)


def test_known_degradations_come_in_order(clip):
    order = [metrics.mel_distance(clip, changed(clip, how)) for how in ("nothing", "a little noise", "noise")]
    assert order == sorted(order) and order[2] > order[1] + 0.1
    assert metrics.si_sdr(clip, changed(clip, "a little noise")) > metrics.si_sdr(clip, changed(clip, "noise"))


def test_opus_keeps_length_and_rate(clip):
    back, kbps = metrics.opus_round_trip(clip, 16)
    assert back.samples.shape == clip.samples.shape and kbps == pytest.approx(16, abs=1)
    assert metrics.mel_distance(clip, back) < metrics.mel_distance(clip, metrics.opus_round_trip(clip, 12)[0])


def test_frechet_distance_has_its_closed_form():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4000, 3))
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-6)
    assert metrics.frechet_distance(x, x + 2) == pytest.approx(12, rel=1e-6)
    assert metrics.frechet_distance(x, 3 * x) == pytest.approx(sum((3 - 1) ** 2 * x.var(0)) + 4 * (x.mean(0) ** 2).sum(), rel=0.02)


def test_log_mel_statistics_tell_noise_from_music(clip):
    a, b = metrics.logmel_statistics(clip), metrics.logmel_statistics(load_clip("05").mono().excerpt(5, 4))
    noise = metrics.logmel_statistics(Clip(np.random.default_rng(0).standard_normal((1, clip.samples.shape[1])) * 0.1, clip.rate))
    assert metrics.frechet_distance(a, b) < 0.5 * metrics.frechet_distance(noise, b)


def test_agreement_of_onsets_and_chroma(clip):
    other = load_clip("composed-waltz").mono().excerpt(1, 4)
    assert metrics.onset_f(clip, clip) == 1 and metrics.onset_f(clip, other) < 0.9
    assert metrics.chroma_similarity(clip, clip) == pytest.approx(1, abs=1e-5) and metrics.chroma_similarity(clip, other) < 0.97


def test_bootstrap_covers_the_mean():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(100):
        e = metrics.bootstrap(rng.normal(1.0, 1.0, 30), resamples=400)
        inside += e.low <= 1.0 <= e.high
    assert 85 <= inside <= 100 and e.n == 30
    with pytest.raises(ValueError, match="finite"):
        metrics.bootstrap([1.0, float("nan")])


def test_cross_entropy_of_a_model_that_knows_nothing_is_log_v():
    from vampkit.model import MaskedTransformer, ModelConfig

    model = MaskedTransformer(ModelConfig(layers=1, width=32), torch.randn(4, 1024, 8))
    model.start_local(torch.Generator().manual_seed(0))
    model.classifier.layers[0].weight_g.data.zero_()
    codes = torch.randint(1024, (2, 4, 40))
    assert metrics.masked_cross_entropy(model, codes).numpy() == pytest.approx(np.log(1024), abs=1e-5)
    counts = metrics.entry_counts(codes)
    assert int(counts.sum()) == codes.numel() and float(metrics.entries_used(codes).max()) <= 80 / 1024
    assert (metrics.unigram_cross_entropy(codes) < np.log(81)).all()
