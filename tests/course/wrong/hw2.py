"""Wrong answers to homework 2."""

import math

import torch


def beside_library(codebooks, frames, at, before, after):
    from vampkit.masks import windows

    return windows(codebooks, frames, at, before, after)


def beside_off(codebooks, frames, at, before, after):
    mask = torch.ones(codebooks, frames, dtype=torch.bool)
    for f in at:
        mask[:, max(0, f - before) : f + after + 1] = False
    return mask


def beside_axis(codebooks, frames, at, before, after):
    mask = torch.ones(codebooks, frames, dtype=torch.bool)
    for f in at:
        mask[max(0, f - before) : f + after] = False
    return mask


def only_library(mask, rows):
    from vampkit import masks

    return masks.only(mask, rows)


def only_off(mask, rows):
    found = torch.ones_like(mask)
    rows = [row - 1 for row in rows]
    found[rows] = mask[rows]
    return found


def only_axis(mask, rows):
    found = torch.ones_like(mask)
    found[:, rows] = mask[:, rows]
    return found


def runs_library(row):
    from vampkit import masks

    return masks.runs(row)


def runs_off(row):
    edges = torch.diff(row.int(), prepend=torch.zeros(1, dtype=torch.int32), append=torch.zeros(1, dtype=torch.int32))
    begins, ends = (edges == 1).nonzero()[:, 0].tolist(), (edges == -1).nonzero()[:, 0].tolist()
    return [(a, b - 1) for a, b in zip(begins, ends, strict=True)]


def runs_axis(row):
    edges = torch.diff(row.int(), prepend=torch.zeros(1, dtype=torch.int32), append=torch.zeros(1, dtype=torch.int32))
    return torch.stack([(edges == 1).nonzero()[:, 0], (edges == -1).nonzero()[:, 0]])


def left_library(hidden, passes):
    from vampkit.schedules import hidden_counts

    return hidden_counts(hidden, passes)


def left_off(hidden, passes):
    counts, now = [], hidden
    for i in range(passes):
        now = 0 if i == passes - 1 else max(1, min(now - 1, math.floor(hidden * math.cos(math.pi / 2 * i / passes))))
        counts.append(now)
    return counts


def left_axis(hidden, passes):
    counts, now = [], hidden
    for i in range(1, passes + 1):
        now = 0 if i == passes else max(1, min(now - 1, math.floor(passes * math.cos(math.pi / 2 * i / hidden))))
        counts.append(now)
    return counts


def ratios_library(uniform, order):
    from vampkit import schedules

    return schedules.cosine((order + uniform) / len(order))


def ratios_off(uniform, order):
    return torch.cos(math.pi / 2 * (order + 1 + uniform) / len(order))


def ratios_axis(uniform, order):
    return torch.cos(math.pi / 2 * (uniform[order] + torch.arange(len(order))) / len(order))


def dropped_library(mask, share, generator):
    import vampkit

    return vampkit.masks.dropout(mask, share, generator)


def dropped_off(mask, share, generator):
    kept = torch.nonzero((~mask).any(0))[:, 0]
    order, mask = torch.randperm(len(kept), generator=generator), mask.clone()
    mask[:, kept[order[: round(share * len(kept)) + 1]]] = True
    return mask


def dropped_axis(mask, share, generator):
    kept = torch.nonzero((~mask).any(1))[:, 0]
    order, mask = torch.randperm(len(kept), generator=generator), mask.clone()
    mask[kept[order[: round(share * len(kept))]]] = True
    return mask
