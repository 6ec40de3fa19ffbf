"""The state of the parts: the answers, their meaning in words, and what the page shows."""

from __future__ import annotations

import http.server
import math
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import plotly.graph_objects as go
import pytest
from kafka import TopicPartition
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import BrokerUnavailable, RegistryUnavailable, ScoringUnavailable
from fraudstream.core.streaming.health import Failing
from fraudstream.dashboards.data.parts import health
from fraudstream.dashboards.data.parts import model as model_info
from fraudstream.dashboards.data.parts import scoring as scoring_health
from fraudstream.dashboards.data.parts.health import Health, PartHealth, SystemSnapshot
from fraudstream.dashboards.data.parts.model import ModelInfo, browser_address
from fraudstream.dashboards.data.parts.progress import JobsFailing, Progress
from fraudstream.dashboards.data.parts.scoring import failed_requests, scoring_status
from fraudstream.dashboards.data.searches import Rejections
from fraudstream.dashboards.pages.system import figures as system_figures
from fraudstream.dashboards.pages.system import page as system
from fraudstream.dashboards.ui.formats import formats

ENGLISH = formats("en-GB")
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
METRICS = """# HELP fraudstream_scoring_requests_total Requests answered.
fraudstream_scoring_requests_total{endpoint="/score",status="200"} 120.0
fraudstream_scoring_requests_total{endpoint="/score",status="400"} 3.0
fraudstream_scoring_requests_total{endpoint="/invocations",status="503"} 2.0
fraudstream_scoring_requests_total{endpoint="/health",status="503"} 40.0
"""


def progress(ends: dict[str, int], stream: int = 0, store: int = 0) -> Progress:
    parts = {TopicPartition(topic, 0): end for topic, end in ends.items()}
    committed: dict[str, dict[TopicPartition, int]] = {}
    if stream:
        committed["stream"] = {TopicPartition("transactions", 0): stream}
    if store:
        committed["store"] = {TopicPartition("scored", 0): store}
    return Progress(parts, committed)


def looks(
    traffic: Any, answers: list[Progress | Exception], clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, PartHealth]]:
    """Looks at the parts one answer of Kafka after the other; the clock is the test's."""
    remaining = iter(answers)

    def ask() -> Progress:
        answer = next(remaining)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(health.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(health, "scoring_status", lambda _settings: ("ok", "serves version 3", 0))
    parts_health = Health(load_settings(), traffic.store, ask, lambda: ModelInfo("fraud", "3"))
    return lambda: {part.name: part for part in parts_health.look(NOW).parts}


def test_lag_is_what_the_topics_hold_beyond_the_commits() -> None:
    assert progress({"transactions": 100, "scored": 60}, stream=70, store=60).lags() == {"stream": 30, "store": 0}
    assert progress({"transactions": 0, "scored": 0}).lags() == {"stream": None, "store": None}
    assert progress({"transactions": 5}).lags()["stream"] == 5


def test_a_jobs_rate_is_what_it_finished_between_two_looks(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    ends = {"transactions": 200, "scored": 200}
    look = looks(traffic, [progress(ends, 100, 50), progress(ends, 160, 90)], clock, monkeypatch)
    assert look()["Stream job"].rate is None
    clock[0] += 3
    parts = look()
    assert parts["Stream job"].rate == pytest.approx(20)
    assert (parts["Stream job"].phase, parts["Stream job"].lag) == ("ok", 40)
    assert (parts["Store job"].phase, parts["Store job"].lag) == ("ok", 110)


def test_a_job_far_behind_says_how_far(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ends = [1000.0], {"transactions": 10_000}
    look = looks(traffic, [progress(ends, 100), progress(ends, 160)], clock, monkeypatch)
    look()
    clock[0] += 3
    assert look()["Stream job"].phase == "behind"


def test_a_job_that_repeats_a_failure_says_since_when_why_and_what_to_do(
    traffic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(NOW, "documents: the store is \u202efull", "Free some room on the disk.")
    broken = Progress(
        {TopicPartition("scored", 0): 9}, {"store": {TopicPartition("scored", 0): 3}}, {}, {"store": failing}
    )
    part = looks(traffic, [broken], [1000.0], monkeypatch)()["Store job"]
    assert (part.phase, part.lag) == ("failing", 6)
    assert part.detail.startswith("failing since 2026-05-04 12:00:00 UTC: documents: the store is ")
    assert part.detail.endswith("Free some room on the disk.")
    assert "\u202e" not in part.detail
    assert "Failing" in str(system.part_list([part], ENGLISH))


def test_health_reports_failing_jobs_and_never_waits_for_them() -> None:
    asked, released = threading.Event(), threading.Event()

    def slow() -> Progress:
        asked.set()
        released.wait(10)
        return Progress({}, {}, {}, {"stream": Failing(NOW, "scoring: it is odd", "Do this.")})

    jobs = JobsFailing(slow)
    assert jobs.look() == {}
    assert asked.wait(10)
    assert jobs.look() == {}
    released.set()
    until = time.monotonic() + 10
    while not jobs.look() and time.monotonic() < until:
        pass
    assert jobs.look() == {"stream": "failing since 2026-05-04 12:00:00 UTC: scoring: it is odd. Do this."}


def test_records_that_retention_removed_are_no_lag() -> None:
    part = TopicPartition("transactions", 0)
    assert Progress({part: 100}, {"stream": {part: 40}}, {part: 70}).lags()["stream"] == 30
    # A topic that was created again is not finished up to its old offset.
    assert Progress({part: 10}, {"stream": {part: 40}}, {part: 0}).lags()["stream"] == 10


def test_a_job_that_stands_still_is_stalled_or_idle(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    same = progress({"transactions": 200, "scored": 50}, 100, 50)
    look = looks(traffic, [same, same], clock, monkeypatch)
    look()
    clock[0] += 31
    parts = look()
    assert parts["Stream job"].phase == "stalled"
    assert parts["Store job"].phase == "idle"


def test_without_kafka_the_jobs_are_unknown_and_the_others_are_not(
    traffic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = looks(traffic, [BrokerUnavailable("Kafka does not answer.")], [1000.0], monkeypatch)
    parts = look()
    assert parts["Kafka"].phase == "away"
    assert "does not answer" in parts["Kafka"].detail
    assert {parts["Stream job"].phase, parts["Store job"].phase} == {"unknown"}
    assert parts["Document store"].phase == "ok"
    assert parts["Scoring service"].detail == "serves version 3"


def test_further_ways_in_are_parts_where_the_system_has_them(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.ingest, "ingest_status", lambda _: ("ok", "has taken 7 events", 0))
    monkeypatch.setattr(health.devices, "devices_status", lambda _: ("failing", "the MQTT broker starts", None))

    def further(with_parts: str) -> dict[str, tuple[str, str]]:
        settings = load_settings(with_parts=with_parts)
        state = Health(settings, traffic.store, lambda: progress({}), lambda: ModelInfo("fraud", "3")).look(NOW)
        known = {part.name: (part.phase, part.detail) for part in state.parts}
        return {name: known[name] for name in ("Events over HTTP", "Devices") if name in known}

    assert further("") == {}
    assert further("ingest,devices") == {
        "Events over HTTP": ("ok", "has taken 7 events"),
        "Devices": ("failing", "the MQTT broker starts"),
    }


def test_a_lost_store_and_registry_are_away(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> ModelInfo:
        raise RegistryUnavailable("MLflow does not answer.")

    monkeypatch.setattr(health, "scoring_status", lambda _settings: ("idle", "has no champion yet", None))
    traffic.store.away = True
    state = Health(load_settings(), traffic.store, lambda: progress({}), lost).look(NOW)
    parts = {part.name: part for part in state.parts}
    assert (parts["Document store"].phase, parts["MLflow"].phase) == ("away", "away")
    assert parts["Scoring service"].phase == "idle"
    assert state.model.name == ""
    assert "registry does not answer" in str(system.model_body(state.model, ENGLISH))


def test_a_part_that_hangs_does_not_keep_the_others_waiting(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(health, "scoring_status", lambda _settings: ("ok", "", None))
    released = threading.Event()

    def hang() -> ModelInfo:
        released.wait(10)
        return ModelInfo("fraud", "3")

    parts_health = Health(load_settings(), traffic.store, lambda: progress({}), hang)
    phases = []
    for first_answer_seconds in (60.0, 0.0):
        monkeypatch.setattr(health, "_FIRST_ANSWER_SECONDS", first_answer_seconds)
        phases.append({part.name: part.phase for part in parts_health.look(NOW).parts})
    assert [phase["MLflow"] for phase in phases] == ["unknown", "away"]
    assert {phase["Document store"] for phase in phases} == {"ok"}
    released.set()
    monkeypatch.setattr(health, "_DEADLINE_SECONDS", 10.0)
    assert {part.name: part.phase for part in parts_health.look(NOW).parts}["MLflow"] == "ok"


@pytest.fixture
def service() -> Iterator[tuple[str, dict[str, tuple[int, str]]]]:
    answers: dict[str, tuple[int, str]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, "not here"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def test_the_scoring_service_tells_its_version_and_its_errors(service: Any) -> None:
    url, answers = service
    answers |= {"/health": (200, '{"status": "ok", "model_version": "3"}'), "/metrics": (200, METRICS)}
    assert scoring_status(load_settings(scoring="remote", scoring_url=url)) == ("ok", "serves version 3", 5)
    answers["/health"] = (503, '{"status": "no champion"}')
    assert scoring_status(load_settings(scoring="remote", scoring_url=url))[0] == "idle"


def test_an_endpoint_without_a_health_address_is_there_nevertheless(service: Any) -> None:
    url, _ = service
    assert scoring_status(load_settings(scoring="remote", scoring_url=url))[0] == "ok"


def test_a_service_that_is_away_or_not_needed() -> None:
    with pytest.raises(ScoringUnavailable, match="does not answer"):
        scoring_status(load_settings(scoring="remote", scoring_url="http://127.0.0.1:9"))
    assert "embedded" in scoring_health.scoring_status(load_settings(scoring="embedded"))[1]


def test_a_proxy_with_an_invalid_address_is_reported_as_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://[::1")
    with pytest.raises(ScoringUnavailable, match="InvalidURL"):
        scoring_status(load_settings(scoring="remote", scoring_url="http://127.0.0.1:9"))


def test_errors_are_counted_of_scoring_alone() -> None:
    assert failed_requests(METRICS) == 5
    assert failed_requests("# HELP fraudstream_scoring_requests_total Requests answered.\n") == 0
    assert failed_requests("something_else 1.0") is None


@pytest.mark.parametrize(
    ("values", "address"),
    [
        (
            {"mlflow_tracking_uri": "http://mlflow:5000", "mlflow_url": "http://127.0.0.1:5000/"},
            "http://127.0.0.1:5000",
        ),
        ({"mlflow_tracking_uri": "http://127.0.0.1:5000"}, "http://127.0.0.1:5000"),
        ({"mlflow_tracking_uri": "https://ml:s3cret@mlflow.example/"}, "https://mlflow.example"),
        ({"mlflow_tracking_uri": "http://m", "mlflow_url": "https://ml:12/s3cret@m.example/x"}, "https://m.example/x"),
        ({"mlflow_tracking_uri": "https://s3cret-token@mlflow.example:81/a@b"}, "https://mlflow.example:81/a@b"),
        ({"mlflow_tracking_uri": "sqlite:///mlflow.db"}, ""),
        ({"mlflow_tracking_uri": "azureml://westeurope.api.azureml.ms/mlflow"}, ""),
    ],
)
def test_only_what_a_browser_opens_is_linked(values: dict[str, str], address: str) -> None:
    assert browser_address(load_settings(**values)) == address


def snapshot() -> SystemSnapshot:
    parts = (
        PartHealth("Stream job", "ok", "keeps up", rate=12.3, lag=4),
        PartHealth("Store job", "stalled", "nothing finished", rate=0.0, lag=1200),
    )
    model = ModelInfo(
        "fraud", "3", NOW, {"average_precision": 0.8812}, "http://m/#/models/fraud/versions/3", "http://m/r"
    )
    samples = tuple(health.Sample(NOW, {"stream": 1.0, "store": None}, {"stream": 2, "store": 3}) for _ in range(3))
    return SystemSnapshot(NOW, parts, model, samples)


def test_the_cards_and_parts_show_what_was_found(traffic: Any) -> None:
    rejected = Rejections(traffic.store).newest(traffic.now)
    cards = system.card_values(snapshot(), rejected, 842.0, ENGLISH)
    assert cards["system-rate"] == "12.3"
    assert (cards["system-lag"], cards["system-store-lag"]) == ("4", "1,200")
    assert cards["system-model"] == "3"
    assert cards["system-rejected"] == "30"
    listed = str(system.part_list(snapshot().parts, ENGLISH))
    assert "part--stalled" in listed
    assert "Stalled" in listed


def test_the_model_has_its_metrics_and_links_into_mlflow() -> None:
    shown = str(system.model_body(snapshot().model, ENGLISH))
    for part in ("0.8812", "Average precision", "http://m/#/models/fraud/versions/3", "http://m/r"):
        assert part in shown
    assert "No champion yet" in str(system.model_body(ModelInfo("fraud"), ENGLISH))


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_not_finite_is_shown_as_missing(odd: float) -> None:
    names = ("true_positive", "false_negative", "average_precision")
    model = ModelInfo("fraud", "3", NOW, dict.fromkeys(names, odd) | {"true_negative": 1234.0, "roc_auc": 0.5})
    shown = str(system.model_body(model, ENGLISH))
    assert shown.count("Dd('–')") == 3
    assert "Dd('1,234')" in shown
    assert "Dd('0.5000')" in shown


class Registry:
    """MLflow's client over one version; ``failure`` is what it answers when it is asked for the run."""

    def __init__(self, failure: Exception | None) -> None:
        self.failure = failure

    def search_model_versions(self, _query: str, page_token: Any = None) -> list[Any]:
        assert page_token is None
        return [SimpleNamespace(version="3", tags={"role": "champion"})]

    def get_model_version(self, _name: str, _version: str) -> Any:
        return SimpleNamespace(run_id="r", creation_timestamp=1_777_896_000_000)

    def get_run(self, run_id: str) -> Any:
        if self.failure:
            raise self.failure
        info, data = SimpleNamespace(experiment_id="1", run_id=run_id), SimpleNamespace(metrics={"roc_auc": 0.9})
        return SimpleNamespace(info=info, data=data)


def answer_from(monkeypatch: pytest.MonkeyPatch, registry: Registry) -> None:
    for module in ("fraudstream.core.registry", "fraudstream.dashboards.data.parts.model"):
        monkeypatch.setattr(f"{module}.registry_client", lambda _settings: registry)


@pytest.mark.parametrize(
    ("failure", "metrics", "run_url"),
    [
        (None, {"roc_auc": 0.9}, "http://127.0.0.1:5000/#/experiments/1/runs/r"),
        (MlflowException("No run with id r", RESOURCE_DOES_NOT_EXIST), {}, ""),
        (MlflowException("not yours", PERMISSION_DENIED), {}, ""),
    ],
)
def test_a_run_that_is_gone_costs_its_metrics_alone(
    monkeypatch: pytest.MonkeyPatch, failure: Any, metrics: dict[str, float], run_url: str
) -> None:
    answer_from(monkeypatch, Registry(failure))
    info = model_info.ModelSource(load_settings()).read()
    assert (info.version, info.metrics, info.run_url) == ("3", metrics, run_url)
    assert info.model_url.endswith("/#/models/fraud/versions/3")


def test_a_registry_that_does_not_answer_for_the_run_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_from(monkeypatch, Registry(MlflowException("HTTP 503")))
    with pytest.raises(RegistryUnavailable):
        model_info.ModelSource(load_settings()).read()


def test_what_a_part_says_holds_no_secret(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")

    def lost() -> Any:
        raise ValueError(f"{'x' * 193}qX7pL9zRwN4v\n\x1b[2J")

    monkeypatch.setattr(health, "scoring_status", lambda _settings: lost())
    failing = Failing(NOW, "scoring: key qX7pL9zRwN4v", "Correct it.")
    asked = Progress({}, {}, {}, {"stream": failing})
    parts = Health(load_settings(), traffic.store, lambda: asked, lost).look(NOW).parts
    said = " ".join(part.detail for part in parts)
    assert "ValueError: xxx" in said
    assert "failing since" in said
    for jobs in (JobsFailing(lambda: asked), JobsFailing(lost)):
        until = time.monotonic() + 30
        while not (failures := jobs.look()) and time.monotonic() < until:
            time.sleep(0.01)
        said += str(failures)
    assert "qX7" not in said
    assert "\x1b" not in said


def test_the_figures_are_ones_that_plotly_draws(traffic: Any) -> None:
    samples = snapshot().samples
    for figure in (
        system_figures.rates(samples),
        system_figures.lags(samples),
        system_figures.latencies({NOW: (1.0, 2.0, 3.0)}),
        system_figures.rejections(["amount", "amount", "date"]),
        system_figures.rejections([]),
    ):
        assert go.Figure(figure).layout.template.layout.to_plotly_json() == {}
    bars = go.Figure(system_figures.rejections(["amount", "amount", "date"])).data[0]
    assert (list(bars.y), list(bars.x)) == (["amount", "date"], [2, 1])
