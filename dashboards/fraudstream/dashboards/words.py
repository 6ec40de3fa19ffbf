"""How fields, values and numbers read on the pages."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, get_args

from fraudstream.core.event import Category, DayOfWeek, Method, TransactionType
from fraudstream.core.rollups import AMOUNT_BIN, HOUR, amount_bins
from fraudstream.dashboards.queries import Decision

NBSP = "\u00a0"
NOTHING = "–"

# Every value of a dimension in the order in which it is drawn.
VALUES: dict[str, tuple[str, ...]] = {
    "day_of_week": get_args(DayOfWeek),
    "month": tuple(str(month) for month in range(1, 13)),
    "category_recipient": get_args(Category),
    "transaction_type": get_args(TransactionType),
    "transaction_method": get_args(Method),
    HOUR: tuple(str(hour) for hour in range(24)),
    AMOUNT_BIN: amount_bins(),
}

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


def label(dimension: str, value: str) -> str:
    """A dimension's value as an axis shows it."""
    if dimension == "month" and value.isdigit() and 1 <= int(value) <= 12:
        return calendar.month_abbr[int(value)]
    if dimension == "day_of_week":
        return value[:3].capitalize()
    if dimension == AMOUNT_BIN:
        return value.split("-")[0]
    if dimension == HOUR:
        return value.zfill(2)
    return _VALUE_LABELS.get(value, value.replace("_", " ").capitalize())


def long_label(dimension: str, value: str) -> str:
    """The same within a sentence or a tooltip."""
    if dimension == "month" and value.isdigit() and 1 <= int(value) <= 12:
        return calendar.month_name[int(value)]
    if dimension == "day_of_week":
        return value.capitalize()
    if dimension == AMOUNT_BIN:
        return f"amounts {value.replace('-', '–')}"
    if dimension == HOUR:
        return f"{value.zfill(2)}:00–{value.zfill(2)}:59 UTC"
    return label(dimension, value)


def count(number: float) -> str:
    return f"{number:,.0f}"


def money(number: float) -> str:
    return f"{number:,.2f}"


def percent(rate: float | None, digits: int = 1) -> str:
    return NOTHING if rate is None else f"{100 * rate:.{digits}f}{NBSP}%"


def milliseconds(number: float | None) -> str:
    """A duration with its unit: milliseconds below a second, else seconds."""
    if number is None:
        return NOTHING
    return f"{number:,.0f}{NBSP}ms" if number < 1000 else f"{number / 1000:,.2f}{NBSP}s"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"


def reasons_in_words(decision: Decision) -> str:
    """What raised the score most, strongest first: ``Foreign transaction, amount 412.50, tech store``."""
    phrases = [_phrase(name, decision.features) for name, _ in decision.reasons]
    text = ", ".join(dict.fromkeys(phrases))
    return text[:1].upper() + text[1:]


def reasons_in_figures(reasons: Iterable[tuple[str, float]]) -> str:
    """The same with the contributions, in log-odds."""
    return "\n".join(f"{name.replace('_', ' ')}: {contribution:+.2f} log-odds" for name, contribution in reasons)


def _phrase(name: str, features: Mapping[str, Any]) -> str:
    value = features.get(name)
    if value is None:
        return name.replace("_", " ")
    match name:
        case "amount":
            return f"amount {money(value)}"
        case "old_balance":
            return f"balance {count(value)}"
        case "income":
            return f"income {count(value)}"
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
