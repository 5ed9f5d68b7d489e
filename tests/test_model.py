"""The model gives the reference's numbers, and starts as it should."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vampkit.model import MaskedTransformer, ModelConfig, relative_buckets
from vampkit.train import local_bias, start_local

FIXTURES = Path(__file__).parent / "fixtures"


def reference(name):
    """Model with the recorded weights, and the recorded arrays."""
    data = np.load(FIXTURES / f"{name}.npz")
    codebooks, conditioning = data["codes"].shape[1], 0 if "coarse" in name else 2
    config = ModelConfig(
        codebooks=codebooks, conditioning=conditioning, layers=2, width=64, heads=4, entries=32, dropout=0.0
    )
    model = MaskedTransformer(config, torch.from_numpy(data["codebooks"])[:codebooks])
    weights = {
        k[2:]: torch.from_numpy(np.asarray(data[k])) for k in data.files if k.startswith("w/") and "lora" not in k
    }
    model.load_state_dict(weights)  # strict: every name and shape is the reference's
    return model.eval(), data


def inputs(data):
    return torch.from_numpy(data["codes"].astype(np.int64)), torch.from_numpy(
        data["codes_masked"].astype(np.int64)
    ) == 32


@pytest.mark.parametrize("name", ["forward_coarse", "forward_c2f"])
def test_logits_agree_with_the_reference(name):
    model, data = reference(name)
    codes, mask = inputs(data)
    logits = model(codes, mask)
    flat = logits.permute(0, 3, 2, 1).flatten(2)  # entries, then frame by frame with the codebook fastest
    assert (flat - torch.from_numpy(data["logits"])).abs().max() < 1e-4
    first = model.config.conditioning
    alone = model(codes, mask, hidden_only=True)  # a product of fewer rows may round otherwise
    torch.testing.assert_close(alone, logits[mask[:, first:]], rtol=0, atol=1e-5)


@pytest.mark.parametrize("smoothing, key", [(0.0, "loss_plain"), (0.1, "loss_smooth")])
def test_losses_and_gradients_agree_with_the_reference(smoothing, key):
    model, data = reference("forward_coarse")
    recorded = np.load(FIXTURES / "grads_coarse.npz")
    codes, mask = inputs(data)
    loss = F.cross_entropy(model(codes, mask, hidden_only=True), codes[mask], label_smoothing=smoothing)
    assert float(loss.detach()) == pytest.approx(float(recorded[key]), abs=1e-5)
    if smoothing:
        loss.backward()
        for name, weight in model.named_parameters():
            assert np.abs(weight.grad.numpy() - recorded[f"g/{name}"]).max() < 1e-4, name


def test_layers_and_bias_agree_with_the_reference():
    model, data = reference("forward_coarse")
    codes, mask = inputs(data)
    bias = model.transformer.layers[0].self_attn.position_bias(150)[0].detach().numpy()
    assert (
        np.abs(bias[:, 0] - data["position_bias_row0"]).max() < 1e-6
        and np.abs(bias[:, -1] - data["position_bias_last"]).max() < 1e-6
    )
    x = model.embedding(codes, mask, model.tables)
    assert np.abs(x[:, :40].detach().numpy() - data["embedded"]).max() < 1e-5
    for layer, expected in zip(model.transformer.layers, data["layer_out_first40"], strict=True):
        x = layer(x, torch.from_numpy(bias)[None])
        assert np.abs(x[:, :40].detach().numpy() - expected).max() < 1e-4


def test_buckets_are_the_references():
    data = np.load(FIXTURES / "buckets.npz")
    assert np.array_equal(relative_buckets(torch.from_numpy(data["distance"]).long()).numpy(), data["bucket"])


def test_all_hidden_means_all_frames_alike():
    """Identical inputs make attention weights irrelevant, and places enter only through those."""
    model, data = reference("forward_coarse")
    logits = model(torch.zeros(1, 4, 50, dtype=torch.int64), torch.ones(1, 4, 50, dtype=torch.bool))
    assert (logits - logits[:, :, :1]).abs().max() < 1e-4


def test_hidden_codes_do_not_matter_and_kept_ones_do():
    model, data = reference("forward_coarse")
    codes, mask = inputs(data)
    other = torch.where(mask, (codes + 5) % 32, codes)
    assert torch.equal(model(codes, mask), model(other, mask))
    other = torch.where(mask, codes, (codes + 5) % 32)
    assert not torch.equal(model(codes, mask), model(other, mask))


def test_paper_sizes():
    """Parameters without adapters, as the reference code has them, counted without building them."""
    for codebooks, conditioning, layers, expected in ((4, 0, 20, 333_026_464), (14, 4, 16, 275_459_312)):
        config = ModelConfig(codebooks=codebooks, conditioning=conditioning, layers=layers, width=1280, heads=20)
        with torch.device("meta"):
            model = MaskedTransformer(config, torch.empty(codebooks, 1024, 8))
        assert sum(p.numel() for p in model.parameters()) == expected


def test_started_local():
    config = ModelConfig(layers=2, width=32, heads=4)
    tables = torch.randn(4, 1024, 8)
    tables[2, 7] = 3 * tables[2, 5]
    model = MaskedTransformer(config, tables)
    start_local(model, torch.Generator().manual_seed(0))
    codes, mask = torch.randint(1024, (2, 4, 20)), torch.rand(2, 4, 20) < 0.5
    logits = model(codes, mask)
    assert torch.allclose(logits[:, 2, :, 7], logits[:, 2, :, 5], atol=1e-5), "entries of one direction have one logit"
    assert not torch.allclose(logits[:, 1, :, 7], logits[:, 1, :, 5], atol=1e-1)
    first = float(F.cross_entropy(model(codes, mask, hidden_only=True), codes[mask]).detach())
    assert first < np.log(1024) + 2.5  # cosines of 2 at most, over 8 numbers: sure of nothing
    table = local_bias(config)
    ahead, back = relative_buckets(torch.tensor([3]))[0], relative_buckets(torch.tensor([-3]))[0]
    assert table[back, 0] > table[ahead, 0] and table[ahead, 1] > table[back, 1] and table[back, 2] == table[ahead, 2]
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(codes, mask, hidden_only=True), codes[mask])
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < np.log(1024) - 0.5, "residual outputs at zero must not keep it from learning"


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(width=10, heads=4), "width 10 and 4 heads were given, a width that the heads divide was expected"),
        (dict(codebooks=4, conditioning=4), "4 conditioning codebooks of 4"),
        (dict(conditioning=-1), "-1 conditioning codebooks"),
        (dict(layers=0), "layers is 0, at least 1 was expected"),
        (dict(buckets=2), "buckets is 2, at least 4"),
        (dict(max_distance=8), "max_distance is 8, at least 9"),
        (dict(dropout=1.0), "dropout is 1.0"),
    ],
)
def test_shapes_that_no_model_can_have_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        ModelConfig(**change)


def test_distances_from_91_on_share_a_bucket():
    """As the docstrings say of 32 buckets and 128."""
    buckets = relative_buckets(torch.arange(300)).tolist()
    assert buckets.index(buckets[-1]) == 91


def test_tables_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="expected"):
        MaskedTransformer(ModelConfig(), torch.randn(3, 1024, 8))
