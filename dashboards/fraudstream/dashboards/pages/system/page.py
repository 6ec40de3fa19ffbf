"""The system page: the state and speed of each part, and the model that serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Output, dcc, html

from fraudstream.dashboards.data import measures
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.parts.health import PartHealth, Phase, SystemSnapshot
from fraudstream.dashboards.data.parts.model import ModelInfo
from fraudstream.dashboards.data.searches import RejectedSnapshot
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.data.tail import SPAN, TailView
from fraudstream.dashboards.pages.system import figures as system_figures
from fraudstream.dashboards.ui import panels
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.formats import NOTHING, Formats
from fraudstream.dashboards.ui.panels import Card, Panel
from fraudstream.dashboards.ui.refresh import Refresh, first_question
from fraudstream.dashboards.ui.rendering import Rendered, request_formats
from fraudstream.dashboards.ui.shell import heading
from fraudstream.dashboards.ui.theme import Scheme, scheme_of

PATH = "/system"
TITLE = "System"
REFRESH_MS = 3_000

CARDS = (
    Card("system-rate", "Scored a second", "finished by the stream job"),
    Card("system-lag", "Waiting to be scored", "records of transactions"),
    Card("system-store-lag", "Waiting to be stored", "records of all topics"),
    Card("system-latency", "Latency, p95", "last hour, arrival to decision"),
    Card("system-rejected", "Rejected lately", "among the newest records", "fraud"),
    Card("system-model", "Model version", "the champion"),
)
CARDS_ID = "system-cards"
RATES = Panel("system-rates", "Throughput", "Records that each job finished a second", wide=6, height=230)
LAGS = Panel("system-lags", "Lag", "Records that wait for each job", wide=6, height=230)
LATENCY = Panel(
    "system-latencies", "Latency", "From arrival to decision, by minute of arrival, UTC", wide=6, height=230
)
REJECTED = Panel("system-rejections", "Rejected", "The newest rejected events by field", wide=6, height=230)
PANELS = (RATES, LAGS, LATENCY, REJECTED)

# Each phase has a sign beside its colour, and a word beside the sign.
PHASES: dict[Phase, tuple[str, str]] = {
    "ok": ("●", "Working"),
    "idle": ("○", "Idle"),
    "behind": ("▲", "Behind"),
    "stalled": ("■", "Stalled"),
    "failing": ("✖", "Failing"),
    "away": ("✕", "Away"),
    "unknown": ("?", "Unknown"),
}

# The model's metrics that are numbers of transactions, and the abbreviations in the metrics' names.
_COUNTED = frozenset({"true_negative", "false_positive", "false_negative", "true_positive"})
_ABBREVIATED = {"Roc auc": "ROC AUC", "Cv ": "CV ", "Ece": "ECE", "1pct fpr": "1% FPR"}


def layout(_search: str | None = None) -> html.Div:
    """The page before its first data."""
    parts = panels.frame(
        "system-parts", "Parts", "Each asked over its own protocol", html.Div(id="system-parts-list"), 7
    )
    model = panels.frame("system-model-panel", "Serving model", "", html.Div(id="system-model-body"), 5)
    return html.Div(
        [
            heading("System", "Health, lag, throughput and latency of each part", None),
            panels.cards_layout(CARDS_ID, CARDS),
            dmc.Grid([parts, model, *(panel.layout() for panel in PANELS)], gutter="md"),
            first_question("system-first"),
            dcc.Interval(id="system-tick", interval=REFRESH_MS),
        ],
        className="page",
    )


def part_list(parts: Sequence[PartHealth], forms: Formats) -> html.Div:
    """The parts as a table."""
    head = html.Thead(
        html.Tr([html.Th(name, scope="col") for name in ("Part", "State", "Records/s", "Lag", "Answer", "Errors")])
    )
    table = html.Table([head, html.Tbody([_part(part, forms) for part in parts])], className="parts")
    # A phone has to scroll the columns: tabIndex lets the keyboard do it too.
    scrollable: dict[str, Any] = {"role": "region", "tabIndex": "0", "aria-label": "Parts"}
    return html.Div(table, className="parts-box", **scrollable)


def _part(part: PartHealth, forms: Formats) -> html.Tr:
    sign, word = PHASES[part.phase]
    state = html.Span([html.Span(sign, className="phase-sign", **aria(hidden="true")), word], className="phase")
    return html.Tr(
        [
            html.Th([part.name, html.Div(part.detail, className="part-detail")], scope="row"),
            html.Td(state),
            html.Td(NOTHING if part.rate is None else forms.decimals(part.rate, 1)),
            html.Td(NOTHING if part.lag is None else forms.count(part.lag)),
            html.Td(forms.milliseconds(part.answer_ms)),
            html.Td(NOTHING if part.errors is None else forms.count(part.errors)),
        ],
        className=f"part part--{part.phase}",
    )


def model_body(model: ModelInfo, forms: Formats) -> html.Div:
    """The champion's version and metrics, with links into MLflow."""
    if not model.name:
        return html.Div(html.P("The registry does not answer: see MLflow among the parts.", className="quiet"))
    if model.version is None:
        return html.Div(html.P("No champion yet: `fraudstream train` registers a first one.", className="quiet"))
    links = [
        html.A(text, href=url, target="_blank", rel="noopener", className="link")
        for text, url in (("Version in MLflow", model.model_url), ("Training run", model.run_url))
        if url
    ]
    facts = [("Model", model.name), ("Version", model.version)]
    if model.created_at:
        facts.append(("Registered", f"{forms.date(model.created_at)} {forms.clock(model.created_at)}"))
    metrics = [
        (_metric(name), forms.count(value) if name in _COUNTED else forms.decimals(value, 4))
        for name, value in sorted(model.metrics.items())
    ]
    return html.Div(
        [
            html.Div(links, className="links"),
            panels.facts([*facts, *metrics]),
        ]
    )


def _metric(name: str) -> str:
    words = name.replace("_", " ").capitalize()
    for capitalized, abbreviation in _ABBREVIATED.items():
        words = words.replace(capitalized, abbreviation)
    return words


def card_values(
    system: SystemSnapshot, rejected: RejectedSnapshot | None, latency: float | None, forms: Formats
) -> dict[str, str]:
    """Each card's number."""
    parts = {part.name: part for part in system.parts}
    stream, store = parts.get("Stream job"), parts.get("Store job")
    return {
        "system-rate": NOTHING if stream is None or stream.rate is None else forms.decimals(stream.rate, 1),
        "system-lag": NOTHING if stream is None or stream.lag is None else forms.count(stream.lag),
        "system-store-lag": NOTHING if store is None or store.lag is None else forms.count(store.lag),
        "system-latency": forms.milliseconds(latency),
        "system-rejected": NOTHING if rejected is None else forms.count(_last_hour(rejected, system.read_at)),
        "system-model": system.model.version or NOTHING,
    }


def _last_hour(rejected: RejectedSnapshot, now: datetime) -> int:
    return sum(document["rejected_at"] > now - timedelta(hours=1) for document in rejected.documents)


def card_units(rejected: RejectedSnapshot | None, forms: Formats) -> dict[str, str]:
    """The line below each card's number."""
    count = len(rejected.documents) if rejected else 0
    return {card.id: card.unit for card in CARDS} | {
        "system-rejected": f"last hour, of the newest {forms.count(count)}"
    }


def register(app: Dash, sources: Sources) -> Refresh:  # noqa: ARG001 - every page's signature
    """Returns the page's refresh; it has no other callbacks."""
    return Refresh(
        "system",
        outputs=panels.headline_outputs(PANELS, CARDS, CARDS_ID)
        | {
            "parts": Output("system-parts-list", "children"),
            "parts_state": panels.state_outputs("system-parts"),
            "model": Output("system-model-body", "children"),
            "model_state": panels.state_outputs("system-model-panel"),
            "model_insight": Output("system-model-panel-insight", "children"),
        },
        inputs={},
        answer=_answer(sources),
    )


def _answer(sources: Sources) -> Callable[..., dict[str, Any]]:
    renderings = Rendered(seconds=1.0)

    def answer(_tick: int | None, scheme: str | None, patience_seconds: float = 5.0) -> dict[str, Any]:
        view, tail = sources.system.look(patience_seconds), sources.tail.look()
        rejected = sources.rejected.look(min(patience_seconds, 1.0))
        now, forms, colours = sources.now(), request_formats(), scheme_of(scheme)
        key = (
            view.snapshot is None,
            view.problem,
            rejected.problem,
            tail.caught_up,
            tail.problem,
            colours,
            forms.locale,
        )
        outputs: dict[str, Any] = renderings.get(key, lambda: _rendered(view, rejected, tail, now, colours, forms))
        return outputs

    return answer


def _rendered(
    view: View[SystemSnapshot],
    rejected: View[RejectedSnapshot],
    tail: TailView,
    now: datetime,
    scheme: Scheme,
    forms: Formats,
) -> dict[str, Any]:
    snapshot = view.snapshot
    read_at = snapshot.read_at if snapshot else None
    state = panels.state_of(view.problem, read_at, 1, "", forms, "The system")
    window = tail.window
    latencies = window.latencies(now - SPAN)
    by_minute = window.latency_by_minute(now - SPAN)
    samples = snapshot.samples if snapshot else ()
    newest = rejected.snapshot
    fields = [document["field"] for document in newest.documents] if newest else []
    wait = "Two looks are needed for a rate." if snapshot else ""
    no_lag = "Kafka does not answer, or nothing was sent yet."
    no_latency = tail.problem or "Nothing scored in the last hour."
    measured = sum(rate is not None for sample in samples for rate in sample.rates.values())
    lagging = sum(lag is not None for sample in samples for lag in sample.lags.values())
    tail_read = now if tail.caught_up or len(window) else (now if tail.problem else None)
    return {
        "panels": {
            RATES.id: RATES.show(
                panels.state_of(view.problem, read_at, measured, wait, forms),
                system_figures.rates(samples, forms),
                scheme,
            ),
            LAGS.id: LAGS.show(
                panels.state_of(view.problem, read_at, lagging, no_lag, forms),
                system_figures.lags(samples, forms),
                scheme,
            ),
            LATENCY.id: LATENCY.show(
                panels.state_of("", tail_read, len(by_minute), no_latency, forms),
                system_figures.latencies(by_minute, forms),
                scheme,
            ),
            REJECTED.id: REJECTED.show(
                panels.state_of(
                    rejected.problem,
                    newest.read_at if newest else None,
                    len(fields),
                    "Nothing was rejected: every event kept the contract.",
                    forms,
                ),
                system_figures.rejections(fields, forms),
                scheme,
            ),
        },
        "cards": card_values(snapshot or SystemSnapshot(now), newest, measures.quantile(latencies, 0.95), forms),
        "units": card_units(newest, forms),
        "cards_state": panels.show_state(state),
        "parts": part_list(snapshot.parts, forms) if snapshot else "",
        "parts_state": panels.show_state(state),
        "model": model_body(snapshot.model, forms) if snapshot else "",
        "model_state": panels.show_state(state),
        "model_insight": snapshot.model.summary.capitalize() if snapshot else "",
    }
