"""Answers to the tasks of notebook 10."""

import math


def states(moves):
    done, undone, drawn, shown = [0], [], 0, []
    for move in moves:
        if move == "d":
            drawn += 1
            done.append(drawn)
            undone.clear()
        elif move == "u" and len(done) > 1:
            undone.append(done.pop())
        elif move == "r" and undone:
            done.append(undone.pop())
        shown.append(done[-1])
    return shown


def chance(right, trials):
    return sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2**trials


def until_bar(now, bars, start, end):
    inside = [bar for bar in bars if now < bar < end]
    return (inside[0] if inside else end) - now
