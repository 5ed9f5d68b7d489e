"""Answers to the tasks of notebook 12."""


def adapted(weight, a, b, alpha):
    rank = a.shape[0]
    return weight + alpha / rank * b @ a


def size(layers, width, rank):
    attention = 3 * rank * (width + width)
    feed_forward = rank * (width + 4 * width) + rank * (2 * width + width)
    return layers * (attention + feed_forward)


def held_out(minutes, share):
    have, kept = 0.0, [False] * len(minutes)
    for track in reversed(range(len(minutes))):
        if have >= share * minutes.sum():
            break
        kept[track] = True
        have += minutes[track]
    return kept
