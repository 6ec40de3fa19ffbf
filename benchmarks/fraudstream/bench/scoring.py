"""Scoring over HTTP: the scoring service beside ``mlflow models serve``, with the same model and bodies."""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from fraudstream.bench import bounds
from fraudstream.bench.bounds import Bound, ratio
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.http_load import load, request
from fraudstream.bench.harness.load import SEED
from fraudstream.bench.harness.running import MEBIBYTE, Report
from fraudstream.bench.harness.source import live
from fraudstream.bench.harness.stage import Stage
from fraudstream.bench.harness.trained import BenchModel, trained_model
from fraudstream.core.contract.event import FEATURES, parse_event
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import told_text
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.part import Part

OURS, MLFLOW = "scoring service", "mlflow models serve"
PATH = "/invocations"

_READY_SECONDS = 120.0
_WARM_UP_SECONDS = 1.5
_COMPARED_ROWS = 1_000
_LONGEST_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """Each of ``cases`` (clients, rows a request) for ``seconds``."""

    seconds: float = 10.0
    repeats: int = 3
    cases: tuple[tuple[int, int], ...] = ((1, 1), (8, 1), (1, 1_000), (8, 1_000))


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part."""
    report("preparing the model")
    model = trained_model()
    runs: list[dict[str, Any]] = []
    answers: dict[str, list[tuple[int, float]]] = {}
    with Stage(mlflow_tracking_uri=model.tracking_uri) as stage:
        for repeat in range(plan.repeats):
            for name in figures.rotated((OURS, MLFLOW), repeat):
                report(f"{name}, run {repeat + 1} of {plan.repeats}")
                port = stage.settings.scoring_port if name == OURS else stage.settings.mlflow_port
                child = stage.start(_PARTS[name](stage, model))
                answers[name] = _decisions(port)
                for clients, rows in plan.cases:
                    runs.append({"repeat": repeat, "contender": name} | _measure_one(port, clients, rows, plan.seconds))
                runs[-1]["memory_mib"] = round((process.family_memory(child.pid) or 0) / MEBIBYTE, 1)
                stage.stop(child)
    summary = summarised(runs)
    return {
        "parameters": asdict(plan) | {"path": PATH, "model": model.fingerprint, "trees": model.trees},
        "same_decisions": _agreed(answers),
        "runs": runs,
        "summary": summary,
        "bounds": bounds.to_json(held(summary)),
    }


def body(rows: int) -> bytes:
    """MLflow's ``dataframe_split`` of so many events, which both services take."""
    events = [parse_event(value) for value in live(rows, SEED)]
    data = [[event.value(name) for name in FEATURES] for event in events]
    return orjson.dumps({"dataframe_split": {"columns": FEATURES, "data": data}})


def _measure_one(port: int, clients: int, rows: int, seconds: float) -> dict[str, Any]:
    payload = request(f"127.0.0.1:{port}", PATH, body(rows))
    load(port, payload, clients, min(_WARM_UP_SECONDS, seconds))
    answered = load(port, payload, clients, seconds)
    rate = len(answered.latencies_us) / answered.seconds
    return {
        "clients": clients,
        "rows": rows,
        "requests": len(answered.latencies_us),
        "requests_per_second": rate,
        "rows_per_second": rate * rows,
        "client_processor_share": answered.client_seconds / answered.seconds,
        **figures.latency_summary(answered.latencies_us),
    }


def _decisions(port: int) -> list[tuple[int, float]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", PATH, body(_COMPARED_ROWS), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = orjson.loads(answer.read())
    finally:
        connection.close()
    if answer.status != 200:
        raise FraudstreamError(f"Port {port} answered {answer.status}: {told_text(str(content), _LONGEST_ANSWER)}")
    return [(row["prediction"], row["score"]) for row in content["predictions"]]


def _agreed(answers: dict[str, list[tuple[int, float]]]) -> dict[str, Any]:
    pairs = list(zip(answers[OURS], answers[MLFLOW], strict=True))
    differing = sum(ours[0] != theirs[0] for ours, theirs in pairs)
    if differing:
        raise FraudstreamError(f"{OURS} and {MLFLOW} decide {differing} of {len(pairs)} rows differently.")
    return {
        "compared": len(pairs),
        "different_decisions": differing,
        "largest_score_difference": max(abs(ours[1] - theirs[1]) for ours, theirs in pairs),
    }


def summarised(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each case and service the spread of its repeats."""
    cases = list(dict.fromkeys((run["clients"], run["rows"]) for run in runs))
    summary = figures.summarised(runs, "clients", "rows", "contender")
    summary.sort(key=lambda entry: cases.index((entry["clients"], entry["rows"])))
    return [{"case": _case(entry.pop("clients"), entry.pop("rows"))} | entry for entry in summary]


def _case(clients: int, rows: int) -> str:
    return f"{clients} {'client' if clients == 1 else 'clients'}, {rows:,} {'row' if rows == 1 else 'rows'}"


def held(summary: Sequence[dict[str, Any]]) -> list[Bound]:
    """The project's claims about the scoring service."""
    cases: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in summary:
        cases.setdefault(entry["case"], {})[entry["contender"]] = entry

    def by(case: str, name: str) -> float | None:
        ours, theirs = cases[case].get(OURS), cases[case].get(MLFLOW)
        return ratio(ours[name]["median"], theirs[name]["median"]) if ours and theirs else None

    claims: list[Bound] = []
    for case in cases:
        if case.endswith(", 1 row"):
            claims += bounds.at_least(f"{case}: requests/s by MLflow's", by(case, "requests_per_second"), 8)
            claims += bounds.at_most(f"{case}: p99 by MLflow's", by(case, "p99_ms"), 0.25)
        else:
            claims += bounds.at_least(f"{case}: rows/s by MLflow's", by(case, "rows_per_second"), 3)
    return claims


def _ours(stage: Stage, _: BenchModel) -> Part:
    port = stage.settings.scoring_port
    return Part(
        f"scoring-{stage.next_number()}",
        [sys.executable, "-m", "fraudstream.scoring"],
        lambda: _pings(port),
        env=_FRUGAL | stage.environment(),
        ready_timeout_seconds=_READY_SECONDS,
    )


def _mlflows(stage: Stage, model: BenchModel) -> Part:
    port = stage.settings.mlflow_port
    served = f"models:/{stage.settings.model_name}/1"
    where = ("--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    # MLflow starts uvicorn by its name, from the PATH.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return Part(
        f"mlflow-{stage.next_number()}",
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", served, "--env-manager", "local", *where],
        lambda: _pings(port),
        env=_FRUGAL | {"MLFLOW_TRACKING_URI": model.tracking_uri, "PATH": path},
        ready_timeout_seconds=_READY_SECONDS,
        cwd=stage.folder,
    )


_PARTS: dict[str, Callable[[Stage, BenchModel], Part]] = {OURS: _ours, MLFLOW: _mlflows}
_FRUGAL = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def _pings(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
