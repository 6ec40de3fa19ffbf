"""One transaction, end to end, as the page shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dash import html

from fraudstream.core.contract.event import AMOUNT, RULES
from fraudstream.core.contract.field_rules import value_at
from fraudstream.dashboards.data import fields, stored
from fraudstream.dashboards.data.parts.model import version_address
from fraudstream.dashboards.data.searches import stages
from fraudstream.dashboards.ui import panels, words
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.formats import NOTHING, Formats

_STRONGEST = 3.0
_MANY_FIELDS = 40


def transaction(document: Mapping[str, Any], forms: Formats, model_address: str) -> html.Div:
    """A stored transaction: its decision, its way through the parts, its reasons, fields and document."""
    return html.Div(
        [
            _summary(document, forms, model_address),
            html.Div([_way(document, forms), _reasons(document, forms)], className="explorer-columns"),
            html.Div([_fields(document, forms), _document(document)], className="explorer-columns"),
        ],
        className="explorer-transaction",
    )


def _summary(document: Mapping[str, Any], forms: Formats, model_address: str) -> html.Dl:
    scored = "prediction" in document
    fraud = fields.is_fraud(document)
    verdict = words.verdict(fraud=fraud, labelled=not scored)
    version = stored.text(document.get("model_version", NOTHING), 60)
    address = version_address(model_address, version) if scored else ""
    link = html.A(version, href=address, target="_blank", rel="noopener", className="link") if address else version
    score, threshold = stored.number(document.get("score")), stored.number(document.get("threshold"))
    facts = [
        ("Decision", html.Span(verdict, className="verdict verdict--fraud" if fraud else "verdict")),
        ("Score", NOTHING if score is None else forms.decimals(score, 3)),
        ("Threshold", NOTHING if threshold is None else forms.decimals(threshold, 3)),
        ("Model version", link),
        (words.field_label(AMOUNT), words.money(stored.number(value_at(document, RULES[AMOUNT].path)), forms)),
        ("Latency", forms.milliseconds(stored.number(document.get("latency_ms")))),
    ]
    return panels.facts(facts, wide=True, label="Decision")


def _way(document: Mapping[str, Any], forms: Formats) -> html.Div:
    steps = []
    for stage in stages(document):
        after = "" if stage.after_ms is None or not stage.after_ms else f"+{forms.milliseconds(stage.after_ms)}"
        steps.append(
            html.Li(
                [
                    html.Div([html.Strong(stage.name), html.Span(after, className="stage-after")]),
                    html.Div(forms.moment(stage.at) if stage.at else NOTHING, className="stage-time"),
                    html.Div(stage.detail, className="stage-detail"),
                ]
            )
        )
    return html.Div([html.H3("Way through the parts"), html.Ol(steps, className="stages")])


def _reasons(document: Mapping[str, Any], forms: Formats) -> html.Div:
    reasons, known = stored.reasons(document.get("reasons")), stored.fields(document)
    if not reasons:
        text = (
            "Reasons are kept for frauds that the model found." if "prediction" in document else "Labelled, not scored."
        )
        return html.Div([html.H3("Reasons"), html.P(text, className="quiet")])
    items = [
        html.Li(
            [
                html.Span(words.reasons_of([(name, weight)], known, forms), className="reason-name"),
                html.Span(
                    html.Span(className="reason-bar", style={"width": _width(weight)}),
                    className="reason-track",
                ),
                html.Span(f"{'+' if weight >= 0 else '−'}{forms.decimals(abs(weight), 2)}", className="reason-weight"),
            ]
        )
        for name, weight in reasons
    ]
    note = "What raised the score most, in log-odds"
    return html.Div([html.H3("Reasons"), html.P(note, className="quiet"), html.Ul(items, className="reasons")])


def _width(weight: float) -> str:
    return f"{100 * min(abs(weight) / _STRONGEST, 1):.0f}%"


def _fields(document: Mapping[str, Any], forms: Formats) -> html.Div:
    rows = [
        (words.with_unit(words.field_label(name), name), words.exact(name, value, forms))
        for name, value in stored.fields(document).items()
    ]
    # Hundreds of fields scroll by themselves.
    class_name = "facts-long" if len(rows) > _MANY_FIELDS else ""
    return html.Div(
        [html.H3("Fields"), html.Div(panels.facts(rows), className=class_name, tabIndex=0 if class_name else None)]
    )


def _document(document: Mapping[str, Any]) -> html.Div:
    text = json.dumps(stored.plain(document), ensure_ascii=False, indent=2)
    return html.Div(
        [html.H3("Document"), html.Pre(text, className="document", tabIndex=0, **aria(label="The stored document"))]
    )
