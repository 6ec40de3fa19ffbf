"""The demo's own choices; that it runs is shown in tests/system."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from fraudstream.core.errors import AlreadyRunning, FraudstreamError
from fraudstream.core.settings import Settings
from fraudstream.runtime import cli, demo, lifecycle

runner = CliRunner()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which the parts would have been started."""
    found: list[Settings] = []

    def start(settings: Settings) -> int:
        found.append(settings)
        raise FraudstreamError("far enough")

    monkeypatch.setattr(lifecycle, "start_detached", start)
    monkeypatch.setattr(lifecycle, "stop", lambda _: False)
    return found


@pytest.mark.parametrize(
    ("words", "expected"), [([], ("microbatch", "remote")), (["--realtime"], ("realtime", "embedded"))]
)
def test_realtime_chooses_trigger_and_scoring(
    started: list[Settings], words: list[str], expected: tuple[str, str]
) -> None:
    runner.invoke(cli.app, ["demo", *words])
    assert [(one.trigger, one.scoring) for one in started] == [expected]


def test_realtime_is_refused_where_the_parts_run_already(
    started: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.lifecycle, "is_running", lambda _: True)
    done = runner.invoke(cli.app, ["demo", "--realtime"])
    assert isinstance(done.exception, AlreadyRunning)
    assert "fraudstream down" in str(done.exception)
    assert started == []
