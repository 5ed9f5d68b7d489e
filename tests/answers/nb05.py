"""Answers to the tasks of notebook 05."""

import math

import torch


def freed(hidden, passes, schedule):
    counts, now = [], hidden
    for i in range(1, passes + 1):
        left = 0 if i == passes else max(1, min(now - 1, math.floor(hidden * schedule(i / passes))))
        counts.append(now - left)
        now = left
    return counts


def rank(confidence, counts):
    order = confidence.flatten(1).argsort(-1).argsort(-1)
    return (order < counts[:, None]).view_as(confidence)


def finish(ask, codes, mask, counts):
    codes, mask = codes.clone(), mask.clone()
    for left in counts:
        sure, guess = ask(codes, mask).softmax(-1).max(-1)
        codes[mask] = guess[mask]
        order = torch.where(mask, sure, torch.inf).flatten().argsort()
        mask = torch.zeros_like(mask)
        mask.view(-1)[order[:left]] = True
    return codes
