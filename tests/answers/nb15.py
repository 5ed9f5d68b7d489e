"""Answers to the tasks of notebook 15."""

import torch


def guided(said, other, guidance):
    pushed = said + guidance * (said - other)
    return torch.softmax(pushed, dim=-1)


def nearest(patches, table):
    return ((patches[:, None] - table[None]) ** 2).sum(-1).argmin(1)


def grown(hidden):
    wider = torch.zeros_like(hidden)
    for row, column in hidden.nonzero().tolist():
        wider[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = True
    return wider
