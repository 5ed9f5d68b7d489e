"""Answers to the tasks of notebook 04."""


def masked_mean(logits, codes, mask):
    logs = logits.log_softmax(-1)
    return -logs.gather(-1, codes[..., None])[..., 0][mask].mean()


def rate(step, steps, warmup):
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, 2 * (steps - step) / steps)


def shares(sums, counts):
    return sums / counts.sum() * len(sums)
