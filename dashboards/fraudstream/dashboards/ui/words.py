"""Fields, values and decisions in words."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from typing import Any

from fraudstream.core.contract.rollups import ALL, AMOUNT_BIN, HOUR
from fraudstream.core.output.text import printable
from fraudstream.dashboards.data.queries import Decision
from fraudstream.dashboards.ui.formats import Formats

DIMENSION_LABELS = {
    ALL: "All",
    "day_of_week": "Day of week",
    "month": "Month",
    "category_recipient": "Category",
    "transaction_type": "Type",
    "transaction_method": "Method",
    HOUR: "Hour of day, UTC",
    AMOUNT_BIN: "Amount",
    "minute": "Minute",
}

_LONGEST_PLOTTED = 60
_NUMBERS = ("amount", "old_balance", "income", "credit", "children", "foreign_transaction")

_VALUE_LABELS = {
    "food_store": "Food store",
    "restaurant": "Restaurant",
    "dress_store": "Dress store",
    "tech_store": "Tech store",
    "big_purchase": "Big purchase",
    "internet_payement": "Internet payment",
    "card_with_contact": "Card, contact",
    "card_without_contact": "Card, contactless",
}


def verdict(*, fraud: bool, labelled: bool = False) -> str:
    """A decision in words; ``labelled``: it is a label of the history, no decision of the model."""
    return ("▲ Fraud" if fraud else "Legitimate") + (", labelled" if labelled else "")


def label(dimension: str, value: str) -> str:
    """A dimension's value as an axis shows it."""
    return _texts(dimension, value)[0]


def long_label(dimension: str, value: str) -> str:
    """The same within a sentence or a tooltip."""
    return _texts(dimension, value)[1]


def _texts(dimension: str, value: str) -> tuple[str, str]:
    """A value on an axis and in a sentence."""
    if dimension == "month" and (month := _month(value)):
        return calendar.month_abbr[month], calendar.month_name[month]
    if dimension == "day_of_week":
        return value[:3].capitalize(), value.capitalize()
    if dimension == AMOUNT_BIN:
        return value.split("-")[0], f"amounts {value.replace('-', '–')}"
    if dimension == HOUR:
        hour = value.zfill(2)
        return hour, f"{hour}:00–{hour}:59 UTC"
    text = _VALUE_LABELS.get(value, value.replace("_", " ").capitalize())
    return text, text


def _month(value: str) -> int | None:
    """The month's number; None for any other text, even `²` or thousands of digits."""
    number = int(value) if value.isdecimal() and len(value) <= 2 else 0
    return number if 1 <= number <= 12 else None


def plotly_text(text: str) -> str:
    """Text for a figure's labels and tooltips: Plotly reads ``<`` as the beginning of a tag, so it is escaped."""
    return printable(text, _LONGEST_PLOTTED).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def reasons_in_words(decision: Decision, forms: Formats) -> str:
    """The fields that raised the score most, strongest first: ``Foreign transaction, amount 412.50, tech store``."""
    return reasons_of(decision.reasons, decision.features, forms)


def reasons_of(reasons: Iterable[tuple[str, float]], features: Mapping[str, Any], forms: Formats) -> str:
    """The same for the reasons and fields of a document."""
    phrases = [_phrase(name, features, forms) for name, _ in reasons]
    text = ", ".join(dict.fromkeys(phrases))
    return text[:1].upper() + text[1:]


def reasons_in_figures(reasons: Iterable[tuple[str, float]]) -> str:
    """The same with the contributions, in log-odds."""
    return "\n".join(f"{name.replace('_', ' ')}: {contribution:+.2f} log-odds" for name, contribution in reasons)


def _phrase(name: str, features: Mapping[str, Any], forms: Formats) -> str:
    value = features.get(name)
    if value is None:
        return name.replace("_", " ")
    if name in _NUMBERS and not isinstance(value, int | float):
        return f"{name.replace('_', ' ')} {value}"
    match name:
        case "amount":
            return f"amount {forms.money(value)}"
        case "old_balance":
            return f"balance {forms.count(value)}"
        case "income":
            return f"income {forms.count(value)}"
        case "credit":
            return _some(value, "credit", "credits")
        case "children":
            return _some(value, "child", "children")
        case "marital_status":
            return f"marital status {value}"
        case "foreign_transaction":
            return "foreign transaction" if value else "domestic transaction"
        case "month" | "day_of_week":
            return long_label(name, str(value))
        case _:
            return label(name, str(value)).lower()


def _some(number: int, singular: str, plural: str) -> str:
    return f"no {plural}" if number == 0 else f"{number} {singular if number == 1 else plural}"
