"""A model's life on a real store and registry: trained, watched, compared on labels that came later, and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES, RULES
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import champion_version, load_version, registry_client
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml import cli
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.evaluation.comparison import compared
from fraudstream.ml.features import LABEL
from fraudstream.ml.labelled import read_labelled
from fraudstream.ml.monitoring import cli as monitoring
from fraudstream.ml.registry import promote, rollback, versions
from fraudstream.ml.training import run as training
from fraudstream.runtime.parts import documentstore
from fraudstream.runtime.supervise.preflight import free_port
from tests.events import renamed
from tests.stack.conftest import Running

pytestmark = [pytest.mark.stack, pytest.mark.timeless]

HISTORY, LIVE = 6_000, 3_000
START = datetime(2026, 1, 1, tzinfo=UTC)
run = CliRunner()


def rows(count: int, seed: int, first: int) -> list[dict[str, Any]]:
    drawn = {name: np.asarray(values).tolist() for name, values in renamed(sample(count, seed)).items()}
    return [
        {name: drawn[name][row] for name in (*FEATURES, LABEL)}
        | {"_id": first + row, "event_time": START + timedelta(minutes=first + row)}
        for row in range(count)
    ]


def live(settings: Settings, stage: list[dict[str, Any]], version: str) -> list[dict[str, Any]]:
    """The transactions as the version scored them, without their labels."""
    model = load_version(settings, version).model
    scores = model.score_columns({name: [row[name] for row in stage] for name in FEATURES})
    return [
        {name: value for name, value in row.items() if name != LABEL}
        | {"origin": "live", "enqueued_at": row["event_time"], "model_version": version}
        | {"score": float(score), "threshold": model.threshold, "prediction": int(score >= model.threshold)}
        for row, score in zip(stage, scores, strict=True)
    ]


def verdicts(stage: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"_id": row["_id"], "label": row[LABEL], "observed_at": row["event_time"] + timedelta(days=7)} for row in stage
    ]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("data")
    stage = Settings(data_dir=folder, mongo_port=free_port(), mlflow_tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    running = Running(documentstore.part(stage), stage.data_dir / "documents.log")
    yield stage
    running.stop()


@pytest.fixture(scope="module")
def trained(settings: Settings) -> list[str]:
    """Two versions of one history: the second one, of few trees, stays a challenger."""
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    transactions.insert_many([row | {"origin": "history"} for row in rows(HISTORY, 5, 1)])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "give_way", lambda: None)
        patched.setattr(boosting, "DEPTHS", (1,))
        good = training.train(lambda: None, settings, ("xgboost",), 7, 0, lambda _: None)  # type: ignore[arg-type,return-value]
        patched.setitem(boosting.PARAMETERS, "n_estimators", 5)
        poor = training.train(lambda: None, settings, ("xgboost",), 7, 0, lambda _: None)  # type: ignore[arg-type,return-value]
    newest = rows(LIVE, 6, HISTORY + 1)
    (first,), (second,) = good.trained, poor.trained
    transactions.insert_many(live(settings, newest, first.version))
    documents.database(settings)[documents.VERDICTS].insert_many(verdicts(newest[: LIVE // 2]))
    return [first.version, second.version]


@pytest.fixture(autouse=True)
def here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (cli, monitoring):
        monkeypatch.setattr(module, "start_settings", lambda *_: settings)


def test_a_run_holds_what_makes_it_repeatable_and_every_figure_with_its_interval(
    settings: Settings, trained: list[str]
) -> None:
    good = next(version for version in versions(settings) if version.version == trained[0])
    run_of = registry_client(settings).get_run(good.run_id).data
    assert int(run_of.params["dataset_train_rows"]) + int(run_of.params["dataset_test_rows"]) == HISTORY
    assert run_of.params["dataset_learnt_until"] < run_of.params["dataset_test_from"]
    assert len(run_of.params["code_fingerprint"]) == len(run_of.tags["model_fingerprint"]) == 64
    for name in ("average_precision", "roc_auc", "recall_at_1pct_fpr", "recall_at_5pct_fpr", "brier", "ece"):
        assert good.metrics[f"{name}_low"] <= good.metrics[name] <= good.metrics[f"{name}_high"]
    assert good.metrics["average_precision"] > good.metrics["logistic_average_precision"] + 0.1


def test_labels_that_came_later_are_labels(settings: Settings, trained: list[str]) -> None:
    labelled = read_labelled(settings).rows
    assert len(labelled) == HISTORY + LIVE // 2
    expected = [row[LABEL] for row in (*rows(HISTORY, 5, 1), *rows(LIVE, 6, HISTORY + 1)[: LIVE // 2])]
    assert labelled[LABEL].tolist() == expected


def test_two_versions_are_compared_on_what_neither_learnt_from(settings: Settings, trained: list[str]) -> None:
    report = json.loads(run.invoke(cli.models, ["compare", *trained, "--json"]).stdout)
    # What the training held out, and the live ones with a label.
    assert report["paired"]["rows"] == round(0.3 * HISTORY) + LIVE // 2
    assert report["paired"]["figures"]["average_precision"]["better"] == trained[0]
    shown = run.invoke(cli.models, ["compare", *trained])
    assert f"version {trained[0]}" in shown.stdout
    assert "neither learnt" in " ".join(shown.stdout.split())
    with pytest.raises(ModelError, match="no version 99"):
        compared(settings, trained[0], "99")


def test_quiet_traffic_is_quiet_and_what_is_known_stands_beside_what_is_estimated(trained: list[str]) -> None:
    report = json.loads(run.invoke(monitoring_app(), ["--json", "--last", str(LIVE)]).stdout)
    assert (report["version"], report["rows"], report["scored_by_version"]) == (trained[0], LIVE, LIVE)
    assert report["reference"] == "training"
    assert report["drift"]["drifted"] == []
    assert report["known"]["labelled"] == LIVE // 2
    assert report["estimated"]["precision"] == pytest.approx(report["known"]["precision"], abs=0.1)
    assert report["estimated"]["recall"] == pytest.approx(report["known"]["recall"], abs=0.15)


def test_a_report_has_every_heading_and_the_figures_of_the_run(
    settings: Settings, trained: list[str], tmp_path: Path
) -> None:
    metrics = load_version(settings, trained[0]).metrics
    text = run.invoke(cli.models, ["report", trained[0]]).stdout
    headings = ["Purpose", "Data lineage", "Development", "Validation", "Limits", "Ongoing monitoring", "Challenge"]
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == headings
    assert f"{metrics['average_precision']:.4g}" in text
    assert f"{metrics['logistic_average_precision']:.4g}" in text
    assert all(f"| {name.replace('_', chr(92) + '_')} |" in text for name in FEATURES)
    assert "No drift" in text
    file = tmp_path / "report.html"
    done = run.invoke(cli.models, ["report", trained[1], "--out", str(file)])
    assert done.exit_code == 0, done.output
    page = file.read_text("utf-8")
    assert page.count("data:image/png;base64,") == 3
    assert f"The champion is version {trained[0]}" in page


def test_a_rollback_gives_the_role_back_step_by_step(settings: Settings, trained: list[str]) -> None:
    first, second = trained
    with pytest.raises(ModelError, match="no champion is known"):
        rollback(settings)
    promote(settings, second)
    done = json.loads(run.invoke(cli.models, ["rollback", "--json"]).stdout)
    assert (done["champion"], done["former_champion"], champion_version(settings)) == (first, second, first)
    with pytest.raises(ModelError, match="no champion is known"):
        rollback(settings)


def test_drift_is_named_and_ends_the_command_as_asked(settings: Settings, trained: list[str]) -> None:
    moved = rows(1_000, 8, HISTORY + LIVE + 1)
    rule = RULES[AMOUNT]
    for row in moved:
        row[AMOUNT] = min(row[AMOUNT] + 40.0, rule.range[1])
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    transactions.insert_many(live(settings, moved, trained[0]))
    done = run.invoke(monitoring_app(), ["--last", "1000", "--check"])
    assert done.exit_code == 3, done.output
    assert AMOUNT in done.stdout
    assert run.invoke(monitoring_app(), ["--last", "1000"]).exit_code == 0


def monitoring_app() -> Any:
    app = typer.Typer()
    app.command()(monitoring.monitor)
    return app
