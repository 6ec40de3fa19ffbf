"""Logs: one JSON object a line on stderr, from our code, from libraries and from any thread."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from fraudstream.core.output.logs import configure_logging


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_says_who_what_and_when(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("scoring")
    structlog.get_logger("fraudstream.test").info("model_loaded", version="3", size=2)
    (line,) = lines(capsys)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "service": "scoring", "event": "model_loaded", "version": "3", "size": 2}


def test_the_level_is_the_least_that_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("stream", "WARNING")
    log = structlog.get_logger()
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_what_is_logged_goes_to_the_stderr_of_that_moment(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        former = io.StringIO()
        patch.setattr(sys, "stderr", former)
        configure_logging("store")
        former.close()
    structlog.get_logger().info("ours")
    logging.getLogger("kafka").warning("a library's")
    assert [line["event"] for line in lines(capsys)] == ["ours", "a library's"]


def test_a_thread_that_somebody_else_started_logs_as_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("store")
    thread = threading.Thread(target=lambda: structlog.get_logger().info("batch_written"))
    thread.start()
    thread.join()
    assert [line["service"] for line in lines(capsys)] == ["store"]


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("store")
    try:
        raise ValueError("no such batch")
    except ValueError:
        structlog.get_logger().exception("batch_failed")
    (line,) = lines(capsys)
    assert line["exception"][0]["exc_value"] == "no such batch"


def test_an_exception_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """They hold what was read from a setting in clear, an address with its key for one."""

    def connect() -> None:
        address = "mongodb://account:" + "hush" + "@host"
        raise ConnectionError(f"cannot connect with {len(address)} characters")

    configure_logging("store")
    for logger in (structlog.get_logger(), logging.getLogger("pymongo")):
        try:
            connect()
        except ConnectionError:
            logger.exception("batch_failed")
    captured = lines(capsys)
    assert [line["exception"][0]["exc_type"] for line in captured] == ["ConnectionError"] * 2
    assert "hush" not in json.dumps(captured)


def test_a_value_that_json_does_not_have_is_written_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("store")
    structlog.get_logger().info("moved", kinds={int})
    assert lines(capsys)[0]["kinds"] == "{<class 'int'>}"


def test_libraries_log_in_the_same_form_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest")
    logging.getLogger("kafka.conn").info("connected")
    logging.getLogger("kafka.conn").warning("lost %s", "broker-1")
    (line,) = lines(capsys)
    assert (line["level"], line["service"], line["event"], line["logger"]) == (
        "warning",
        "ingest",
        "lost broker-1",
        "kafka.conn",
    )


def test_configuring_again_takes_effect(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("first")
    configure_logging("second")
    structlog.get_logger().info("ours")
    logging.getLogger("other").warning("theirs")
    assert [line["service"] for line in lines(capsys)] == ["second", "second"]
