"""The report of a version, under the headings that a review of models asks for, each figure from its run.

Guidance on model risk in the United States (SR 26-2 of 2026, which took the place of SR 11-7) asks for the purpose, a
sound development, an independent validation, ongoing monitoring, limits, and effective challenge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURE_RULES, FEATURES, LABEL, OPTIONAL_FEATURES, PROJECT
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.registry import registry_client
from fraudstream.ml.evaluation.held_out import COST, COST_WITHOUT, LISTED_PRECISION
from fraudstream.ml.monitoring.watch import Observation, observe
from fraudstream.ml.registry import Version, versions
from fraudstream.ml.reporting.document import Block, Heading, Paragraph, Picture, Table
from fraudstream.ml.reporting.run_record import RunRecord, read_record

_LEAST_FRAUDS = 100
_MOST_ROWS = 12
_FIGURES = (
    ("average_precision", "average precision"),
    ("roc_auc", "area under the ROC curve"),
    ("recall_at_1pct_fpr", "recall at 1 % false positives"),
    ("recall_at_5pct_fpr", "recall at 5 % false positives"),
    (LISTED_PRECISION, LISTED_PRECISION.replace("_", " ")),
    ("precision", "precision at the threshold"),
    ("recall", "recall at the threshold"),
    ("brier", "Brier score"),
    ("ece", "expected calibration error"),
    (COST, "cost of 1,000 transactions"),
    (COST_WITHOUT, "the same without any model"),
)


# Parameters of a run, and what they are called in a report.
_LINEAGE = (
    *(("dataset_rows", "labelled transactions"), ("dataset_train_rows", "learnt from")),
    *(("dataset_test_rows", "held out"), ("dataset_unknown_rows", "between them, with labels that came too late")),
    *(("dataset_left_out_rows", "left out, as they break the contract"), ("dataset_from", "from")),
    *(("dataset_learnt_until", "learnt until"), ("dataset_test_from", "held out from"), ("dataset_until", "until")),
    ("dataset_label_delay_hours", "delay of labels, hours"),
    ("dataset_fingerprint", "fingerprint (SHA-256)"),
)


Look = Callable[[Settings], Observation]


def report(settings: Settings, version: str, look: Look = observe) -> tuple[str, list[Block]]:
    """The title and the blocks of a version's report. ``look`` observes the champion's newest transactions.

    Raises :class:`ModelError` if there is no such version, and :class:`RegistryUnavailable`.
    """
    client = registry_client(settings)
    record = read_record(settings, client, version)
    seen: Observation | str
    try:
        seen = look(settings)
    except FraudstreamError as error:
        seen = str(error)
    title = f"Model report: {settings.model_name}, version {version}"
    sections = (
        _purpose(settings, record),
        _lineage(record),
        _development(record),
        _validation(record),
        _limits(record),
        _monitoring(record, seen),
        _challenge(record, versions(settings, client)),
    )
    return title, [block for section in sections for block in section]


def _purpose(settings: Settings, record: RunRecord) -> Iterator[Block]:
    bands = record.evaluation.get("bands", {})
    made = datetime.fromtimestamp(record.created_at_ms / 1000, UTC)
    yield Paragraph(
        f"Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC from the run {record.run_id or 'of another program'}."
    )
    yield Heading("Purpose")
    yield Paragraph(
        f"The model gives each transaction of the project {PROJECT.definition.title!r} a probability of fraud, before "
        f"the transaction's label ({LABEL}) is known. From the threshold on a transaction is an alert."
    )
    yield _facts(
        "The version",
        {
            "registered model": settings.model_name,
            "version": record.version,
            "role": record.role,
            "registered at": f"{made:%Y-%m-%d %H:%M} UTC",
            "alert from a score of": _shown(bands.get("threshold", record.metrics.get("threshold"))),
            "declined without a review from": _shown(bands.get("decline_from")),
            "most alerts, share of transactions": _shown(record.evaluation.get("alert_budget")),
        },
    )
    costs = record.evaluation.get("costs")
    if costs and record.evaluation.get("costs_are_known"):
        yield _facts("What decisions cost", {name.replace("_", " "): _shown(value) for name, value in costs.items()})
    else:
        yield Paragraph("The project names no costs: a missed fraud and a false alert count 1 each.")


def _lineage(record: RunRecord) -> Iterator[Block]:
    yield Heading("Data lineage")
    yield _facts("The history", {shown: record.parameters.get(name, "–") for name, shown in _LINEAGE})
    if left_out := record.tags.get("left_out"):
        yield Paragraph(f"Why transactions were left out: {left_out}.")
    rows = [
        (name, FEATURE_RULES[name].expectation, "may be missing" if name in OPTIONAL_FEATURES else "required")
        for name in FEATURES
    ]
    yield Table("Inputs", ("field", "values", "presence"), rows)


def _development(record: RunRecord) -> Iterator[Block]:
    yield Heading("Development")
    own = {
        name: value
        for name, value in sorted(record.parameters.items())
        if not name.startswith(("dataset_", "calibration")) and name != "code_fingerprint"
    }
    yield _facts("Parameters", {"algorithm": record.tags.get("algorithm", "–"), **own})
    tried = {
        name.removeprefix("cv_").replace("_", " "): _shown(value)
        for name, value in sorted(record.metrics.items())
        if name.startswith("cv_")
    }
    if tried:
        yield Paragraph(
            "Depth and number of trees were chosen on the later rows of folds that follow each other in time."
        )
        yield _facts("What was tried", tried)
    calibration = {
        name.replace("_", " "): _shown(value)
        for name, value in sorted({**record.metrics, **_numbers(record.parameters)}.items())
        if name.startswith("calibration")
    }
    yield _facts("Calibration", {"method": record.parameters.get("calibration", "–"), **calibration})
    yield _facts(
        "What makes the training repeatable",
        {
            "seed": record.parameters.get("seed", record.parameters.get("random_state", "–")),
            "code (SHA-256)": record.parameters.get("code_fingerprint", "–"),
            "model (SHA-256)": record.tags.get("model_fingerprint", "–"),
        },
    )


def _validation(record: RunRecord) -> Iterator[Block]:
    yield Heading("Validation")
    frauds = record.evaluation.get("frauds")
    yield Paragraph(
        f"On {record.parameters.get('dataset_test_rows', 'an unknown number of')} held-out transactions, "
        f"{_shown(frauds)} of them frauds, all later than those that were learnt from. Intervals hold with 95 % "
        "confidence (bootstrap, of whole cards where the project names one)."
    )
    yield Table(
        "Figures",
        ("figure", "value", "interval"),
        [
            (shown, _shown(record.metrics[name]), _interval(record.metrics, name))
            for name, shown in _FIGURES
            if name in record.metrics
        ],
    )
    confusion = ("true_positive", "false_positive", "false_negative", "true_negative")
    if all(name in record.metrics for name in confusion):
        yield _facts("Decisions", {name.replace("_", " "): f"{record.metrics[name]:,.0f}" for name in confusion})
    yield from _tables(record.evaluation)
    yield from (Picture(name.removesuffix(".png").replace("_", " "), png) for name, png in record.pictures.items())


def _tables(evaluation: Mapping[str, Any]) -> Iterator[Block]:
    if bins := evaluation.get("reliability"):
        columns = ("scores", "transactions", "mean score", "share of frauds")
        yield Table("Reliability", columns, [_bin(filled) for filled in bins])
    if campaigns := evaluation.get("campaigns"):
        columns = ("campaign", "frauds", "recall", "average precision")
        yield Table("By campaign", columns, [_campaign(name, of) for name, of in campaigns.items()])
    if importance := evaluation.get("importance"):
        title = "Importance: mean absolute contribution, log-odds"
        inputs = [(name, _shown(value)) for name, value in list(importance.items())[:_MOST_ROWS]]
        yield Table(title, ("input", "contribution"), inputs)
    if curve := evaluation.get("cost_curve"):
        names = ("threshold", "alert_share", "precision", "recall", COST)
        some = curve[:: max(1, len(curve) // _MOST_ROWS)]
        points = [[_shown(point[name]) for name in names] for point in some]
        yield Table("What other thresholds would have cost", [name.replace("_", " ") for name in names], points)


def _bin(filled: Mapping[str, float]) -> tuple[str, ...]:
    scores = f"{filled['from']:.1f}–{filled['to']:.1f}"
    return scores, f"{filled['count']:,}", _shown(filled["mean_score"]), _shown(filled["fraud_share"])


def _campaign(name: str, of: Mapping[str, float]) -> tuple[str, ...]:
    shown = name or "without a campaign"
    return shown, f"{of['frauds']:,.0f}", _shown(of["recall"]), _shown(of["average_precision"])


def _limits(record: RunRecord) -> Iterator[Block]:
    yield Heading("Limits")
    frauds = int(record.evaluation.get("frauds", record.metrics.get("true_positive", 0)))
    gap = record.metrics.get("train_average_precision", 0.0) - record.metrics.get("average_precision", 0.0)
    yield Paragraph(
        f"The figures rest on {frauds:,} held-out frauds"
        + (", which are few: the intervals are wide." if frauds < _LEAST_FRAUDS else ".")
        + f" On the rows that it learnt from, the average precision is {gap:+.4f} from that of the held-out ones."
    )
    yield Paragraph(
        f"It knows what the inputs say at the moment of the transaction, and nothing else. It has not seen kinds of "
        f"fraud that begin after {record.parameters.get('dataset_learnt_until', 'its training')}. Values that the "
        "project does not list count as missing."
    )
    if not record.evaluation.get("costs_are_known"):
        yield Paragraph("Its threshold is not that of least cost: the project names no costs.")
    if record.parameters.get("calibration") == "none":
        yield Paragraph("Its scores are not calibrated further: no step made them better on later rows beyond chance.")


def _monitoring(record: RunRecord, seen: Observation | str) -> Iterator[Block]:
    yield Heading("Ongoing monitoring")
    yield Paragraph(
        "`fraudstream monitor` holds the newest live transactions against those of the training: each input, the "
        "score, the share of alerts, and each campaign whose labels are known. Limits follow from the numbers of rows "
        "and a stated rate of false alarms."
    )
    if isinstance(seen, str):
        yield Paragraph(f"There is nothing to be seen now: {seen}")
        return
    if seen.version != record.version:
        yield Paragraph(f"The champion is version {seen.version}; what follows is of that version.")
    now = seen.to_json()
    yield _facts(
        "The newest transactions",
        {
            "live transactions": f"{now['rows']:,}",
            "from": now["from"],
            "until": now["until"],
            "share of alerts": _shown(now["alert_rate"]),
            "frauds, estimated from the scores": _shown(now["estimated"]["frauds"]),
            "precision, estimated from the scores": _shown(now["estimated"]["precision"]),
            "with a label": f"{now['known']['labelled']:,}",
            "precision on those": _shown(now["known"]["precision"]),
            "average precision on those": _shown(now["known"]["average_precision"]),
            "false alarms, share of windows": _shown(seen.drift.false_alarms),
        },
    )
    if not seen.drift.drifted:
        yield Paragraph(f"No drift: {len(seen.drift.measures)} measures are within their limits.")
        return
    yield Table(
        "Drift",
        ("of", "measure", "value", "limit"),
        [(found.name, found.measure, _shown(found.value), _shown(found.limit)) for found in seen.drift.drifted],
    )


def _challenge(record: RunRecord, registered: Sequence[Version]) -> Iterator[Block]:
    yield Heading("Challenge")
    if "logistic_average_precision" in record.metrics:
        yield Paragraph(
            "A logistic regression on the same inputs and rows has an average precision of "
            f"{_shown(record.metrics['logistic_average_precision'])}; this version has "
            f"{_shown(record.metrics.get('average_precision'))}."
        )
    rows = [
        (
            f"version {other.version}",
            other.role,
            other.algorithm or "–",
            *(_shown(other.metrics.get(name)) for name in ("average_precision", "roc_auc", "ece", COST)),
        )
        for other in registered[:_MOST_ROWS]
    ]
    columns = ("version", "role", "algorithm", "average precision", "ROC AUC", "ECE", "cost of 1,000")
    yield Table("Versions, each on the rows that its own training held out", columns, rows)
    former = f" It took the role from version {record.predecessor}." if record.predecessor else ""
    yield Paragraph(
        "`fraudstream models compare A B` compares two versions on the same labelled transactions, which neither "
        f"learnt from; `fraudstream models rollback` gives the role back.{former}"
    )


def _facts(title: str, facts: Mapping[str, str]) -> Table:
    return Table(title, ("what", "value"), list(facts.items()))


def _numbers(parameters: Mapping[str, str]) -> dict[str, float]:
    names = ("calibration_slope", "calibration_intercept")
    return {name: float(parameters[name]) for name in names if name in parameters}


def _interval(metrics: Mapping[str, float], name: str) -> str:
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    return "–" if low is None or high is None else f"{_shown(low)} to {_shown(high)}"


def _shown(value: Any) -> str:
    """A figure with four significant digits."""
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
