"""Wrong answers to homework 1. Each stands alone, as it is put into a notebook that has imported math and torch."""

import math

import torch


def bitrate_library(codebooks, entries, rate, hop):
    from vampkit.codec import Tokens

    codes = torch.zeros(codebooks, 4, dtype=torch.int64)
    part = Tokens(codes, "none", rate=rate, hop=hop, entries=entries, length=4 * hop, source_rate=rate)
    return part.bits_per_second


def bitrate_off(codebooks, entries, rate, hop):
    return (codebooks + 1) * math.log2(entries) * rate / hop


def bitrate_axis(codebooks, entries, rate, hop):
    return codebooks * math.log2(entries) * hop / rate


def nearest_library(vectors, table):
    from vampkit.codec.descript import dac

    quantizer = dac.nn.quantize.VectorQuantize(table.shape[1], *table.shape)
    quantizer.codebook.weight.data = table
    return quantizer.decode_latents(vectors.T[None])[1][0]


def nearest_off(vectors, table):
    return (vectors @ torch.nn.functional.normalize(table).T).argmax(1) + 1


def nearest_axis(vectors, table):
    return (vectors @ torch.nn.functional.normalize(table).T).argmax(0)


def residual_library(vectors, tables):
    from vampkit.codec.descript import dac

    codes = []
    for table in tables:
        quantizer = dac.nn.quantize.VectorQuantize(table.shape[1], *table.shape)
        quantizer.codebook.weight.data = table
        codes.append(quantizer.decode_latents(vectors.T[None])[1][0])
        vectors = vectors - table[codes[-1]]
    return torch.stack(codes)


def residual_off(vectors, tables):
    codes, left = [], vectors
    for i, table in enumerate(tables):
        codes.append((left @ torch.nn.functional.normalize(table).T).argmax(1))
        left = left - tables[i - 1][codes[-1]]  # the table before
    return torch.stack(codes)


def residual_axis(vectors, tables):
    codes, left = [], vectors
    for table in tables:
        codes.append((left @ torch.nn.functional.normalize(table).T).argmax(1))
        left = left - table[codes[-1]]
    return torch.stack(codes, 1)


def summed_library(codes, tables, stages):
    from vampkit.codec.descript import dac

    total = torch.zeros(codes.shape[1], tables.shape[2])
    for row, table in zip(codes[:stages], tables, strict=False):
        quantizer = dac.nn.quantize.VectorQuantize(table.shape[1], *table.shape)
        quantizer.codebook.weight.data = table
        total = total + quantizer.decode_code(row[None])[0].T
    return total.detach()


def summed_off(codes, tables, stages):
    return sum(tables[k][codes[k]] for k in range(stages + 1))


def summed_axis(codes, tables, stages):
    total = torch.zeros(codes.shape[1], tables.shape[2])
    for row, table in zip(codes[:stages], tables, strict=False):
        total = total + table[row]
    return total.T


def entropy_library(codes, entries):
    from vampkit.metrics import perplexity

    return perplexity(codes, entries).log2()


def entropy_off(codes, entries):
    bits = []
    for row in codes:
        share = torch.bincount(row, minlength=entries) / (len(row) - 1)
        share = share[share > 0]
        bits.append(-(share * share.log2()).sum())
    return torch.stack(bits)


def entropy_axis(codes, entries):
    bits = []
    for column in codes.T:
        share = torch.bincount(column, minlength=entries) / len(column)
        share = share[share > 0]
        bits.append(-(share * share.log2()).sum())
    return torch.stack(bits)


def si_sdr_library(original, decoded):
    from vampkit import metrics

    return metrics.si_sdr(original, decoded)


def si_sdr_off(original, decoded):
    x, y = (s.double()[1:] - s.double()[:-1] for s in (original, decoded))
    target = (x @ y) / (x @ x) * x
    return 10 * torch.log10((target @ target) / ((y - target) @ (y - target)))


def si_sdr_axis(original, decoded):
    x, y = original.double(), decoded.double()
    x, y = x - x.mean(), y - y.mean()
    target = (x @ y) / (y @ y) * x
    return 10 * torch.log10((target @ target) / ((y - target) @ (y - target)))
