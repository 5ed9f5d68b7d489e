"""The demo writes what README promises."""

import json

from vampkit.audio import Clip
from vampkit.cli import demo


def test_demo_writes_sounds_summary_and_picture(tmp_path, capsys):
    summary = demo.run(tmp_path, clip="01", seconds=1.5)
    names = ["input", "codec", "compression", "periodic", "prefix", "suffix", "sparse", "follow"]
    assert [row["name"] for row in summary["rows"]] == names
    for name in names:
        assert abs(Clip.load(tmp_path / f"{name}.wav").seconds - 1.5) < 0.01
    records = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("sparse", "follow")]
    assert records[0]["prompt"] == records[1]["prompt"] and ["follow" in record for record in records] == [False, True]
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert (tmp_path / "demo.png").stat().st_size > 20_000 and "periodic" in capsys.readouterr().out
