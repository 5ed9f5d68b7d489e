"""Other ways to decode a masked model: which tokens are drawn, and which of them stay after a pass.

A way is a function of what a pass sees (`Seen`). It returns a token for each hidden place, and what is hidden after the
pass. `decode` is the loop around it; with `confidence` it does what `sampling.sample` does. Notebook: 11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vampkit import schedules
from vampkit.sampling import draw, hidden_logits

NOISE = 10.5
"""Scale of the noise on the confidences, as in the reference code."""
LATER = 0.25
"""In the spread-out order each codebook begins this part of a turn after the one before it."""


@dataclass(frozen=True)
class Seen:
    """What a way of decoding sees in one pass.

    Notebook: 11

    Parameters
    ----------
    probabilities : Float[Tensor, "hidden entries"]
        What the model says of each hidden token, in the order of codes[mask].
    mask : Bool[Tensor, "codebooks frames"]
        What is hidden before the pass.
    made : Bool[Tensor, "codebooks frames"]
        What was hidden at the start. All else was given, and must stay.
    sure : Float[Tensor, "codebooks frames"]
        The probability with which each token was drawn in an earlier pass; 1 where none was.
    noise : Float[Tensor, "two codebooks frames"]
        Random numbers in [0, 1), new ones in each pass: to draw tokens, and to choose among them.
    ratio : float
        Fraction of the passes that is done after this one.
    count : int
        How many tokens are to be hidden after this pass.
    seed : int
        The seed of the run, for what stays the same in all passes.
    """

    probabilities: Float[Tensor, "hidden entries"]
    mask: Bool[Tensor, "codebooks frames"]
    made: Bool[Tensor, "codebooks frames"]
    sure: Float[Tensor, "codebooks frames"]
    noise: Float[Tensor, "two codebooks frames"]
    ratio: float
    count: int
    seed: int

    @property
    def gumbel(self) -> Float[Tensor, " hidden"]:
        """Gumbel noise for the hidden tokens."""
        return gumbel(self.noise[1][self.mask])

    @property
    def annealed(self) -> Float[Tensor, " hidden"]:
        """The noise at the scale of the reference code, which falls to 0 as passes are done."""
        return NOISE * (1 - self.ratio) * self.gumbel

    def drawn(self) -> Int[Tensor, " hidden"]:
        """Draw a token for each hidden place from what the model says.

        Returns
        -------
        Tensor
            int64 [hidden].
        """
        return draw(self.probabilities, self.noise[0][self.mask])


Way = Callable[[Seen], tuple[Tensor, Tensor]]
"""A function that returns the tokens, int64 [hidden], and what is hidden afterwards, bool [codebooks, frames]."""


def gumbel(uniform: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Turn random numbers in [0, 1) into Gumbel noise.

    Notebook: 11

    Parameters
    ----------
    uniform : Tensor
        Random numbers [..].

    Returns
    -------
    Tensor
        The noise, of the same shape [..].
    """
    return -torch.log(-torch.log(uniform.clamp(min=1e-20)))


def decode(
    model: nn.Module,
    codes: Int[Tensor, "codebooks frames"],
    mask: Bool[Tensor, "codebooks frames"],
    seed: int,
    passes: int,
    way: Way,
) -> Int[Tensor, "codebooks frames"]:
    """Fill in what the mask hides, pass by pass, in a way of your own.

    Notebook: 11

    Parameters
    ----------
    model : MaskedTransformer
        The model, without conditioning codebooks.
    codes : Tensor
        int64 [codebooks, frames]; values at hidden places are ignored.
    mask : Tensor
        bool [codebooks, frames], True = hidden.
    seed : int
        Seed of the run.
    passes : int
        How often the model is called.
    way : Way
        Draws tokens and says which stay.

    Returns
    -------
    Tensor
        int64 [codebooks, frames].

    Raises
    ------
    ValueError
        If the way leaves more or fewer tokens hidden than it should, or hides what was given.
    """
    generator, made = torch.Generator().manual_seed(int(seed)), mask
    codes, sure = codes.masked_fill(mask, 0), torch.ones(mask.shape, dtype=torch.float64)
    for index in range(passes):
        noise = torch.rand(2, *codes.shape, generator=generator, dtype=torch.float64)
        with torch.inference_mode():
            probabilities = hidden_logits(model, codes[None], mask[None]).softmax(-1)
        ratio, now = (index + 1) / passes, int(mask.sum())
        count = 0 if index + 1 == passes else schedules.remaining(now, int(made.sum()), ratio)
        tokens, left = way(Seen(probabilities, mask, made, sure, noise, ratio, count, seed))
        codes, sure = codes.clone(), sure.clone()
        codes[mask] = tokens
        sure[mask] = probabilities.gather(-1, tokens[:, None])[:, 0].double()
        if int(left.sum()) != count or bool((left & ~made).any()):
            raise ValueError(
                f"the way leaves {int(left.sum())} tokens hidden, {int((left & ~made).sum())} of them given; {count} "
                "that were hidden at the start were expected"
            )
        mask = left
    return codes


def least(score: Float[Tensor, " hidden"], mask: Tensor, count: int) -> Bool[Tensor, "codebooks frames"]:
    """Hide the `count` hidden tokens with the lowest scores again; among equals the earlier frame.

    Notebook: 11

    Parameters
    ----------
    score : Tensor
        A score for each hidden token, in the order of codes[mask].
    mask : Tensor
        bool [codebooks, frames], what is hidden now.
    count : int
        How many stay hidden.

    Returns
    -------
    Tensor
        bool [codebooks, frames].
    """
    whole = torch.full(mask.shape, float("inf"), dtype=torch.float64)
    whole[mask] = score.double()
    chosen = whole.T.flatten().argsort(stable=True)[:count]  # frame by frame, as in the reference code
    hidden = torch.zeros(mask.numel(), dtype=torch.bool)
    hidden[chosen] = True
    return hidden.view(mask.shape[1], mask.shape[0]).T.contiguous()


def confidence(seen: Seen) -> tuple[Tensor, Tensor]:
    """Keep what was drawn with the highest probability, with noise that falls to 0: the paper's way (section 3.3).

    Notebook: 11

    Parameters
    ----------
    seen : Seen
        What the pass sees.

    Returns
    -------
    tuple of Tensor
        Tokens [hidden], and what is hidden afterwards [codebooks, frames].
    """
    tokens = seen.drawn()
    log_p = seen.probabilities.gather(-1, tokens[:, None])[:, 0].log()
    return tokens, least(log_p + seen.annealed, seen.mask, seen.count)


def at_random(seen: Seen) -> tuple[Tensor, Tensor]:
    """Keep tokens by chance alone.

    Notebook: 11

    Parameters
    ----------
    seen : Seen
        What the pass sees.

    Returns
    -------
    tuple of Tensor
        Tokens [hidden], and what is hidden afterwards [codebooks, frames].
    """
    return seen.drawn(), least(seen.gumbel, seen.mask, seen.count)


def margin(seen: Seen) -> tuple[Tensor, Tensor]:
    """Keep where the likeliest entry is furthest ahead of the second, with the noise of `confidence`.

    The token is drawn all the same; only the order changes. Source: Kim et al. 2025, arXiv 2502.06768.

    Notebook: 11

    Parameters
    ----------
    seen : Seen
        What the pass sees.

    Returns
    -------
    tuple of Tensor
        Tokens [hidden], and what is hidden afterwards [codebooks, frames].
    """
    first, second = seen.probabilities.topk(2, -1).values.unbind(-1)
    return seen.drawn(), least((first - second).clamp(min=1e-9).log() + seen.annealed, seen.mask, seen.count)


def moment(seen: Seen, beta: float = 1.2) -> tuple[Tensor, Tensor]:
    """Choose the places first, by W = sum of p^beta, then draw the tokens from p^beta / W.

    It is what ranking by confidence amounts to; the lower temperature that is hidden in that, 1 / beta, is said openly.
    Source: arXiv 2510.04525.

    Notebook: 11

    Parameters
    ----------
    seen : Seen
        What the pass sees.
    beta : float
        1 is a random order and the model's own distribution; more is surer.

    Returns
    -------
    tuple of Tensor
        Tokens [hidden], and what is hidden afterwards [codebooks, frames].
    """
    raised = seen.probabilities.double() ** beta
    weight = raised.sum(-1)
    tokens = draw(raised / weight[:, None], seen.noise[0][seen.mask])
    return tokens, least(weight.log() + seen.gumbel, seen.mask, seen.count)


def turns(codebooks: int, frames: int, seed: int) -> Float[Tensor, "codebooks frames"]:
    """Say when each token's turn comes in the spread-out order: neighbours far apart, coarse codebooks first.

    The frames follow the van der Corput sequence: number them in binary and read the digits backwards. The seed turns
    the sequence. Source: Halton orders for images, Besnier et al. 2025, arXiv 2503.17076; one axis is ours.

    Notebook: 11

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns.
    seed : int
        Where the sequence begins.

    Returns
    -------
    Tensor
        float64 [codebooks, frames]; low ones come first.
    """
    digits = max(1, (frames - 1).bit_length())
    size = 2**digits
    start = int(torch.randint(size, (1,), generator=torch.Generator().manual_seed(int(seed))))
    place = (torch.arange(frames) + start) % size
    turned = sum(((place >> d) & 1) << (digits - 1 - d) for d in range(digits)) / size
    return turned.double() + LATER * torch.arange(codebooks)[:, None]


def spread(seen: Seen) -> tuple[Tensor, Tensor]:
    """Keep tokens in the spread-out order, whatever their probability.

    Notebook: 11

    Parameters
    ----------
    seen : Seen
        What the pass sees.

    Returns
    -------
    tuple of Tensor
        Tokens [hidden], and what is hidden afterwards [codebooks, frames].
    """
    return seen.drawn(), least(-turns(*seen.mask.shape, seen.seed)[seen.mask], seen.mask, seen.count)


def hybrid(seen: Seen) -> tuple[Tensor, Tensor]:
    """Keep half of what a pass keeps in the spread-out order, the other half by confidence.

    Notebook: 11

    Parameters
    ----------
    seen : Seen
        What the pass sees.

    Returns
    -------
    tuple of Tensor
        Tokens [hidden], and what is hidden afterwards [codebooks, frames].
    """
    kept = int(seen.mask.sum()) - seen.count
    tokens, after = spread(replace(seen, count=seen.count + kept // 2))
    log_p = seen.probabilities.gather(-1, tokens[:, None])[:, 0].log()
    return tokens, least((log_p + seen.annealed)[after[seen.mask]], after, seen.count)


def remasking(seen: Seen, eta: float = 0.1) -> tuple[Tensor, Tensor]:
    """Take back some of the tokens made earlier, so that they can be drawn anew; a random order otherwise.

    A share `eta` of what is hidden after a pass was made before it and is hidden again; unlikely tokens are taken back
    more often. Source: ReMDM, arXiv 2503.00307, with the total of "rescale" and the weights of "conf".

    Notebook: 11

    Parameters
    ----------
    seen : Seen
        What the pass sees.
    eta : float
        From 0, nothing is taken back.

    Returns
    -------
    tuple of Tensor
        Tokens [hidden], and what is hidden afterwards [codebooks, frames].
    """
    earlier = seen.made & ~seen.mask
    # What is left of the hidden tokens must not be negative after it.
    back = min(round(eta * seen.count), int(earlier.sum()), seen.count)
    score = seen.sure[earlier] - gumbel(seen.noise[1][earlier])
    return seen.drawn(), least(score, earlier, back) | least(seen.gumbel, seen.mask, seen.count - back)


WAYS: dict[str, Way] = {
    "confidence": confidence,
    "random": at_random,
    "spread": spread,
    "hybrid": hybrid,
    "moment": partial(moment, beta=1.2),
    "margin": margin,
    "remasking": remasking,
}
"""The ways that notebook 11 compares."""
