"""Scorers give a decision for each row, wait for a service that is away, and blame only the rows that are bad."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ScoringRejected, ScoringUnavailable
from fraudstream.core.process import proxies
from fraudstream.core.retry import Backoff
from fraudstream.stream import scorers
from fraudstream.stream.scorers import Decision, RemoteScorer, ScoringFailed, score_rows

pytestmark = pytest.mark.timeless

COLUMNS = {"amount": [10.0, 60.0], "credit": [1, 2]}
RECORD = {
    "prediction": 1,
    "score": 0.75,
    "threshold": 0.5,
    "model_version": "3",
    "reasons": [{"field": "amount", "contribution": 1.5}],
}


class Service:
    """A scoring service that answers from a script of (status, body)."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.connections: set[Any] = set()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                service.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                service.authorizations.append(self.headers["Authorization"])
                service.connections.add(self.client_address)
                status, body = service.answers.pop(0)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(scorers, "BACKOFF", Backoff(0.001, 0.01))
    running = Service()
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_one_request_a_batch_over_one_connection(service: Service) -> None:
    service.answers = [(200, [RECORD, RECORD | {"prediction": 0, "reasons": []}])] * 2
    scorer = RemoteScorer(Settings(scoring_url=service.url))
    first, second = scorer.score(COLUMNS)
    scorer.score(COLUMNS)
    assert first == Decision(1, 0.75, 0.5, "3", [{"field": "amount", "contribution": 1.5}])
    assert (second.prediction, second.reasons) == (0, [])
    assert service.requests[0] == {
        "input_data": {"columns": ["amount", "credit"], "index": [0, 1], "data": [[10.0, 1], [60.0, 2]]}
    }
    assert len(service.connections) == 1
    assert service.authorizations == [None, None]


def test_the_key_is_sent_as_a_bearer_token(service: Service) -> None:
    service.answers = [(200, [RECORD] * 2)]
    RemoteScorer(Settings(scoring_url=service.url, scoring_key="s3cret")).score(COLUMNS)
    assert service.authorizations == ["Bearer s3cret"]


def test_a_service_elsewhere_is_asked_through_the_proxy(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in proxies.made({"http_proxy": service.url}).items():
        monkeypatch.setenv(name, value)
    service.answers = [(200, [RECORD] * 2)]
    assert len(RemoteScorer(Settings(scoring_url="http://elsewhere.example")).score(COLUMNS)) == 2


def test_waits_for_a_service_that_is_not_ready(service: Service) -> None:
    service.answers = [(503, "no champion"), (500, ""), (429, ""), (200, [RECORD] * 2)]
    assert len(RemoteScorer(Settings(scoring_url=service.url)).score(COLUMNS)) == 2


def test_gives_up_after_the_bounded_attempts(service: Service) -> None:
    service.answers = [(503, "no champion")] * 3
    scorer = RemoteScorer(Settings(scoring_url=service.url, scoring_attempts=3))
    with pytest.raises(ScoringUnavailable, match=r"3 attempts .*503.*no champion"):
        scorer.score(COLUMNS)
    assert service.answers == []


def test_a_service_that_is_away_is_unavailable(service: Service) -> None:
    service.server.shutdown()
    service.server.server_close()
    with pytest.raises(ScoringUnavailable):
        RemoteScorer(Settings(scoring_url=service.url, scoring_attempts=2)).score(COLUMNS)


def test_refused_rows_are_not_tried_again(service: Service) -> None:
    service.answers = [(400, "row 1: credit")]
    with pytest.raises(ScoringRejected, match="row 1: credit"):
        RemoteScorer(Settings(scoring_url=service.url)).score(COLUMNS)
    assert len(service.requests) == 1


def test_an_answer_of_the_wrong_length_is_no_answer(service: Service) -> None:
    service.answers = [(200, [RECORD])]
    with pytest.raises(ScoringUnavailable, match="1 decisions for 2 rows"):
        RemoteScorer(Settings(scoring_url=service.url)).score(COLUMNS)


@pytest.mark.parametrize(
    "answer",
    [
        [0.1, 0.2],
        {"score": 1},
        [None, None],
        [RECORD, RECORD | {"prediction": 2}],
        [RECORD, RECORD | {"score": "high"}],
        [RECORD, RECORD | {"reasons": [{"field": "amount"}]}],
        [RECORD, RECORD | {"reasons": {"amount": 1.0}}],
        [RECORD, {name: value for name, value in RECORD.items() if name != "threshold"}],
    ],
)
def test_an_answer_of_something_else_is_no_answer(service: Service, answer: Any) -> None:
    service.answers = [(200, answer)]
    with pytest.raises(ScoringUnavailable, match=r"FRAUDSTREAM_SCORING_URL has to name a scoring service"):
        RemoteScorer(Settings(scoring_url=service.url)).score(COLUMNS)


def test_an_odd_decision_is_of_its_row_alone(service: Service) -> None:
    odd = RECORD | {"score": None}
    service.answers = [(200, [RECORD, odd])] * 2 + [(200, [RECORD]), (200, [odd]), (200, [odd])]
    good, refused = score_rows(RemoteScorer(Settings(scoring_url=service.url)), COLUMNS, 2)
    assert isinstance(good, Decision)
    assert str(refused).startswith(f"cannot be scored: {service.url}/score answered a decision that is none of ours")


def test_a_container_of_azure_ml_that_does_not_answer_may_be_down(service: Service) -> None:
    service.answers = [(424, "no champion")] * 8
    with pytest.raises(ScoringFailed, match=r"HTTP 424: .*no champion"):
        score_rows(RemoteScorer(Settings(scoring_url=service.url)), COLUMNS, 2)


class Refusing:
    def __init__(self, bad: set[int]) -> None:
        self.bad = bad
        self.calls = 0

    def score(self, columns: Any, attempts: int | None = None) -> list[Decision]:
        self.calls += 1
        if self.bad.intersection(columns["amount"]):
            raise ScoringRejected("bad row")
        return [Decision(0, float(amount), 0.5, "1") for amount in columns["amount"]]


@pytest.mark.parametrize("bad", [set(), {0}, {99}, {3, 50, 51}])
def test_only_the_bad_rows_are_refused(bad: set[int]) -> None:
    scorer = Refusing(bad)
    decisions = score_rows(scorer, {"amount": list(range(100))}, 100)
    assert {row for row, decision in enumerate(decisions) if isinstance(decision, str)} == bad
    assert all(isinstance(d, str) or d.score == row for row, d in enumerate(decisions))
    assert scorer.calls <= 2 + 2 * 7 * len(bad)


@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_service_that_refuses_every_row_refuses_none(count: int) -> None:
    class Other:
        def score(self, columns: Any, attempts: int | None = None) -> list[Decision]:
            raise ScoringRejected("HTTP 400: row 0: merchant: missing")

    with pytest.raises(ScoringFailed, match=r"refuses every row.*merchant: missing.*models list"):
        score_rows(Other(), {"amount": [1.0] * count}, count)


def test_no_rows_need_no_request() -> None:
    scorer = Refusing(set())
    assert score_rows(scorer, {"amount": []}, 0) == []
    assert scorer.calls == 0


class Model:
    """A scorer whose model fails at certain amounts."""

    def __init__(self, *bad: float) -> None:
        self.bad = bad
        self.calls = 0

    def score(self, columns: Any, attempts: int | None = None) -> list[Decision]:
        self.calls += 1
        if set(columns["amount"]) & set(self.bad) or not self.bad:
            raise ScoringFailed("HTTP 500: Version 3 of 'fraud' failed (ZeroDivisionError)")
        return [Decision(0, amount, 0.5, "3") for amount in columns["amount"]]


def test_a_row_at_which_the_model_fails_is_found_and_the_others_are_scored() -> None:
    amounts = [float(number) for number in range(20_000)]
    model = Model(12_345.0)
    decisions = score_rows(model, {"amount": amounts}, len(amounts))
    assert [row for row, decision in enumerate(decisions) if isinstance(decision, str)] == [12_345]
    assert str(decisions[12_345]).startswith("cannot be scored: HTTP 500: Version 3")
    assert [decision.score for decision in decisions if isinstance(decision, Decision)] == [
        amount for amount in amounts if amount != 12_345.0
    ]
    assert model.calls < 40


def test_rows_that_met_a_bad_moment_are_scored() -> None:
    class Recovering(Model):
        def score(self, columns: Any, attempts: int | None = None) -> list[Decision]:
            self.calls += 1
            if self.calls <= 15 or 7.0 in columns["amount"]:
                raise ScoringFailed("HTTP 500: out of memory")
            return [Decision(0, amount, 0.5, "3") for amount in columns["amount"]]

    amounts = [float(number) for number in range(1_000)]
    decisions = score_rows(Recovering(1.0), {"amount": amounts}, len(amounts))
    assert [row for row, decision in enumerate(decisions) if isinstance(decision, str)] == [7]


def test_a_row_alone_is_to_blame_where_a_plain_one_is_scored() -> None:
    (decision,) = score_rows(Model(7.0), {"amount": [7.0]}, 1)
    assert str(decision).startswith("cannot be scored: ")


@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_model_that_fails_at_everything_blames_no_row(count: int) -> None:
    model = Model()
    with pytest.raises(ScoringFailed):
        score_rows(model, {"amount": [1.0] * count}, count)
    assert model.calls < 20


def test_the_service_that_answers_500_again_and_again_has_failed(service: Service) -> None:
    service.answers = [(500, {"error": "Version 3 failed"})] * 3
    with pytest.raises(ScoringFailed, match="Version 3 failed"):
        RemoteScorer(Settings(scoring_url=service.url, scoring_attempts=3)).score(COLUMNS)


def test_a_service_that_is_restarting_has_not_failed(service: Service) -> None:
    service.answers = [(500, {"error": "x"}), (503, {"error": "no champion"})]
    with pytest.raises(ScoringUnavailable) as caught:
        RemoteScorer(Settings(scoring_url=service.url, scoring_attempts=2)).score(COLUMNS)
    assert type(caught.value) is ScoringUnavailable
