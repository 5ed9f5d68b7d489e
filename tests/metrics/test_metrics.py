"""What is measured: known values, the order of known degradations, intervals that cover."""

import numpy as np
import pytest
import torch

from vampkit import metrics
from vampkit.audio import Clip, load_clip
from vampkit.weights import load_codec


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
    from vampkit.codec.descript import dac
    from vampkit.train.losses import SpectralLoss, signal_ratio

    other = changed(clip, "noise")
    ours = metrics.mel_distance(clip, other)
    x, y = (torch.from_numpy(c.samples) for c in (clip, other))
    assert float(SpectralLoss()(x, y)[1]) == pytest.approx(ours, rel=1e-4)
    assert float(signal_ratio(x, y)) == pytest.approx(metrics.si_sdr(clip, other), abs=1e-2)
    from audiotools import AudioSignal

    loss = dac.nn.loss.MelSpectrogramLoss(
        n_mels=[5, 10, 20, 40, 80, 160, 320],
        window_lengths=[32, 64, 128, 256, 512, 1024, 2048],
        mel_fmin=[0] * 7,
        mel_fmax=[None] * 7,
        pow=1.0,
        clamp_eps=1e-5,
        mag_weight=0.0,
    )
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
    assert metrics.frechet_distance(x, 3 * x) == pytest.approx(
        sum((3 - 1) ** 2 * x.var(0)) + 4 * (x.mean(0) ** 2).sum(), rel=0.02
    )


def test_kernel_distance_tells_sets_apart_and_not_halves_of_one():
    rng = np.random.default_rng(0)

    def tracks(count, shift=0.0):
        return [rng.standard_normal(4) + shift + 0.5 * rng.standard_normal((6, 4)) for _ in range(count)]

    same, other = metrics.kernel_distance(tracks(30), tracks(30)), metrics.kernel_distance(tracks(30, 1.0), tracks(30))
    assert same.p > 0.02 and other.p < 0.01 and other.estimate.mean > 5 * abs(same.estimate.mean)
    assert other.estimate.low < other.estimate.mean < other.estimate.high and other.estimate.n == 30
    few = [metrics.kernel_distance(tracks(5), tracks(5), bandwidth=2.0, shuffles=1).estimate.mean for _ in range(200)]
    assert abs(np.mean(few)) < 3 * np.std(few) / 200**0.5, "no bias, however few the tracks"
    with pytest.raises(ValueError, match="at least 2"):
        metrics.kernel_distance(tracks(1), tracks(5))


def test_kernel_difference_pairs_its_tracks():
    """Treatments of the same tracks are told apart by the difference, where their own intervals overlap."""
    rng = np.random.default_rng(1)
    x, y = ([rng.standard_normal(3) + 0.3 * rng.standard_normal((6, 3)) for _ in range(24)] for _ in range(2))
    near, far = [t + 0.6 for t in x], [t + 0.9 for t in x]
    whole = [metrics.kernel_distance(t, y, 1.5, shuffles=1).estimate for t in (near, far)]
    told = metrics.kernel_difference(near, far, y, 1.5)
    assert told.mean == pytest.approx(whole[0].mean - whole[1].mean) and told.high < 0 and whole[0].high > whole[1].low
    assert metrics.kernel_difference(x, x, y) == pytest.approx((0, 0, 0, 24), abs=1e-9)
    with pytest.raises(ValueError, match="two treatments of the same tracks"):
        metrics.kernel_difference(x, x[:5], y)


def test_kernel_distance_is_its_own_formula():
    x, y = [np.array([[0.0]]), np.array([[1.0]])], [np.array([[0.0]]), np.array([[3.0]])]
    k = lambda a, b: np.exp(-((a - b) ** 2) / 2)  # noqa: E731
    expected = 100 * (k(0, 1) + k(0, 3) - 2 * np.mean([k(0, 0), k(0, 3), k(1, 0), k(1, 3)]))
    assert metrics.kernel_distance(x, y, 1.0, shuffles=1).estimate.mean == pytest.approx(expected)


def test_embeddings_rank_degradations(clip):
    """Both embeddings put a little noise nearer than much of it, and notice a low-pass."""
    pieces = [
        load_clip(name).mono().excerpt(1, 3).at_loudness(-24)
        for name in ("01", "03", "05", "composed-house", "composed-bossa", "composed-waltz")
    ]
    codec = load_codec("tiny")
    for embed in (metrics.logmel_statistics, lambda c: metrics.codec_latents(c, codec)):
        reference = [embed(p) for p in pieces]
        width, far = metrics.bandwidth_of(reference), {}
        for how in ("nothing", "a little noise", "noise", "low-pass"):
            found = metrics.kernel_distance([embed(changed(p, how)) for p in pieces], reference, width, shuffles=1)
            far[how] = found.estimate.mean
        assert far["nothing"] < far["a little noise"] < far["noise"] and far["low-pass"] > far["nothing"], far


def test_mel_distance_where(clip):
    frames = clip.samples.shape[1] // 768
    where = np.arange(frames) >= frames // 2
    half = clip.samples.copy()
    half[:, frames // 2 * 768 :] += 0.02 * np.random.default_rng(2).standard_normal(
        (1, half.shape[1] - frames // 2 * 768)
    ).astype(np.float32)
    half = Clip(half, clip.rate)
    assert metrics.mel_distance(clip, half, where=~where) < 0.05 < 0.3 < metrics.mel_distance(clip, half, where=where)
    assert metrics.mel_distance(clip, half, where=np.ones(frames, bool)) == pytest.approx(
        metrics.mel_distance(clip, half)
    )
    with pytest.raises(ValueError, match="at least one"):
        metrics.mel_distance(clip, half, where=np.zeros(frames, bool))
    for other in (3, frames - 1, frames + 9):
        with pytest.raises(ValueError, match=f"where has {other} frames"):
            metrics.mel_distance(clip, half, where=np.ones(other, bool))


def test_beats():
    truth = np.arange(0.5, 8, 0.5)
    clicks = np.zeros(8 * 44_100, np.float32)
    for t in truth:
        at = int(t * 44_100)
        clicks[at : at + 2000] = 0.3 * np.random.default_rng(3).standard_normal(2000) * np.exp(-np.arange(2000) / 500)
    assert metrics.beat_f(truth, Clip(clicks[None], 44_100)) > 0.9
    assert metrics.beat_f(truth, truth + 0.25) == 0 and metrics.beat_f(np.zeros(0), np.zeros(0)) == 1


def test_log_mel_statistics_tell_noise_from_music(clip):
    a, b = metrics.logmel_statistics(clip), metrics.logmel_statistics(load_clip("05").mono().excerpt(5, 4))
    noise = metrics.logmel_statistics(
        Clip(np.random.default_rng(0).standard_normal((1, clip.samples.shape[1])) * 0.1, clip.rate)
    )
    assert metrics.frechet_distance(a, b) < 0.5 * metrics.frechet_distance(noise, b)


def test_agreement_of_onsets_and_chroma(clip):
    other = load_clip("composed-waltz").mono().excerpt(1, 4)
    assert metrics.onset_f(clip, clip) == 1 and metrics.onset_f(clip, other) < 0.9
    assert (
        metrics.chroma_similarity(clip, clip) == pytest.approx(1, abs=1e-5)
        and metrics.chroma_similarity(clip, other) < 0.97
    )


def test_bootstrap_covers_the_mean():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(100):
        e = metrics.bootstrap(rng.normal(1.0, 1.0, 30), resamples=400)
        inside += e.low <= 1.0 <= e.high
    assert 85 <= inside <= 100 and e.n == 30
    with pytest.raises(ValueError, match="finite"):
        metrics.bootstrap([1.0, float("nan")])
    with pytest.raises(ValueError, match="confidence is 95, between 0 and 1"):
        metrics.bootstrap([1.0, 2.0], confidence=95)


def test_cross_entropy_of_a_model_that_knows_nothing_is_log_v():
    from vampkit.model import MaskedTransformer, ModelConfig
    from vampkit.train import start_local

    model = MaskedTransformer(ModelConfig(layers=1, width=32), torch.randn(4, 1024, 8))
    start_local(model, torch.Generator().manual_seed(0))
    model.classifier.layers[0].weight_g.data.zero_()
    codes = torch.randint(1024, (2, 4, 40))
    assert metrics.masked_cross_entropy(model, codes).numpy() == pytest.approx(np.log(1024), abs=1e-5)
    hidden_zeros = torch.zeros_like(codes)  # all logits are equal: the first entry is the guess
    assert (
        float(metrics.masked_accuracy(model, hidden_zeros).min()) == 1
        and float(metrics.masked_accuracy(model, hidden_zeros + 7).max()) == 0
    )
    counts = metrics.entry_counts(codes)
    assert int(counts.sum()) == codes.numel() and float(metrics.entries_used(codes).max()) <= 80 / 1024
    assert (metrics.unigram_cross_entropy(codes) < np.log(81)).all()


def test_the_papers_mel_error_is_that_of_its_code():
    """The default mel loss of descript-audiotools, on mono sounds."""
    from audiotools import AudioSignal

    from vampkit.codec.descript import dac

    a, b = (0.1 * np.random.default_rng(seed).standard_normal(22_050).astype(np.float32) for seed in (0, 1))
    b[5000:9000] = 0
    loss = dac.nn.loss.MelSpectrogramLoss()
    theirs = float(loss(*(AudioSignal(x[None, None], 44_100) for x in (a, b))))
    assert metrics.paper_mel_error(a, b) == pytest.approx(theirs, rel=1e-4)
    assert metrics.paper_mel_error(a, a) == 0
    with pytest.raises(ValueError, match="at least"):
        metrics.paper_mel_error(a[:100], b[:100])


def test_top_25_and_scores_at_once(vamp):
    from vampkit.metrics.tokens import masked_scores

    codes = torch.randint(0, 1024, (2, 4, 60), generator=torch.Generator().manual_seed(0))
    nats, top1, top25 = masked_scores(vamp.coarse, codes, 0.5, seed=3).unbind(-1)
    assert torch.allclose(nats, metrics.masked_cross_entropy(vamp.coarse, codes, 0.5, seed=3))
    assert torch.equal(top1, metrics.masked_accuracy(vamp.coarse, codes, 0.5, seed=3))
    assert torch.equal(top25, metrics.masked_accuracy(vamp.coarse, codes, 0.5, seed=3, top=25))
    assert float(metrics.masked_accuracy(vamp.coarse, codes, 0.5, top=1024).min()) == 1
    assert top25.sum() >= top1.sum()
    with pytest.raises(ValueError, match="top 0"):
        metrics.masked_accuracy(vamp.coarse, codes, top=0)
    with pytest.raises(ValueError, match="0 to 1023 was expected"):
        metrics.masked_cross_entropy(vamp.coarse, codes + 500)
    with pytest.raises(ValueError, match="batches of 0"):
        metrics.masked_cross_entropy(vamp.coarse, codes, batch=0)


def test_fad_by_vggish_where_its_weights_are_put_in_place(tmp_path):
    """Only the format can be tested: the published weights are not here."""
    from vampkit.errors import VampkitError
    from vampkit.metrics.vggish import FILE, vggish_mels
    from vampkit.weights.download import cached

    with pytest.raises(VampkitError, match=FILE):
        metrics.load_vggish()
    torch.manual_seed(0)
    path = cached(FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(metrics.VGGish().state_dict(), path)
    try:
        model = metrics.load_vggish()
    finally:
        path.unlink()
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(VampkitError, match="does not hold the weights of VGGish"):
        metrics.load_vggish(tmp_path / "other.pth")
    rng = np.random.default_rng(0)
    clips = [Clip(0.1 * rng.standard_normal((1, 44_100 * 3)).astype(np.float32), 44_100) for _ in range(2)]
    sets = [metrics.vggish_embedding(clip, model) for clip in clips]
    assert sets[0].shape == (3, 128) and metrics.frechet_distance(sets[0], sets[0]) == pytest.approx(0, abs=1e-8)
    with pytest.raises(ValueError, match="0.98 s"):
        metrics.vggish_embedding(clips[0].excerpt(0, 0.5), model)
    t = np.arange(16_000) / 16_000
    tone = vggish_mels(Clip(np.sin(2 * np.pi * 1000 * t).astype(np.float32)[None], 16_000))
    assert tone.shape == (98, 64)
    low, high = (1127 * np.log1p(f / 700) for f in (125, 7500))
    assert tone.mean(0).argmax() == round((1127 * np.log1p(1000 / 700) - low) / (high - low) * 65) - 1


def test_paired_distances_leave_a_track_out_of_both_sets():
    rng = np.random.default_rng(0)
    y = [rng.normal(size=(20, 3)) + 3 * rng.normal(size=3) for _ in range(12)]
    x = [track + 0.1 * rng.normal(size=track.shape) for track in y]
    paired, apart = metrics.frechet_interval(x, y, paired=True), metrics.frechet_interval(x, y)
    assert paired.mean == apart.mean and paired.n == 12
    assert paired.high - paired.low < 0.2 * (apart.high - apart.low)
    z = [track + 1.0 for track in x]
    ratio = metrics.frechet_ratio(x, z, y, paired=True)
    assert ratio.high < 0.1
    with pytest.raises(ValueError, match="originals of the same tracks"):
        metrics.frechet_interval(x, y[1:], paired=True)


def test_mauve_divergence_is_small_for_alike_and_grows_with_the_distance():
    rng = np.random.default_rng(0)
    y = [rng.normal(size=(40, 4)) for _ in range(20)]
    found = [
        metrics.mauve_divergence([rng.normal(size=(40, 4)) + shift for _ in range(20)], y).mean for shift in (0, 1, 3)
    ]
    assert 0 <= found[0] < 0.1 < found[1] < found[2]
    assert metrics.mauve_divergence(y, y, paired=True).mean == 0


def test_mauve_of_two_histograms_by_hand():
    """Apart, the curve runs along both axes, but for the corner that e^-5 cuts off; the same, it holds the square."""
    from vampkit.metrics.mauve import _divergence

    assert _divergence(np.array([1, 1]), np.array([2, 2])) == 0
    assert _divergence(np.array([1, 0]), np.array([0, 1])) > 2
