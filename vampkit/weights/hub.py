"""The published VampNet on the Hugging Face hub: its files, fetched once, and its fine-tunes by name.

The files lie in one folder of the cache, under the names that they have in the repository. So they can be put there by
hand as well.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from vampkit.errors import VampkitError
from vampkit.weights.download import cached, download

NAME = "vampnet"
"""Name of the published models and their codec in `load_vamp` and `load_codec`."""

REPOSITORY = "hugggof/vampnet"


def folder() -> Path:
    """The folder of the published files, in the cache.

    Returns
    -------
    Path
        The folder, which may not exist yet.
    """
    return cached(NAME)


def fetched(file: str) -> Path:
    """Fetch one of the published files once, and check its hash if the hub gives it.

    The address of the hub is $HF_ENDPOINT, or https://huggingface.co.

    Parameters
    ----------
    file : str
        Its path in the repository, such as "coarse.pth".

    Returns
    -------
    Path
        The file in the cache.

    Raises
    ------
    VampkitError
        If it cannot be fetched; the message says where to put it by hand.
    """
    path = folder() / file
    if path.is_file():
        return path
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(REPOSITORY, file, endpoint=_endpoint())
    try:
        _online()
        about = get_hf_file_metadata(url, timeout=20, retry_on_errors=False)
    except Exception as error:  # of httpx, of the hub, of the network
        raise VampkitError(
            f"{file} of VampNet could not be fetched from {url} ({_reason(error)}); go online and try again, or put "
            f"the file at {path} by hand"
        ) from None
    etag = (about.etag or "").strip('"')
    return download(url, path, digest=etag if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", etag) else "")


def finetunes() -> list[str]:
    """List the published fine-tunes. Each is loaded by `load_vamp("vampnet/NAME")`.

    Without a network, those in the cache are listed.

    Notebook: 03

    Returns
    -------
    list of str
        Their names.

    Raises
    ------
    VampkitError
        If the hub cannot be reached and there are none in the cache.
    """
    from huggingface_hub import HfApi

    here = {path.parent.name for path in folder().glob("loras/*/coarse.pth")}
    try:
        _online()
        about = HfApi(endpoint=_endpoint()).model_info(REPOSITORY, timeout=20)
    except Exception as error:
        if here:
            return sorted(here)
        raise VampkitError(
            f"the list of VampNet's fine-tunes could not be fetched ({_reason(error)}); go online and try again, or "
            f"put their files at {folder() / 'loras' / 'NAME'} by hand"
        ) from None
    names = (re.fullmatch(r"loras/([^/]+)/coarse\.pth", file.rfilename) for file in about.siblings or [])
    return sorted(here | {found[1] for found in names if found})


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _online() -> None:
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise OSError("HF_HUB_OFFLINE is set")


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
