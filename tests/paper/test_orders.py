"""Ways to decode: the paper's is the library's, and each keeps to its rule."""

import pytest
import torch

from vampkit import masks
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.paper import WAYS, Seen, decode, least, turns
from vampkit.paper.orders import moment, remasking
from vampkit.sampling import Settings, sample

CONFIG = ModelConfig(codebooks=3, layers=1, width=16, heads=2, entries=11, latent=4, dropout=0.0)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MaskedTransformer(CONFIG, torch.randn(3, 11, 4)).eval().requires_grad_(False)


@pytest.fixture
def codes():
    return torch.randint(0, 11, (3, 24), generator=torch.Generator().manual_seed(1))


MASK = masks.periodic(3, 24, 4)


@pytest.mark.parametrize("passes", [1, 2, 7, 12])
def test_confidence_is_the_sampling_loop(model, codes, passes):
    *_, last = sample(model, codes[None], MASK[None], [5], Settings(passes=passes))
    assert torch.equal(decode(model, codes, MASK, 5, passes, WAYS["confidence"]), last.codes[0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passes", [1, 2, 6, 100])
def test_what_is_given_stays_and_the_seed_decides(model, codes, way, passes):
    made = decode(model, codes, MASK, 5, passes, WAYS[way])
    assert torch.equal(made[~MASK], codes[~MASK])
    assert torch.equal(made, decode(model, codes, MASK, 5, passes, WAYS[way]))
    assert not torch.equal(made, decode(model, codes, MASK, 6, passes, WAYS[way]))


def test_least_hides_the_lowest_and_counts_frame_by_frame_among_equals():
    mask = torch.tensor([[True, True, False], [True, False, True]])
    hidden = least(torch.tensor([3.0, 1.0, 2.0, 0.5]), mask, 2)
    assert hidden.tolist() == [[False, True, False], [False, False, True]]
    assert least(torch.zeros(4), mask, 2).tolist() == [[True, False, False], [True, False, False]]


def test_turns_are_spread_out():
    """The first 1/8 of the frames lie 8 apart, and codebook 2 begins when a quarter of codebook 1 is done."""
    order = turns(2, 64, seed=3)
    first = order[0].argsort()[:8].sort().values
    assert (first.diff() == 8).all()
    assert sorted(order[0].tolist()) == [i / 64 for i in range(64)]
    assert torch.equal(order[1], order[0] + 0.25)
    assert not torch.equal(order, turns(2, 64, seed=4))


def seen(probabilities, mask, sure=None, count=1, seed=0):
    noise = torch.rand(2, *mask.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    sure = torch.ones(mask.shape) if sure is None else sure
    return Seen(probabilities, mask, torch.ones_like(mask), sure, noise, 0.5, count, seed)


def test_moment_has_the_joint_law_of_its_source():
    """One of three places is kept with probability W / sum W, its token drawn from p^beta / W."""
    p = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]])
    law = p.double() ** 2 / (p.double() ** 2).sum()
    found = torch.zeros(3, 2)
    for seed in range(20_000):
        tokens, left = moment(seen(p, torch.ones(1, 3, dtype=torch.bool), count=2, seed=seed), beta=2.0)
        place = int((~left[0]).nonzero())
        found[place, tokens[place]] += 1
    assert (found / 20_000 - law).abs().max() < 0.015


def test_remasking_takes_back_unlikely_tokens_more_often():
    mask = torch.zeros(1, 40, dtype=torch.bool)
    mask[:, :20] = True
    sure = torch.ones(1, 40)
    sure[:, 30:] = 0.001
    counts = torch.zeros(2)
    for seed in range(400):
        _, left = remasking(seen(torch.full((20, 2), 0.5), mask, sure, count=10, seed=seed), eta=0.5)
        assert int(left.sum()) == 10 and int(left[:, 20:].sum()) == 5
        counts += torch.stack([left[0, 20:30].sum(), left[0, 30:].sum()])
    assert counts[1] > 1.5 * counts[0]


def test_a_way_that_hides_what_was_given_is_refused(model, codes):
    with pytest.raises(ValueError, match="of them given"):
        decode(model, codes, MASK, 0, 4, lambda s: (s.drawn(), torch.ones_like(s.mask)))
