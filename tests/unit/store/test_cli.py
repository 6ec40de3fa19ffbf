"""The corrections that `rejected replay` takes from its command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudstream.core.kafka import resend
from fraudstream.core.kafka.deliveries import Delivered
from fraudstream.core.kafka.resend import Correction, corrected
from fraudstream.store import cli


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Correction]:
    """What would have been sent back, corrected so; the broker takes everything."""
    corrections: list[Correction] = []

    def send_back(_settings: Any, ids: Sequence[str], correction: Correction) -> Delivered:
        corrections.append(correction)
        return Delivered(dict.fromkeys(ids, "transactions/0/1"), {})

    monkeypatch.setattr(resend, "send_back", send_back)
    return corrections


def replayed(*words: str) -> Any:
    return CliRunner().invoke(cli.app, ["replay", "transactions/0/7", *words])


@pytest.mark.parametrize(
    ("typed", "path", "event"),
    [
        ("source", ("source",), b'{"source":1}'),
        ("a=b", ("a=b",), b'{"a=b":1}'),
        ("/merchant/$id", ("merchant", "$id"), b'{"merchant":{"$id":1}}'),
        (r'"a\u0000b"', ("a\0b",), rb'{"a\u0000b":1}'),
        (r'"half \ud800"', ("half \ud800",), rb'{"half \ud800":1}'),
        (r'"\"quoted\""', ('"quoted"',), rb'{"\"quoted\"":1}'),
        ('"/not/inside"', ("/not/inside",), b'{"/not/inside":1}'),
    ],
)
def test_any_field_can_be_taken_away(asked: list[Correction], typed: str, path: tuple[str, ...], event: bytes) -> None:
    done = replayed("--unset", typed)
    assert done.exit_code == 0, done.output
    assert asked == [Correction({}, [path])]
    assert corrected(event, asked[0]) in (b"{}", b'{"merchant":{}}')


@pytest.mark.parametrize("typed", ["", '"', '"a', '"a"=1', '"a" ', "\udcff", '"\udcff"'])
def test_what_names_no_field_is_refused(asked: list[Correction], typed: str) -> None:
    done = replayed("--unset", typed)
    assert done.exit_code == 2
    assert "--unset" in done.output
    assert asked == []
