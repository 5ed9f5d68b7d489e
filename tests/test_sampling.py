"""The loop: the reference's runs token for token, and what must hold for every run."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.test_model import reference
from vampkit import sampling, schedules
from vampkit.sampling import Settings, draw, sample, step

FIXTURES = Path(__file__).parent / "fixtures"
GREEDY = [("loop_coarse", c) for c in ("greedy_1step", "greedy_inpaint", "greedy_prompt", "greedy_batch2")] + [
    ("loop_c2f", "greedy_2step"),
    ("loop_c2f", "greedy_8step"),
]
SAMPLED = [
    ("loop_coarse", "sampled_seed7", Settings(8, 0.9)),
    ("loop_coarse", "sampled_topp_cutoff_seed8", Settings(8, 1.0, top_p=0.8, cutoff=0.5)),
    ("loop_c2f", "sampled_2step_seed9", Settings(2)),
]


def recorded(loop, case):
    model, _ = reference(loop.replace("loop", "forward"))
    data = np.load(FIXTURES / f"{loop}.npz")
    run = {k.split("/")[1]: data[k] for k in data.files if k.startswith(case + "/")}
    codes, mask = torch.from_numpy(run["start"].astype(np.int64)), torch.from_numpy(run["start_mask"].astype(bool))
    mask[:, : model.config.conditioning] = False
    return model, run, torch.where(mask, torch.zeros_like(codes), codes), mask


def grid(array, model):
    """[batch, frames * codebooks] as recorded -> [batch, codebooks, frames]."""
    return torch.from_numpy(np.asarray(array)).unflatten(1, (-1, model.config.predicted)).transpose(1, 2)


@pytest.mark.parametrize("loop, case", GREEDY)
def test_greedy_runs_token_for_token(loop, case):
    model, run, codes, mask = recorded(loop, case)
    passes = len(run["codes_in"])
    steps = list(
        sample(model, codes, mask, [0] * len(codes), Settings(passes, mask_temperature=0.0, cutoff=-1.0, count="batch"))
    )
    for made, fed in zip(steps[:-1], run["codes_in"][1:], strict=True):
        assert torch.equal(torch.where(made.mask, 32, made.codes), torch.from_numpy(fed.astype(np.int64)))
    assert np.array_equal(steps[-1].codes.numpy(), run["out"])


def test_one_item_counts_alike_both_ways_and_two_do_not():
    model, run, codes, mask = recorded("loop_coarse", "greedy_batch2")
    settings = dict(passes=12, mask_temperature=0.0, cutoff=-1.0)
    for count in ("item", "batch"):
        hidden = [int(s.mask[0].sum()) for s in sample(model, codes, mask, [0, 0], Settings(count=count, **settings))]
        start = int(mask[0].sum())
        expected = schedules.hidden_counts(start, 12) if count == "item" else [start - 1 - i for i in range(7)]
        assert hidden[: len(expected)] == expected, count


@pytest.mark.parametrize("loop, case, settings", SAMPLED)
def test_sampled_runs_replayed_from_their_draws(loop, case, settings):
    model, run, codes, mask = recorded(loop, case)
    start, first = mask.flatten(1).sum(1), model.config.conditioning
    for index, fed in enumerate(run["codes_in"]):
        assert torch.equal(torch.where(mask, 32, codes), torch.from_numpy(fed.astype(np.int64)))
        hidden = mask[:, first:]
        tokens, gumbel = (
            grid(run["sampled"][index].astype(np.int64), model)[hidden],
            grid(run["gumbel"][index], model)[hidden],
        )
        with torch.no_grad():
            done = step(
                codes, mask, model(codes, mask, hidden_only=True), gumbel, gumbel, start, index, settings, tokens=tokens
            )
        expected = grid(run["prob"][index], model)[hidden]
        assert (done.probabilities.gather(1, tokens[:, None])[:, 0] - expected).abs().max() < 1e-4
        assert torch.equal(done.mask[:, first:], grid(run["mask_out"][index], model).bool())
        codes, mask = done.codes, done.mask
    assert np.array_equal(codes.numpy(), run["out"]) and not mask.any()


def test_filters_agree_with_the_reference():
    data, tried = np.load(FIXTURES / "filters.npz"), 0
    logits = torch.from_numpy(data["logits_in"])
    for key in data.files:
        amount = re.findall(r"[\d.]+", key)
        if key.startswith("top_k"):
            kept = sampling.top_k(logits, int(amount[0]))
        elif key.startswith("top_p"):
            kept = sampling.top_p(logits, float(amount[0]))
        elif key.startswith("typical"):
            kept = sampling.typical(logits, float(amount[0]), int(amount[1]))
        else:
            assert key == "logits_in"
            continue
        tried += 1
        assert np.array_equal(torch.isinf(kept).numpy(), np.isinf(data[key])), key
        assert torch.equal(kept[~kept.isinf()], logits[~kept.isinf()]), "what stays, stays as it was"
    assert tried == len(data.files) - 1 == 10


P = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05])
"""Entropy 1.39 nats; surprises 0.92, 1.20, 1.90, 2.30, 3.00, so distances from it 0.48, 0.19, 0.50, 0.91, 1.60."""


@pytest.mark.parametrize(
    "limit, amount, stays",
    [
        (sampling.top_k, 1, [0]),
        (sampling.top_k, 3, [0, 1, 2]),
        (sampling.top_k, 9, [0, 1, 2, 3, 4]),
        (sampling.top_p, 0.1, [0]),
        (sampling.top_p, 0.6, [0, 1]),
        (sampling.top_p, 0.8, [0, 1, 2]),
        (sampling.top_p, 1.0, [0, 1, 2, 3, 4]),
        (sampling.min_p, 1.0, [0]),
        (sampling.min_p, 0.3, [0, 1, 2]),
        (sampling.min_p, 0.2, [0, 1, 2, 3]),
        (sampling.min_p, 0.1, [0, 1, 2, 3, 4]),
        (sampling.typical, 0.2, [1]),
        (sampling.typical, 0.5, [0, 1]),
        (sampling.typical, 0.8, [0, 1, 2]),
        (sampling.typical, 1.0, [0, 1, 2, 3, 4]),
    ],
)
def test_filters_on_a_known_distribution(limit, amount, stays):
    order = torch.tensor([3, 0, 4, 2, 1])
    for shift in (0.0, 7.5):  # logits are known up to a constant
        kept = limit((P.log() + shift)[order][None], amount)[0]
        assert sorted(order[kept.isfinite()].tolist()) == stays
    renewed = kept.softmax(-1)[kept.isfinite()]
    assert torch.allclose(renewed, P[order][kept.isfinite()] / P[stays].sum())


def test_ties_stay_and_minus_infinity_stays_out():
    even = torch.zeros(1, 4)
    assert all(
        limit(even, amount).isfinite().all()
        for limit, amount in ((sampling.top_k, 2), (sampling.min_p, 1.0), (sampling.typical, 0.1))
    )
    some = torch.tensor([[0.0, float("-inf"), 0.0, -1.0]])
    for limit, amount in ((sampling.top_k, 3), (sampling.top_p, 1.0), (sampling.min_p, 0.01), (sampling.typical, 0.99)):
        kept = limit(some, amount)[0]
        assert not kept.isnan().any() and kept[1] == float("-inf") and kept[0].isfinite()


def test_temperature_and_order_of_the_filters():
    """Filters see the logits as they are; the temperature sharpens what they leave."""
    found = sampling.distribution(P.log()[None], Settings(temperature=0.5, top_k=2))[0]
    assert found.tolist() == pytest.approx([0.64, 0.36, 0, 0, 0])
    assert torch.allclose(sampling.distribution(P.log()[None], Settings(temperature=0.0))[0], P), "0 is no temperature"
    both = sampling.distribution(P.log()[None], Settings(top_p=0.6, min_p=0.3, typical=0.95))[0]
    assert both.nonzero()[:, 0].tolist() == [0, 1]


def test_annealing_of_the_mask_temperature():
    """The noise on the confidences is the schedule's share of its temperature, pass by pass."""
    codes, mask = torch.zeros(1, 2, 8, dtype=torch.int64), torch.ones(1, 2, 8, dtype=torch.bool)
    flat, noise, start = torch.zeros(16, 4), torch.linspace(-1, 1, 16, dtype=torch.float64), torch.tensor([16])
    shares = {"linear": 0.75, "cosine": 0.9239, "square": 0.9375, "root": 0.5, "constant": 1.0}
    assert set(shares) <= set(sampling.ANNEALINGS)
    for name, share in shares.items():
        done = step(
            codes, mask, flat, noise.clamp(0, 0.99), noise, start, 0, Settings(4, mask_temperature=8.0, annealing=name)
        )
        added = done.confidence[mask] - np.log(0.25)
        assert torch.allclose(added, (8 * share * noise).to(added.dtype), atol=2e-3), name


def test_controls_reach_the_draws():
    """Whatever else is set, top_k=1 draws the likeliest entry."""
    codes, mask = torch.zeros(1, 4, 30, dtype=torch.int64), torch.ones(1, 4, 30, dtype=torch.bool)
    answer = Oracle()(codes, mask).argmax(-1)
    for limit in (dict(top_k=1), dict(top_p=0.01), dict(min_p=1.0)):
        *_, last = sample(Vague(), codes, mask, [1], Settings(passes=3, temperature=5.0, **limit))
        assert torch.equal(last.codes[mask], answer), limit
    *_, free = sample(Vague(), codes, mask, [1], Settings(passes=3, temperature=5.0))
    assert not torch.equal(free.codes[mask], answer)


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_the_mask_schedule_decides_how_many_stay_hidden(task, name):
    codes, mask = task
    steps = list(sample(Even(), codes, mask, [1, 2, 3], Settings(passes=7, schedule=name)))
    for item in range(3):
        expected = schedules.hidden_counts(int(mask[item].sum()), 7, schedules.SCHEDULES[name])
        assert [int(s.mask[item].sum()) for s in steps] == expected


def test_draws_follow_the_distribution():
    p = torch.tensor([0.5, 0.25, 0.125, 0.125])
    n = 40_000
    found = torch.bincount(
        draw(p.expand(n, 4), torch.rand(n, generator=torch.Generator().manual_seed(1), dtype=torch.float64)),
        minlength=4,
    )
    chi = float(((found - n * p) ** 2 / (n * p)).sum())
    assert chi < 16.3, "three degrees of freedom: exceeded once in a thousand"
    assert draw(torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([0.0], dtype=torch.float64)).tolist() == [1]


class Oracle(torch.nn.Module):
    """Knows the answer: entry (3 k + t) mod 16 with near certainty."""

    def __init__(self, conditioning=0):
        super().__init__()
        from vampkit.model import ModelConfig

        self.config = ModelConfig(codebooks=4, conditioning=conditioning, entries=16)

    def forward(self, codes, mask, hidden_only=True, circular=False):
        k, t = torch.meshgrid(torch.arange(4), torch.arange(codes.shape[-1]), indexing="ij")
        return torch.nn.functional.one_hot(((3 * k + t) % 16).expand(codes.shape)[mask], 16).float() * 40


@pytest.fixture
def task():
    generator = torch.Generator().manual_seed(4)
    return torch.randint(16, (3, 4, 30), generator=generator), torch.rand(3, 4, 30, generator=generator) < torch.tensor(
        [0.2, 0.6, 1.0]
    )[:, None, None]


def test_an_oracle_is_followed(task):
    codes, mask = task
    *_, last = sample(Oracle(), codes, mask, [1, 2, 3], Settings(passes=5))
    k, t = torch.meshgrid(torch.arange(4), torch.arange(30), indexing="ij")
    assert (
        torch.equal(last.codes, torch.where(mask, ((3 * k + t) % 16).expand(3, 4, 30), codes)) and not last.mask.any()
    )


class Vague(Oracle):
    """Suspects the answer."""

    def forward(self, codes, mask, hidden_only=True, circular=False):
        return super().forward(codes, mask) / 40


class Even(Oracle):
    """Knows nothing."""

    def forward(self, codes, mask, hidden_only=True, circular=False):
        return super().forward(codes, mask) * 0


@pytest.mark.parametrize("passes", [1, 2, 7, 36])
def test_what_holds_for_every_run(task, passes):
    codes, mask = task
    before = mask
    steps = list(sample(Even(), codes, mask, [1, 2, 3], Settings(passes=passes), keep_probabilities=True))
    assert [s.index for s in steps] == list(range(passes))
    for s in steps:
        assert torch.equal(s.codes[~mask], codes[~mask]), "a prompt token changed"
        assert torch.equal(s.guessed, before) and not (s.mask & ~before).any(), "a kept token was hidden again"
        assert s.probabilities.shape == (int(before.sum()), 16)
        before = s.mask
    for item in range(3):
        assert [int(s.mask[item].sum()) for s in steps] == schedules.hidden_counts(int(mask[item].sum()), passes)


def test_a_batch_equals_its_singles(task):
    codes, mask = task
    *_, together = sample(Even(), codes, mask, [7, 8, 9], Settings(passes=6))
    for item, seed in enumerate((7, 8, 9)):
        *_, alone = sample(Even(), codes[item : item + 1], mask[item : item + 1], [seed], Settings(passes=6))
        assert torch.equal(alone.codes[0], together.codes[item])
    *_, other = sample(Even(), codes, mask, [7, 8, 10], Settings(passes=6))
    assert torch.equal(other.codes[:2], together.codes[:2]) and not torch.equal(other.codes[2], together.codes[2])


def test_conditioning_is_never_hidden(task):
    codes, _ = task
    *_, last = sample(
        Oracle(conditioning=2), codes, torch.ones_like(codes, dtype=torch.bool), [1, 2, 3], Settings(passes=3)
    )
    assert torch.equal(last.codes[:, :2], codes[:, :2])


def test_nothing_hidden_is_nothing_done(task):
    codes, mask = task
    *_, last = sample(Even(), codes, torch.zeros_like(mask), [1, 2, 3], Settings(passes=3))
    assert torch.equal(last.codes, codes)


@pytest.mark.parametrize(
    "change, error, words",
    [
        (dict(passes=0), ValueError, "passes"),
        (dict(passes=2.5), ValueError, "passes"),
        (dict(temperature=-1.0), ValueError, "temperature"),
        (dict(top_p=0.0), ValueError, "top_p"),
        (dict(count="all"), ValueError, "count"),
        (dict(top_k=0), ValueError, "top_k"),
        (dict(top_k=1.5), ValueError, "top_k"),
        (dict(min_p=0.0), ValueError, "min_p"),
        (dict(typical=1.1), ValueError, "typical"),
        (dict(schedule="steep"), ValueError, "schedule is 'steep', one of cosine"),
        (dict(temperature=None), ValueError, "temperature is None, a number of 0 or more"),
        (dict(temperature=float("nan")), ValueError, "temperature is nan"),
        (dict(mask_temperature=float("nan")), ValueError, "mask_temperature is nan"),
        (dict(cutoff=float("nan")), ValueError, "cutoff is nan"),
        (dict(top_p="much"), ValueError, "top_p is 'much'"),
        (dict(schedule=["cosine"]), ValueError, "schedule is"),
        (dict(annealing="steep"), ValueError, "annealing is 'steep', one of linear"),
        (dict(seeds=[1]), ValueError, "seeds"),
        (dict(seeds=1), TypeError, "seeds is 1, a list"),
        (dict(seeds=[1, 2, 3.5]), TypeError, "whole number per item"),
        (dict(seeds=[1, 2, 2**70]), TypeError, "whole number per item"),
        (dict(codes=np.zeros((3, 4, 30), np.int64)), TypeError, "codes of type ndarray"),
        (dict(mask=torch.ones(3, 4, 29, dtype=torch.bool)), ValueError, "shape"),
        (dict(mask=torch.ones(3, 4, 30)), TypeError, "bool"),
        (dict(codes=torch.zeros(3, 5, 30, dtype=torch.int64)), ValueError, "shape"),
        (dict(codes=torch.zeros(3, 4, 30)), TypeError, "int64"),
        (dict(codes=torch.full((3, 4, 30), 16)), ValueError, "0 to 15"),
    ],
)
def test_bad_input_is_refused_before_the_first_pass(task, change, error, words):
    given = dict(codes=task[0], mask=task[1], seeds=[1, 2, 3])
    chosen = {name: value for name, value in change.items() if name not in given}
    given |= {name: value for name, value in change.items() if name in given}
    with pytest.raises(error, match=words):
        sample(Even(), **given, settings=Settings(**chosen))


def test_numbers_of_numpy_are_settings_and_seeds_too(task):
    codes, mask = task
    plain = Settings(passes=3, temperature=0.5, top_k=7)
    numpy = Settings(passes=np.int64(3), temperature=np.float32(0.5), top_k=np.int32(7))
    *_, one = sample(Even(), codes, mask, [1, 2, 3], plain)
    *_, other = sample(Even(), codes, mask, np.array([1, 2, 3]), numpy)
    assert plain == numpy and torch.equal(one.codes, other.codes)


@pytest.mark.parametrize(
    "limit", [lambda x: sampling.top_k(x, 0), lambda x: sampling.min_p(x, 0), lambda x: sampling.min_p(x, 2)]
)
def test_a_filter_refuses_what_it_cannot_keep(limit):
    with pytest.raises(ValueError, match="was expected"):
        limit(torch.randn(2, 8))


def test_gumbel_noise_orders_by_softmax():
    """Adding Gumbel noise to log p and taking the largest draws from p: how the ranking is to be understood."""
    n, logits = 30_000, torch.log(torch.tensor([0.6, 0.3, 0.1]))
    u = torch.rand(n, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first = (logits - torch.log(-torch.log(u))).argmax(1)
    assert (torch.bincount(first, minlength=3) / n - torch.tensor([0.6, 0.3, 0.1])).abs().max() < 0.01
    assert sampling.hide_again(torch.tensor([[[0.3, 0.1], [0.2, float("inf")]]]), torch.tensor([2])).tolist() == [
        [[False, True], [True, False]]
    ]


def test_typical_leaves_at_least_so_many_tokens():
    logits = torch.randn(5, 64, generator=torch.Generator().manual_seed(0)) * 5
    for least in (1, 7, 30):
        kept = (sampling.distribution(logits, Settings(typical=0.01, typical_min_tokens=least)) > 0).sum(-1)
        assert kept.min() >= least and (least == 1 or kept.max() <= least + 1)
    with pytest.raises(ValueError, match="typical_min_tokens"):
        Settings(typical_min_tokens=0)
