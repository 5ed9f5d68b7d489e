"""The autoregressive baseline."""

import pytest
import torch

from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.paper import Cache, CausalTransformer, continued, delayed, undelayed

CONFIG = ModelConfig(codebooks=3, layers=2, width=16, heads=2, entries=11, latent=4, dropout=0.0)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CausalTransformer(CONFIG, torch.randn(3, 11, 4)).eval()


@pytest.fixture
def codes():
    return torch.randint(0, 11, (2, 3, 9), generator=torch.Generator().manual_seed(1))


def test_the_pattern_moves_each_codebook_by_its_number_and_back(codes):
    rows = delayed(codes)
    assert rows.shape == (2, 3, 11)
    assert rows[0, 2, :2].tolist() == [-1, -1] and rows[0, 2, 2] == codes[0, 2, 0]
    assert (rows == -1).sum() == 2 * 3 * 2
    assert torch.equal(undelayed(rows), codes)


@pytest.mark.parametrize("codebook, frame", [(0, 0), (0, 5), (1, 4), (2, 8)])
def test_a_token_is_predicted_from_earlier_ones_alone(model, codes, codebook, frame):
    """Changing one token changes no logits of tokens in its step or before it, and some of those after it."""
    changed = codes.clone()
    changed[:, codebook, frame] = (changed[:, codebook, frame] + 1) % 11
    mask = torch.ones_like(codes, dtype=torch.bool)
    moved = (model(codes, mask) - model(changed, mask)).abs().amax(-1)[0] > 1e-6
    step = torch.arange(9) + torch.arange(3)[:, None]
    assert not moved[step <= codebook + frame].any()
    if codebook + frame < 10:
        assert moved[step > codebook + frame].any()


def test_hidden_only_gives_the_marked_logits_in_the_order_of_the_codes(model, codes):
    mask = torch.rand(codes.shape, generator=torch.Generator().manual_seed(2)) < 0.5
    torch.testing.assert_close(model(codes, mask, hidden_only=True), model(codes, mask)[mask])


def test_the_cache_changes_nothing(model, codes):
    rows = delayed(codes)
    cache = Cache(model, 2, rows.shape[2])
    with torch.no_grad():
        whole = model.advance(rows)
        parts = [model.advance(part, cache) for part in rows.split((4, 1, 1, 5), 2)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=1e-4)


def test_it_has_the_masked_models_weights(model):
    masked = MaskedTransformer(CONFIG, model.tables)
    masked.load_state_dict(model.state_dict())


def test_continued_keeps_the_start_and_follows_its_seeds(model, codes):
    made = continued(model, codes, 6, [3, 4])
    assert made.shape == (2, 3, 15) and torch.equal(made[:, :, :9], codes)
    assert torch.equal(made, continued(model, codes, 6, [3, 4]))
    assert torch.equal(made[1:], continued(model, codes[1:], 6, [4]))
    assert not torch.equal(made, continued(model, codes, 6, [5, 6]))
    assert continued(model, codes[:, :, :0], 4, [0, 1]).shape == (2, 3, 4)


def test_continued_draws_what_the_model_says(model, codes):
    """Nearly greedy: each new token is the likeliest one, given all that was drawn before it."""
    made = continued(model, codes, 6, [3, 4], temperature=1e-6)
    likeliest = model(made, torch.ones_like(made, dtype=torch.bool)).argmax(-1)
    assert torch.equal(made[:, :, 9:], likeliest[:, :, 9:])


def test_a_circle_is_refused(model, codes):
    with pytest.raises(ValueError, match="no first frame"):
        model(codes, codes == 0, circular=True)
