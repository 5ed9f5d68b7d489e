"""Lower precision is close to float32, and float32 stays what it was."""

import pytest
import torch
import torch.nn.functional as F

from vampkit import arithmetic
from vampkit.arithmetic import Kept, attend, multiplied
from vampkit.controls import Rhythm
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.pipeline import load_vamp
from vampkit.prompts import Periodic
from vampkit.sampling import hidden_logits
from vampkit.weights import save_adapters
from vampkit.weights.precision import Int8Linear, lowered, resolved

VNNI = torch.cpu._is_vnni_supported()
LOW = ["bf16", pytest.param("int8", marks=pytest.mark.skipif(not VNNI, reason="a processor without VNNI"))]


def model(**changes):
    torch.manual_seed(0)
    config = ModelConfig(**dict(codebooks=4, layers=2, width=64, heads=4, entries=64) | changes)
    return MaskedTransformer(config, torch.randn(config.codebooks, 64, 8)).eval().requires_grad_(False)


def inputs(batch=1, frames=50):
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(0, 64, (batch, 4, frames), generator=generator)
    return codes, torch.rand(codes.shape, generator=generator) < 0.5


@pytest.mark.parametrize("precision", LOW)
def test_lower_precision_is_near(precision):
    exact, low = model(), lowered(model(), precision)
    with torch.inference_mode():
        a, b = (hidden_logits(m, *inputs()) for m in (exact, low))
    assert b.dtype == torch.float32 and 0 < float((a - b).std() / a.std()) < 0.05
    assert float((a.argmax(-1) == b.argmax(-1)).float().mean()) > 0.85
    assert lowered(exact, "float32") is exact


@pytest.mark.skipif(not VNNI, reason="a processor without VNNI")
@pytest.mark.parametrize("fast, rest", [(True, torch.bfloat16), (False, torch.float32)])
def test_beside_8_bits_a_model_is_in_bf16_where_that_is_faster(monkeypatch, tone, fast, rest):
    monkeypatch.setattr("vampkit.weights.precision.bf16_is_fast", lambda: fast)
    low = load_vamp("tiny", precision="int8")
    assert {p.dtype for p in (*low.coarse.parameters(), *low.controls.parameters())} == {rest}
    clip = tone.excerpt(0, 0.5)
    assert low.vamp(clip, Periodic(7), seed=1, passes=2, follow=[Rhythm(clip)]).clip.samples.any()


@pytest.mark.skipif(not VNNI, reason="a processor without VNNI")
def test_whole_numbers_of_8_bits_are_multiplied_as_said():
    torch.manual_seed(0)
    weight, x = torch.randn(24, 32), torch.randn(2, 5, 32) * torch.logspace(-3, 3, 5)[:, None]
    scale, rows = weight.abs().amax(1) / 127, x.abs().amax(-1, keepdim=True) / 127
    by_hand = ((x / rows).round() @ (weight / scale[:, None]).round().T) * rows * scale
    with torch.inference_mode():
        assert torch.allclose(Int8Linear(weight)(x), by_hand, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("precision", LOW)
def test_a_take_says_its_precision_and_is_made_again_only_in_it(tone, precision):
    clip, exact = tone.excerpt(0, 0.5), load_vamp("tiny")
    low = load_vamp("tiny", precision=precision)
    take = low.vamp(clip, Periodic(7), seed=1, passes=3)
    assert take.record["precision"] == precision and take.record["weights"] == exact.weights_hash
    assert torch.equal(low.again(take.record, clip).tokens.codes, take.tokens.codes)
    with pytest.raises(VampkitError, match="precision of the take"):
        exact.again(take.record, clip)
    with pytest.raises(ValueError, match="already"):
        low.lowered("float32")
    with pytest.raises(ValueError, match="give the adapters to load_vamp"):
        low.adapted("anywhere")
    assert low.lowered(precision) is low


def test_adapters_are_added_before_the_precision_is_lowered(vamp, tmp_path):
    from vampkit.weights import model_hash

    tiny = load_vamp("tiny")
    pair = {"transformer.layers.0.self_attn.fc": (torch.ones(1, 192), torch.ones(192, 1))}
    save_adapters(pair, tmp_path / "coarse.safetensors", model_hash(tiny.coarse), 1.0)
    both = load_vamp("tiny", adapters=tmp_path, precision="bf16")
    weight = both.coarse.transformer.layers[0].self_attn.fc.weight
    assert weight.dtype == torch.bfloat16
    assert torch.allclose(weight.float(), tiny.coarse.transformer.layers[0].self_attn.fc.weight + 1, atol=1e-2)


def test_precisions_that_are_not_there(monkeypatch):
    with pytest.raises(ValueError, match="float32, bf16, int8, auto"):
        load_vamp("tiny", precision="int4")
    with pytest.raises(ValueError, match="VNNI"):
        resolved("int8", "cuda")
    for fast, expected in ((True, "bf16"), (False, "float32")):
        monkeypatch.setattr("vampkit.weights.precision.bf16_is_fast", lambda fast=fast: fast)
        assert resolved("auto", "cpu") == expected
    assert resolved("auto", "mps") == "float32"


@pytest.mark.parametrize(
    "amx, avx512, intel, fast",
    [(True, True, True, True), (False, True, True, False), (False, True, False, True), (False, False, False, False)],
)
def test_a_processor_may_have_bf16_and_yet_be_slower_in_it(monkeypatch, amx, avx512, intel, fast):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(arithmetic, "_intel", lambda: intel)
    assert arithmetic.bf16_is_fast() is fast


@pytest.mark.parametrize("inputs_, outputs", [(192, 192), (192, 768), (384, 192), (64, 1024)])
def test_rows_as_wide_as_the_bundled_models_agree_with_torch(inputs_, outputs):
    """Where it was measured they are equal to the bit; another processor may differ by 3e-5 in sums of up to 72."""
    torch.manual_seed(0)
    weight, bias = torch.randn(outputs, inputs_), torch.randn(outputs)
    with torch.inference_mode():
        for frames in (1, 5, 8, 57, 172, 575):
            x = torch.randn(1, frames, inputs_)
            for b in (None, bias):
                assert torch.allclose(multiplied(x, weight, b), F.linear(x, weight, b), rtol=1e-6, atol=1e-4)


def test_wide_rows_are_multiplied_but_for_rounding():
    torch.manual_seed(0)
    x, weight = torch.randn(1, 100, 1280), torch.randn(64, 1280) / 36
    with torch.inference_mode():
        assert torch.allclose(multiplied(x, weight, None), F.linear(x, weight), atol=1e-5)
    x.requires_grad_(True)
    assert torch.equal(multiplied(x, weight, None), F.linear(x, weight)) and multiplied(x, weight, None).requires_grad


def test_attention_in_bf16_is_that_of_float32_but_for_rounding():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 4, 50, 16)
    bias = torch.randn(1, 4, 50, 50)
    with torch.no_grad():
        exact = attend(q, k, v, bias)
        low = attend(*(t.bfloat16() for t in (q, k, v, bias)))
    assert (exact - low.float()).abs().max() < 0.05


def test_what_is_kept_is_made_anew_when_a_weight_changes():
    made, weight, kept = [], torch.zeros(2), Kept()

    def make():
        made.append(1)
        return weight.clone()

    with torch.no_grad():
        for rest in ((1,), (1,), (2,), (1,)):
            kept.of((weight,), rest, make)
        assert len(made) == 3
        weight.add_(1)
        assert float(kept.of((weight,), (1,), make)[0]) == 1 and len(made) == 4
    kept.of((weight,), (1,), make)
    assert len(made) == 5  # with gradients nothing is kept


def test_a_trained_model_is_not_answered_from_before():
    net, (codes, mask) = model().requires_grad_(True), inputs()
    with torch.no_grad():
        before = net(codes, mask, hidden_only=True)
        for weight in net.parameters():
            weight.mul_(1.5)
        after, whole = net(codes, mask, hidden_only=True), net(codes, mask)[mask]
    assert not torch.allclose(before, after) and torch.allclose(after, whole, atol=1e-4)


def test_finished_items_cost_nothing():
    net, (codes, mask) = model(), inputs(batch=3)
    asked, forward = [], net.forward

    def counted(codes, *rest, **options):
        asked.append(len(codes))
        return forward(codes, *rest, **options)

    net.forward = counted
    with torch.inference_mode():
        alone = hidden_logits(net, codes, mask)
        mask[1] = False
        asked.clear()
        left, first = hidden_logits(net, codes, mask), int(mask[0].sum())
        assert sum(asked) == 2 and torch.equal(left[:first], alone[:first])
        mask[:] = False
        assert hidden_logits(net, codes, mask).shape == (0, 64) and sum(asked) == 2
