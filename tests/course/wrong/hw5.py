"""Wrong answers to homework 5."""

import math

import numpy as np
import torch


def tempo_library(beats):
    from vampkit.prompts.beats import BeatGrid

    return BeatGrid(beats).tempo


def tempo_off(beats):
    return 60 * len(beats) / (beats[-1] - beats[0])


def tempo_axis(beats):
    return 60 * float(torch.tensor(beats).diff().median())


def upbeats_library(beats, downbeats):
    from vampkit.prompts.beats import BeatGrid

    return BeatGrid(beats, downbeats).times("up")


def upbeats_off(beats, downbeats):
    return [b for b in beats[1:] if all(abs(b - d) >= 0.05 for d in downbeats)]


def upbeats_axis(beats, downbeats):
    return [d for d in downbeats if all(abs(b - d) >= 0.05 for b in beats)]


def gap_library(codebooks, frames, rate, start, end, keep):
    from vampkit import masks

    hole = masks.gap(codebooks, frames, math.floor(start * rate), math.ceil(end * rate))
    return hole & masks.codebooks(codebooks, frames, keep)


def gap_off(codebooks, frames, rate, start, end, keep):
    mask = torch.zeros(codebooks, frames, dtype=torch.bool)
    mask[keep:, math.floor(start * rate) : math.floor(end * rate)] = True
    return mask


def gap_axis(codebooks, frames, rate, start, end, keep):
    mask = torch.zeros(codebooks, frames, dtype=torch.bool)
    mask[:keep, math.floor(start * rate) : math.ceil(end * rate)] = True
    return mask


def strength_library(level):
    import librosa

    return librosa.onset.onset_strength(S=level.numpy(), lag=1, detrend=False, center=False)


def strength_off(level):
    return torch.relu(torch.diff(level, dim=1, append=level[:, -1:])).mean(0)


def strength_axis(level):
    return torch.relu(torch.diff(level, dim=1, prepend=level[:, :1])).mean(1)


def clicks_library(times, samples, rate, click):
    import librosa

    return librosa.clicks(times=np.array(times), sr=rate, click=click.numpy(), length=samples)


def clicks_off(times, samples, rate, click):
    sound = torch.zeros(samples)
    for t in times:
        at = int(t * rate) + 1
        sound[at : at + len(click)] += click[: samples - at]
    return sound


def clicks_axis(times, samples, rate, click):
    sound = torch.zeros(samples)
    for t in times:
        at = min(samples - 1, int(t * samples))  # the length for the rate
        sound[at : at + len(click)] += click[: samples - at]
    return sound


def f_measure_library(true, found, reach):
    import mir_eval

    return mir_eval.beat.f_measure(np.array(true), np.array(found), f_measure_threshold=reach)


def f_measure_off(true, found, reach):
    rest, count = list(found), 0
    for t in true:
        near = [f for f in rest if abs(f - t) <= reach]
        if near:
            rest.remove(near[0])
            count += 1
    return 2 * (count + 1) / (len(true) + len(found))


def f_measure_axis(true, found, reach):
    rest, count = list(found), 0
    for t in true:
        near = [f for f in rest if abs(f - t) <= reach]
        if near:
            rest.remove(near[0])
            count += 1
    return count / len(found)
