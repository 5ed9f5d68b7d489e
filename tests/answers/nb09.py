"""Answers to the tasks of notebook 09."""

import math

import torch


def hidden(times, before, after, frames, rate):
    mask = torch.ones(frames, dtype=torch.bool)
    for t in times:
        at = math.ceil(t * rate)
        mask[max(0, at - math.ceil(before * rate)) : at + math.ceil(after * rate)] = False
    return mask


def snap(taps, onsets, reach):
    moved = set()
    for tap in taps:
        near = min(onsets, key=lambda onset: abs(onset - tap))
        moved.add(near if abs(near - tap) <= reach else tap)
    return sorted(moved)


def track(strength, period, tightness):
    score, before = [], []
    for t, value in enumerate(strength.tolist()):
        chains = [score[s] - tightness * math.log((t - s) / period) ** 2 for s in range(t)]
        best = max(range(t), key=chains.__getitem__, default=-1)
        if best >= 0 and chains[best] <= 0:
            best = -1
        score.append(value + (chains[best] if best >= 0 else 0))
        before.append(best)
    beats, at = [], score.index(max(score))
    while at >= 0:
        beats.append(at)
        at = before[at]
    return beats[::-1]
