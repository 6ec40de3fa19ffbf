"""The bootstrap's share that needs no parts: what it still has to publish, and what it makes of a training's end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from kafka import TopicPartition

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import FraudstreamError, ModelError
from fraudstream.runtime import bootstrap

XGBOOST = {"algorithm": "xgboost", "version": "1", "promoted": True, "metrics": {}}
GBT_FAILED = {"algorithm": "gbt", "reason": "no memory"}
BOTH = {"trained": [XGBOOST, XGBOOST | {"algorithm": "gbt"}], "failed": [], "left_out": {}}
ONE = {"trained": [XGBOOST], "failed": [GBT_FAILED], "left_out": {}}
NONE = {"trained": [], "failed": [GBT_FAILED], "left_out": {}}
WHY = "fraudstream: gbt was not trained: no memory"


@pytest.mark.parametrize(
    ("on_topic", "stored", "missing"),
    [
        (0, 0, 100),
        (30, 0, 70),
        (100, 40, 0),  # published, and the store job is at it
        (0, 100, 0),  # stored, and the records have expired
        (30, -1, 70),  # the store does not answer
    ],
)
def test_history_is_published_once(monkeypatch: pytest.MonkeyPatch, on_topic: int, stored: int, missing: int) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(bootstrap, "end_offsets", lambda *_: {TopicPartition("labels", 0): on_topic})
    monkeypatch.setattr(bootstrap, "stored_history", lambda *_: stored)
    monkeypatch.setattr(bootstrap, "run_command", lambda *words: sent.append(words))
    assert bootstrap.publish_history(load_settings(), 100) == missing
    assert sent == ([("generate", "history", "--count", str(missing))] if missing else [])


def test_a_files_labelled_rows_are_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    source = bootstrap.PROJECT.definition.source.model_copy(update={"file": "a.csv"})
    definition = bootstrap.PROJECT.definition.model_copy(update={"source": source})
    monkeypatch.setattr(bootstrap, "PROJECT", replace(bootstrap.PROJECT, definition=definition))
    monkeypatch.setattr(bootstrap, "run_command", lambda *_: {"produced": 87})
    monkeypatch.setattr(bootstrap, "COMMAND", (sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv))"))
    monkeypatch.setattr(bootstrap, "_outcome", lambda training, _: json.loads(training.communicate()[0]))
    published, words = bootstrap.train_on_history(load_settings(), 100, "xgboost")
    assert (published, words[1:]) == (87, ["train", "--algorithm", "xgboost", "--await", "87", "--json"])


def ended(
    monkeypatch: pytest.MonkeyPatch, answer: object, stderr: str, status: int, champions: Iterator[str | None]
) -> None:
    """Bootstrap beside a training that ends so, after which there is the next champion."""
    script = f"import sys; sys.stdout.write({json.dumps(answer) if answer else ''!r}); sys.stderr.write({stderr!r})"
    monkeypatch.setattr(bootstrap, "COMMAND", (sys.executable, "-c", f"{script}; sys.exit({status})"))
    monkeypatch.setattr(bootstrap, "create_topics", lambda _: None)
    monkeypatch.setattr(bootstrap, "champion_version", lambda _: next(champions))
    monkeypatch.setattr(bootstrap, "publish_history", lambda *_: 100)
    bootstrap.bootstrap(history=100, algorithm="all", as_json=True)


@pytest.mark.parametrize(
    ("answer", "stderr", "status"),
    [
        (BOTH, "", 0),
        (ONE, WHY, 1),
        (None, "fraudstream: the registry went away after the promotion", 1),  # and another's promotion meanwhile
    ],
)
def test_a_champion_is_enough(
    answer: dict[str, object] | None,
    stderr: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ended(monkeypatch, answer, stderr, status, iter([None, "1"]))
    printed = capfd.readouterr()
    expected = answer or {"trained": [], "failed": []}
    assert json.loads(printed.out) == {
        "published": 100,
        "champion": "1",
        "trained": expected["trained"],
        "failed": expected["failed"],
    }
    assert stderr.removeprefix("fraudstream: ") in printed.err


@pytest.mark.parametrize(
    ("answer", "stderr", "status", "error", "said"),
    [
        (NONE, WHY, 1, FraudstreamError, "gbt was not trained: no memory"),
        (None, "fraudstream: MLflow does not answer", 1, FraudstreamError, "MLflow does not answer"),
        (BOTH, "", 0, ModelError, "has no champion"),  # somebody took the tag away
    ],
)
def test_no_champion_is_a_failure(
    answer: object,
    stderr: str,
    status: int,
    error: type[FraudstreamError],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(error, match=said):
        ended(monkeypatch, answer, stderr, status, iter([None, None]))
