"""The pitched instruments by name: range, General MIDI program and settings of the sound, from instruments.toml."""

import tomllib
from pathlib import Path

INSTRUMENT_TABLE = tomllib.loads(Path(__file__).with_name("instruments.toml").read_text(encoding="utf-8"))
