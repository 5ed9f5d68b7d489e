"""Wrong answers to homework 4."""

import torch


def drawn_library(p, uniform):
    from vampkit.sampling import draw

    return draw(p, uniform)


def drawn_off(p, uniform):
    return ((p.double().cumsum(-1) <= uniform[:, None]).sum(-1) + 1).clamp(max=p.shape[1] - 1)


def drawn_axis(p, uniform):
    return (p.double().cumsum(0) <= uniform[:, None]).sum(1).clamp(max=p.shape[1] - 1)


def nucleus_library(logits, amount):
    from vampkit import sampling

    return sampling.top_p(logits, amount)


def nucleus_off(logits, amount):
    ordered, order = logits.sort(-1, descending=True)
    outside = ordered.softmax(-1).cumsum(-1) > amount
    return logits.masked_fill(outside.scatter(-1, order, outside), float("-inf"))


def nucleus_axis(logits, amount):
    ordered, order = logits.sort(0, descending=True)
    p = ordered.softmax(0)
    outside = p.cumsum(0) - p > amount
    return logits.masked_fill(outside.scatter(0, order, outside), float("-inf"))


def sure_library(p, guess, mask, gumbel, noise, done):
    from vampkit.sampling import Settings, step

    passes = 1000
    settings = Settings(passes=passes, mask_temperature=noise)
    codes, start = torch.zeros(1, *mask.shape, dtype=torch.int64), mask.sum()[None]
    index = round(done * passes) - 1
    return step(codes, mask[None], p.log(), gumbel, gumbel, start, index, settings, tokens=guess).confidence[0]


def sure_off(p, guess, mask, gumbel, noise, done):
    confidence = torch.full(mask.shape, torch.inf)
    confidence[mask] = p[torch.arange(len(p)), guess - 1].log() + noise * (1 - done) * gumbel
    return confidence


def sure_axis(p, guess, mask, gumbel, noise, done):
    confidence = torch.full(mask.T.shape, torch.inf)
    confidence[mask.T] = p[torch.arange(len(p)), guess].log() + noise * (1 - done) * gumbel
    return confidence.T


def again_library(confidence, count):
    from vampkit import sampling

    return sampling.hide_again(confidence[None], torch.tensor([count]))[0]


def again_off(confidence, count):
    found = torch.zeros(confidence.numel(), dtype=torch.bool)
    found[confidence.flatten().argsort()[: count - 1]] = True
    return found.view_as(confidence)


def again_axis(confidence, count):
    ranks = confidence.argsort(0).argsort(0)
    return (ranks < count) & confidence.isfinite()


def vamped_library(ask, codes, mask, counts, uniform, gumbel, noise):
    from vampkit.sampling import draw, hide_again

    codes = codes.clone()
    for i, count in enumerate(counts):
        p = ask(codes, mask)[mask]
        codes[mask] = draw(p, uniform[i][mask])
        confidence = torch.full(mask.shape, torch.inf)
        chosen = p[torch.arange(len(p)), codes[mask]].log()
        confidence[mask] = chosen + noise * (1 - (i + 1) / len(counts)) * gumbel[i][mask]
        mask = hide_again(confidence[None], torch.tensor([count]))[0]
    return codes


def vamped_off(ask, codes, mask, counts, uniform, gumbel, noise):
    codes = codes.clone()
    for i, count in enumerate(counts):
        p = ask(codes, mask)
        guess = (p.double().cumsum(-1) <= uniform[i - 1][..., None]).sum(-1).clamp(max=p.shape[-1] - 1)
        codes[mask] = guess[mask]
        chosen = p.gather(-1, codes[..., None])[..., 0].log()
        confidence = torch.where(mask, chosen + noise * (1 - i / len(counts)) * gumbel[i], torch.inf)
        mask = torch.zeros_like(mask)
        mask.view(-1)[confidence.flatten().argsort()[:count]] = True
    return codes


def vamped_axis(ask, codes, mask, counts, uniform, gumbel, noise):
    codes = codes.clone()
    for i, count in enumerate(counts):
        p = ask(codes, mask)
        guess = (p.double().cumsum(-1) <= uniform[i][..., None]).sum(-1).clamp(max=p.shape[-1] - 1)
        codes[mask] = guess[mask]
        chosen = p.gather(-1, codes[..., None])[..., 0].log()
        confidence = torch.where(mask, chosen + noise * (1 - (i + 1) / len(counts)) * gumbel[i], torch.inf)
        share = -(-count // len(codes))  # row by row
        mask = (confidence.argsort(1).argsort(1) < share) & mask
    return codes
