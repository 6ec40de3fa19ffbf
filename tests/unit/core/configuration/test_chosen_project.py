"""Which project is in force, and what every entry says of one that cannot be run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.core.configuration.chosen_project import project_in_force

ENTRIES = [
    *([sys.executable, "-m", f"fraudstream.{part}"] for part in ("stream", "scoring", "dashboards")),
    *([sys.executable, "-m", "fraudstream.runtime", *words.split()] for words in ("up", "generate live --count 1")),
]


def test_the_environment_comes_before_dotenv(monkeypatch: pytest.MonkeyPatch) -> None:
    assert project_in_force() == "payments"
    Path(".env").write_text("FRAUDSTREAM_PROJECT=./mine\n")
    assert project_in_force() == "./mine"
    monkeypatch.setenv("FRAUDSTREAM_PROJECT", "/elsewhere")
    assert project_in_force() == "/elsewhere"


@pytest.mark.parametrize("entry", ENTRIES, ids=[" ".join(words[2:]) for words in ENTRIES])
def test_a_project_that_cannot_be_run_ends_every_entry_with_one_line(entry: list[str], tmp_path: Path) -> None:
    (tmp_path / "fraudstream.toml").write_text("[event\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FRAUDSTREAM_")}
    done = subprocess.run(
        entry,
        env=kept | {"FRAUDSTREAM_PROJECT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = done.stderr + done.stdout
    assert done.returncode == 2, output
    assert f"{tmp_path / 'fraudstream.toml'} is not TOML: " in output
    assert "Traceback" not in output
    assert len(output.strip().splitlines()) == 1
