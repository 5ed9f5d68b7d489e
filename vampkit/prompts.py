"""Prompts: what is kept of a sound, as small objects that make masks.

`a | b` keeps what either keeps, `a & b` what both keep, `~a` what a does not keep. A prompt prints as the Python that makes it again.
Paper: section 3.4. Notebook: 02.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vampkit import masks
from vampkit.tokens import Tokens


class Prompt:
    """What all prompts share: the algebra, and the rate of what they keep."""

    def mask(self, tokens: Tokens) -> Tensor:
        """What the prompt hides of these tokens, bool [codebooks, frames], True = hidden."""
        raise NotImplementedError

    def __or__(self, other: Prompt) -> Prompt:
        return Either(self, other)

    def __and__(self, other: Prompt) -> Prompt:
        return Both(self, other)

    def __invert__(self) -> Prompt:
        return Opposite(self)

    def bits_per_second(self, tokens: Tokens) -> float:
        """Rate of the tokens kept: bits of all codes times the share that is not hidden."""
        return tokens.bits_per_second * float((~self.mask(tokens)).float().mean())


@dataclass(frozen=True)
class Compression(Prompt):
    """Keeps the first `codebooks` codebooks whole."""

    codebooks: int = 1

    def mask(self, tokens: Tokens) -> Tensor:
        return masks.codebooks(tokens.codebooks, tokens.frames, self.codebooks)


@dataclass(frozen=True)
class Periodic(Prompt):
    """Keeps `width` frames around every `period`-th frame, from frame `offset` on; all their codebooks."""

    period: int = 7
    width: int = 1
    offset: int = 0

    def mask(self, tokens: Tokens) -> Tensor:
        return masks.periodic(tokens.codebooks, tokens.frames, self.period, self.width, self.offset)


@dataclass(frozen=True)
class Prefix(Prompt):
    """Keeps the first `seconds`; what comes after is continued."""

    seconds: float

    def mask(self, tokens: Tokens) -> Tensor:
        return masks.prefix(tokens.codebooks, tokens.frames, _frames(self, tokens))


@dataclass(frozen=True)
class Suffix(Prompt):
    """Keeps the last `seconds`; what comes before is led up to them."""

    seconds: float

    def mask(self, tokens: Tokens) -> Tensor:
        return masks.suffix(tokens.codebooks, tokens.frames, _frames(self, tokens))


@dataclass(frozen=True)
class Everything(Prompt):
    """Keeps everything: nothing is generated."""

    def mask(self, tokens: Tokens) -> Tensor:
        return masks.empty(tokens.codebooks, tokens.frames)


@dataclass(frozen=True)
class Nothing(Prompt):
    """Keeps nothing: free generation."""

    def mask(self, tokens: Tokens) -> Tensor:
        return masks.full(tokens.codebooks, tokens.frames)


@dataclass(frozen=True, repr=False)
class Either(Prompt):
    """Keeps what a or b keeps."""

    a: Prompt
    b: Prompt

    def mask(self, tokens: Tokens) -> Tensor:
        return self.a.mask(tokens) & self.b.mask(tokens)

    def __repr__(self) -> str:
        return f"({self.a!r} | {self.b!r})"


@dataclass(frozen=True, repr=False)
class Both(Prompt):
    """Keeps what a and b keep."""

    a: Prompt
    b: Prompt

    def mask(self, tokens: Tokens) -> Tensor:
        return self.a.mask(tokens) | self.b.mask(tokens)

    def __repr__(self) -> str:
        return f"({self.a!r} & {self.b!r})"


@dataclass(frozen=True, repr=False)
class Opposite(Prompt):
    """Keeps what a does not keep."""

    a: Prompt

    def mask(self, tokens: Tokens) -> Tensor:
        return ~self.a.mask(tokens)

    def __repr__(self) -> str:
        return f"~{self.a!r}"


def _frames(prompt: Prefix | Suffix, tokens: Tokens) -> int:
    if not 0 <= prompt.seconds <= tokens.seconds + 1e-9:
        raise ValueError(f"{prompt!r} keeps {prompt.seconds} s, the sound lasts {tokens.seconds:.2f} s; keep 0 to {tokens.seconds:.2f} s")
    return min(tokens.frames, tokens.frames_of(prompt.seconds))
