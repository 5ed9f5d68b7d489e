"""Answers to the tasks of notebook 11."""

import torch


def judged(low, high, least, most):
    answers = torch.zeros(len(low), dtype=torch.long)
    answers[(low > least) & (high < most)] = 1
    answers[(high < least) | (low > most)] = -1
    return answers


def delay(codes):
    codebooks, frames = codes.shape
    return torch.stack(
        [torch.cat([torch.full((k,), -1), row, torch.full((codebooks - 1 - k,), -1)]) for k, row in enumerate(codes)]
    )


def spread(digits):
    return [int(f"{n:0{digits}b}"[::-1], 2) for n in range(2**digits)]
