"""The composer's tables beside this file."""

import tomllib
from pathlib import Path
from typing import Any


def table(name: str) -> dict[str, Any]:
    """Read NAME.toml."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


INSTRUMENT_TABLE = table("instruments")
"""Settings of the instruments by name."""
