"""What a masked model is trained and checked on.

Stores that are given, or pools made once in the cache, and a stream of composed pieces. Notebook: 12.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.train.pool import build_pool, compose_pool
from vampkit.train.store import TokenStore
from vampkit.train.stream import TokenStream
from vampkit.train.tokens import Store, encode_pool
from vampkit.weights import load_codec


@contextlib.contextmanager
def sources(
    codec: str | os.PathLike | Codec,
    device: str,
    music: str | os.PathLike | None = None,
    composed: int = 1500,
    store: str | os.PathLike | None = None,
    valid_store: str | os.PathLike | None = None,
    stream: int = 0,
    processes: int = 1,
    small: bool = False,
    speeds: tuple[float, ...] = (1.0,),
) -> Iterator[tuple[Codec, tuple, dict]]:
    """The codec, the stores of real and of composed music, and held-out stores by name.

    Arguments: those of `vampkit.train.masked.train`.

    device: "cpu" or "cuda". small: four composed pieces and two held out, to prove the code. speeds: at which real
    music is heard. Where several processes train, the first makes what is missing and the others wait (on GPUs ten
    minutes at most, so make large stores before, with `vampkit data build`). Raises VampkitError for a store of another
    codec.
    """
    from accelerate import PartialState

    codec = codec if isinstance(codec, Codec) else load_codec(codec)
    with contextlib.ExitStack() as stack:
        streamed = None
        if stream:  # each process of a training has a share of the seeds
            rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
            streamed = stack.enter_context(
                TokenStream(codec, stream, seconds=4.0 if small else 30.0, rank=rank, ranks=ranks)
            )
        if store is not None:
            real, valid = TokenStore(store), {} if valid_store is None else {"held_out": TokenStore(valid_store)}
            for given in (real, *valid.values()):
                if given.codec != codec.hash:
                    raise VampkitError(
                        f"{given.folder} holds tokens of codec {given.codec[:8]}, {codec.hash[:8]} was expected; build it with this codec"
                    )
            yield codec, (real, streamed), valid
            return
        with PartialState(cpu=device == "cpu").main_process_first():
            real, made, valid = _pools(
                codec, music, 4 if small else composed, 2 if small else 24, streamed is None, processes, speeds
            )
        yield codec, (real, streamed or made), valid


def _pools(
    codec: Codec,
    music: str | os.PathLike | None,
    composed: int,
    held_out: int,
    compose: bool,
    processes: int,
    speeds: tuple[float, ...],
) -> tuple[Store | None, Store | None, dict[str, Store]]:
    """Real and composed tokens to train on, and held-out ones, from pools in the cache."""
    from vampkit.files import cache_folder

    pools, stores = cache_folder() / "pools", cache_folder() / "tokens" / codec.hash

    def made(seeds: range, folder: str) -> Store:
        return encode_pool(
            compose_pool(seeds, pools / folder, processes=processes), codec, stores / f"{folder}.safetensors"
        )

    def recorded(split: str, speeds: tuple[float, ...] = (1.0,)) -> Store:
        pool = build_pool(Path(music) / split, speeds=speeds)
        return encode_pool(pool, codec, stores / f"{pool.folder.name}.safetensors")

    valid = {"composed": made(range(1_000_000, 1_000_000 + held_out), f"training-genres-valid-{held_out}")}
    mine = made(range(composed), f"training-genres-{composed}") if compose else None
    real = None
    if music is not None:
        real, valid["real"] = recorded("train", speeds), recorded("valid")
    return real, mine, valid
