"""Wrong answers to homework 3."""

import math

import torch


def normed_library(x, weight):
    return torch.nn.functional.rms_norm(x, x.shape[-1:], weight, 1e-6)


def normed_off(x, weight):
    return x / (x.square().sum(-1, keepdim=True) / (x.shape[1] - 1) + 1e-6).sqrt() * weight


def normed_axis(x, weight):
    return x / (x.square().mean(0, keepdim=True) + 1e-6).sqrt() * weight


def buckets_library(distance, count, most):
    from vampkit.model import relative_buckets

    return relative_buckets(distance, count, most)


def buckets_off(distance, count, most):
    side, away = count // 2, distance.abs()
    exact = side // 2
    far = exact + (torch.log(away.clamp(min=1).float() / exact) / math.log(most / exact) * (side - exact)).long()
    return side * (distance >= 0).long() + torch.where(away < exact, away, far.clamp(max=side - 1))


def buckets_axis(distance, count, most):
    side, away = count // 2, distance.abs()
    exact = side // 2
    far = exact + (torch.log(away.clamp(min=1).float() / exact) / math.log(most / exact) * (side - exact)).long()
    return side * (distance < 0).long() + torch.where(away < exact, away, far.clamp(max=side - 1))


def attended_library(q, k, v, bias):
    return torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], bias[None])[0]


def attended_off(q, k, v, bias):
    return (q @ k.transpose(1, 2) / (q.shape[-1] - 1) ** 0.5 + bias).softmax(-1) @ v


def attended_axis(q, k, v, bias):
    return (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5 + bias).softmax(1) @ v


def embedded_library(codes, mask, tables, unknown):
    from vampkit.model import Embedding, ModelConfig

    codebooks, entries, dims = tables.shape
    size = codebooks * dims
    part = Embedding(ModelConfig(codebooks=codebooks, entries=entries, latent=dims, width=size, heads=1))
    part.special["MASK"].data, part.out_proj.bias.data = unknown, torch.zeros(size)
    part.out_proj.weight.data = torch.eye(size)[..., None]
    return part(codes[None], mask[None], tables)[0]


def embedded_off(codes, mask, tables, unknown):
    rows = [torch.where(m[:, None], u, t[c - 1]) for c, m, t, u in zip(codes, mask, tables, unknown, strict=True)]
    return torch.cat(rows, 1)


def embedded_axis(codes, mask, tables, unknown):
    rows = [torch.where(m[:, None], u, t[c]) for c, m, t, u in zip(codes, mask, tables, unknown, strict=True)]
    return torch.stack(rows, 2).flatten(1)


def gated_library(x, first, second):
    from vampkit.model import FeedForward, ModelConfig

    part = FeedForward(ModelConfig(width=x.shape[1], heads=1)).eval()
    part.w_1.weight.data, part.w_2.weight.data = first, second
    return part(x)


def gated_off(x, first, second):
    values, gate = (x @ first.T).chunk(2, -1)
    return (values * torch.nn.functional.gelu(gate.roll(1, -1), approximate="tanh")) @ second.T


def gated_axis(x, first, second):
    values, gate = (x @ first.T).unflatten(-1, (-1, 2)).unbind(-1)
    return (values * torch.nn.functional.gelu(gate, approximate="tanh")) @ second.T


def smoothed_library(logits, codes, mask, amount):
    return torch.nn.functional.cross_entropy(logits[mask], codes[mask], label_smoothing=amount)


def smoothed_off(logits, codes, mask, amount):
    logs = logits.log_softmax(-1)
    true = logs.gather(-1, codes[..., None])[..., 0]
    return -((1 - amount) * true + amount * logs.sum(-1) / (logits.shape[-1] - 1))[mask].mean()


def smoothed_axis(logits, codes, mask, amount):
    logs = logits.log_softmax(1)
    true = logs.gather(-1, codes[..., None])[..., 0]
    return -((1 - amount) * true + amount * logs.mean(-1))[mask].mean()
