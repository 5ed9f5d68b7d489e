"""Addresses that open a notebook on Binder and Colab. They need to know where the repository is public."""

from __future__ import annotations

import os


def repository() -> str:
    """The repository as "owner/name"; empty where none is known. A public workflow sets GITHUB_REPOSITORY."""
    return os.environ.get("GITHUB_REPOSITORY", "")
