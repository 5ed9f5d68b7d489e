"""What the paper's experiments keep."""

import pytest
import torch

from vampkit.codec import Tokens
from vampkit.paper import nominal_rate, prompts, token_noise, true_rate


@pytest.fixture
def tokens():
    codes = torch.randint(0, 1024, (14, 575), generator=torch.Generator().manual_seed(0))
    return Tokens(codes, "c", 44_100, 768, 1024, 441_000, 44_100)


def test_prompts_keep_what_the_paper_says(tokens):
    found = prompts(tokens, beats=[0.0, 1.0, 5.0])
    kept = {name: int((~mask).any(0).sum()) for name, mask in found.items()}
    assert kept["P = 16"] == 36 and kept["context 1 s"] == 58 and kept["context 2 s"] == 116
    assert kept["compression"] == kept["fine alone"] == 575
    assert kept["beats"] == 3 * 4
    assert kept["beats by the code"] == 2 * 6, "the reference code loses a window that starts before frame 0"
    fine = {name: bool(mask[4:].all()) for name, mask in found.items()}
    assert fine.pop("P = 16, fine kept") is False and all(fine.values())
    assert torch.equal(found["P = 16, fine kept"][:4], found["P = 16"][:4])
    assert (~found["compression"]).sum(1).tolist() == [575] + [0] * 13


@pytest.mark.parametrize(
    "kept, period, rate", [(4, 1, 800), (1, 1, 615), (4, 4, 200), (4, 8, 100), (4, 16, 50), (4, 32, 25)]
)
def test_nominal_rates_are_the_labels_of_figure_5(kept, period, rate):
    assert round(nominal_rate(kept, period)) == rate


def test_true_rates_count_bits(tokens):
    found = prompts(tokens)
    assert round(true_rate(found["fine alone"], tokens)) == 2297
    assert round(true_rate(found["compression"], tokens)) == 574
    assert round(true_rate(found["P = 16"], tokens)) == 144


def test_token_noise_replaces_the_share_that_is_asked_for(tokens):
    assert torch.equal(token_noise(tokens, 0.0, 1).codes, tokens.codes)
    changed = (token_noise(tokens, 0.5, 1).codes != tokens.codes).float().mean()
    assert 0.48 < changed < 0.52
    assert torch.equal(token_noise(tokens, 0.5, 1).codes, token_noise(tokens, 0.5, 1).codes)
