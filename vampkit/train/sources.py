"""The data of a masked model: token stores, pools that are made once in the cache, or a stream of composed pieces."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import cache_folder
from vampkit.train.pool import Pool, build_pool, composed_pool
from vampkit.train.store import TokenStore
from vampkit.train.stream import TokenStream
from vampkit.train.tokens import ExcerptStore, encode_pool
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
    """Prepare the data. Yields the codec, a pair of stores (real music, composed music), and held-out stores by name.

    The arguments are those of `train_masked`. device: "cpu" or "cuda". small: only four composed pieces, and two held
    out, to test the code. speeds: the speeds at which real music is used.

    If several processes train, the first one makes what is missing and the others wait. On GPUs they wait for at most
    ten minutes, so make large stores before the training, with `vampkit data build`. Raises VampkitError for a store of
    another codec.
    """
    from accelerate import PartialState

    codec = codec if isinstance(codec, Codec) else load_codec(codec)
    with contextlib.ExitStack() as stack:
        streamed = None
        if stream:  # each process of a training has its own seeds
            rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
            streamed = TokenStream(codec, stream, seconds=4.0 if small else 30.0, rank=rank, ranks=ranks)
            stack.enter_context(streamed)
        if store is not None:
            real, valid = TokenStore(store), {} if valid_store is None else {"held_out": TokenStore(valid_store)}
            for given in (real, *valid.values()):
                if given.codec != codec.hash:
                    raise VampkitError(
                        f"{given.folder} holds tokens of codec {given.codec[:8]}, {codec.hash[:8]} was expected; "
                        "build it with this codec"
                    )
            yield codec, (real, streamed), valid
            return
        with PartialState(cpu=device == "cpu").main_process_first():
            held_out = composed_pool(2 if small else 24, held_out=True, processes=processes)
            valid, real, made = {"composed": _encoded(held_out, codec)}, None, None
            if streamed is None:
                made = _encoded(composed_pool(4 if small else composed, processes=processes), codec)
            if music is not None:
                real = _encoded(build_pool(Path(music) / "train", speeds=speeds), codec)
                valid["real"] = _encoded(build_pool(Path(music) / "valid"), codec)
        yield codec, (real, streamed or made), valid


def _encoded(pool: Pool, codec: Codec) -> ExcerptStore:
    return encode_pool(pool, codec, cache_folder() / "tokens" / codec.hash / f"{pool.folder.name}.safetensors")
