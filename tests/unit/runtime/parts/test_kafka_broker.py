"""What the broker is told, and that Java reads it as it was meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.runtime.parts import kafka_broker


def read_by_java(text: str) -> dict[str, str]:
    """A ``.properties`` file as ``java.util.Properties.load`` reads it, as far as ours use its syntax."""

    def unescaped(match: re.Match[str]) -> str:
        return chr(int(match[1][1:], 16)) if match[1].startswith("u") else match[1]

    lines = text.encode("ascii").decode("latin-1").splitlines()
    pairs = (re.sub(r"\\(u[0-9a-f]{4}|.)", unescaped, line).partition("=") for line in lines)
    return {name: value.encode("utf-16", "surrogatepass").decode("utf-16") for name, _, value in pairs}


@pytest.mark.parametrize(
    "value",
    ["/données/José", "C:\\data\\new", "50%25 #1!", "q\"r's", "日本 🙂", "a=b:c", "line\nend\ttab", "  spaces  "],
)
def test_a_value_is_read_back_as_it_was(value: str) -> None:
    text = kafka_broker.properties_text({"log.dirs": value.strip(" ")})
    assert read_by_java(text) == {"log.dirs": value.strip(" ")}


def test_no_folders_name_is_written_where_a_comma_would_part_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "Doe, Jane")
    part = kafka_broker.part(settings)
    assert part.cwd == tmp_path / "Doe, Jane" / "kafka"
    assert not [word for word in part.command if "Doe" in word and not word.startswith("-Djava.io.tmpdir")]
    assert "Doe" not in kafka_broker.properties_text(kafka_broker.server_properties(settings))
