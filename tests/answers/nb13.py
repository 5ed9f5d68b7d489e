"""Answers to the tasks of notebook 13."""


def avoided(wrong, constant):
    return (constant.sum() - wrong.sum()) / constant.sum()


def together(pieces, sounds):
    pieces, sounds = pieces.tolist(), sounds.tolist()
    number = [None] * len(pieces)
    for first in range(len(pieces)):
        if number[first] is not None:
            continue
        new, waiting = 1 + max([n for n in number if n is not None], default=-1), [first]
        while waiting:
            at = waiting.pop()
            if number[at] is None:
                number[at] = new
                waiting += [i for i in range(len(pieces)) if pieces[i] == pieces[at] or sounds[i] == sounds[at]]
    return number


def erased(states, way):
    unit = way / way.norm()
    return states - (states @ unit)[:, None] * unit
