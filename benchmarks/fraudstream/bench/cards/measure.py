"""The simulator of cards: how fast it is, and what a model gains from behaviour over time on its transactions."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from sklearn.metrics import average_precision_score

from fraudstream.bench import bounds
from fraudstream.bench.bounds import Bound
from fraudstream.bench.cards import models
from fraudstream.bench.cards.models import Table
from fraudstream.bench.cards.over_time import Payments, features
from fraudstream.bench.cards.query import query_features
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.running import Report
from fraudstream.generator.simulators.cards import FIRST_ID, SEED, time_line
from fraudstream.generator.simulators.cards.events import Writer
from fraudstream.generator.simulators.cards.rows import CAMPAIGNS, DAY_MS, HOUR_MS, Rows
from fraudstream.generator.simulators.cards.world import CUSTOMERS, World, build_world

COLUMNS, EVENTS, LABELLED = "as columns", "as events", "as labelled events"
REGRESSION_ALONE, TREES_ALONE = "regression, one event", "XGBoost, one event"
REGRESSION, TREES = "regression, over time", "XGBoost, over time"
TREES_OF_QUERY = "XGBoost, the query's features"
MODELS = (REGRESSION_ALONE, TREES_ALONE, REGRESSION, TREES, TREES_OF_QUERY)

# Frauds that are customers' own payments: nothing in the event tells them from others.
HIDDEN = ("compromised_terminal",)
LEAST_HIDDEN, MOST_HIDDEN_RATIO = 0.3, 2.0
LEAST_GAIN, LEAST_LEAD = 0.10, 0.05
LEAST_BASE, MOST_BASE = 0.003, 0.01
LEAST_RATE, MOST_GROWTH_MIB = 200_000.0, 32.0

# A label is known so many days later; no training has a label that is not known when its test begins.
DELAY_DAYS = 7
# Windows, the delay and the known labels behind it reach so far back.
_FIRST_DAY = 21
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Plan:
    """How many customers there are, how long the folds are (days), and how many events the speed is measured on."""

    customers: int = CUSTOMERS
    folds: int = 4
    train_days: int = 21
    test_days: int = 7
    step_days: int = 14
    events: int = 1_000_000
    repeats: int = 3
    seed: int = SEED

    @property
    def days(self) -> int:
        """How many days of the time line the folds take."""
        return _FIRST_DAY + (self.folds - 1) * self.step_days + self.train_days + DELAY_DAYS + self.test_days


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part."""
    world = build_world(plan.seed, plan.customers)
    runs = list(_speeds(plan, world, report))
    report(f"{plan.days} days of {plan.customers:,} customers")
    with tempfile.TemporaryDirectory(prefix="fraudstream-cards-") as folder:
        events = Path(folder) / "events.jsonl"
        rows = _rows(world, plan.days, events)
        report(f"the query's features of {len(rows):,} transactions")
        computed = query_features(events, len(rows))
    folds = list(_folds(plan, world, rows, computed, report))
    quality = summarised(folds, rows)
    summary = figures.summarised(runs, "contender")
    return {
        "parameters": asdict(plan) | {"delay_days": DELAY_DAYS, "hidden": HIDDEN},
        "runs": runs,
        "summary": summary,
        "folds": folds,
        "quality": quality,
        "bounds": bounds.to_json(held(summary, quality)),
    }


def _speeds(plan: Plan, world: World, report: Report) -> Iterable[dict[str, Any]]:
    """Events a second of one core's time: other processes of the machine have no part in it."""
    made: dict[str, Callable[[], object]] = {
        COLUMNS: lambda: deque(time_line.rows(world, count=plan.events), maxlen=0),
        EVENTS: lambda: _written(world, plan.events, labelled=False),
        LABELLED: lambda: _written(world, plan.events, labelled=True),
    }
    for repeat in range(plan.repeats):
        for name in figures.rotated(tuple(made), repeat):
            report(f"{plan.events:,} transactions {name}, run {repeat + 1} of {plan.repeats}")
            before, began = psutil.Process().memory_info().rss, time.process_time()
            made[name]()
            seconds = time.process_time() - began
            growth = (psutil.Process().memory_info().rss - before) / _MIB
            yield {
                "repeat": repeat,
                "contender": name,
                "events_per_core_second": plan.events / seconds,
                "memory_growth_mib": growth,
            }


def _written(world: World, count: int, *, labelled: bool) -> None:
    writer, first_id = Writer(world.terminals, labelled=labelled), FIRST_ID
    for season, rows in time_line.rows(world, count=count):
        deque(writer.events(season, rows, first_id), maxlen=0)
        first_id += len(rows)


def _rows(world: World, days: int, events: Path) -> Rows:
    """The transactions of so many days, which are written to a file as events, JSON lines in the order of time."""
    parts: list[Rows] = []
    writer, next_id = Writer(world.terminals, labelled=False), FIRST_ID
    with events.open("wb") as file:
        for season, block in time_line.blocks(world):
            if season.day >= days:
                break
            parts.append(block)
            file.writelines(event + b"\n" for event in writer.events(season, block, next_id))
            next_id += len(block)
    return Rows.joined(parts)


def _folds(
    plan: Plan, world: World, rows: Rows, computed: Mapping[str, np.ndarray], report: Report
) -> Iterable[dict[str, Any]]:
    """Average precision of each model in each fold: over all frauds, and of each campaign's beside what is none."""
    report(f"features over time of {len(rows):,} transactions")
    alone, over_time, of_query = _tables(world, rows, computed)
    day = (rows.moment - rows.moment[0]) // DAY_MS
    for number in range(plan.folds):
        begin = _FIRST_DAY + number * plan.step_days
        tested = begin + plan.train_days + DELAY_DAYS
        train = np.flatnonzero((day >= begin) & (day < begin + plan.train_days))
        test = np.flatnonzero((day >= tested) & (day < tested + plan.test_days))
        report(f"fold {number + 1} of {plan.folds}: {len(train):,} rows to learn from, {len(test):,} to test on")
        scores = {
            REGRESSION_ALONE: models.regression(alone.at(train), alone.at(test), plan.seed),
            TREES_ALONE: models.trees(alone.at(train), alone.at(test), plan.seed),
            REGRESSION: models.regression(over_time.at(train), over_time.at(test), plan.seed),
            TREES: models.trees(over_time.at(train), over_time.at(test), plan.seed),
            TREES_OF_QUERY: models.trees(of_query.at(train), of_query.at(test), plan.seed),
        }
        campaign = rows.campaign[test]
        yield {
            "fold": number,
            "train_rows": len(train),
            "test_rows": len(test),
            "base_rate": float((campaign > 0).mean()),
            "average_precision": {name: _precision(campaign > 0, given) for name, given in scores.items()},
            "campaigns": list(_by_campaign(campaign, scores)),
        }


def _by_campaign(campaign: np.ndarray, scores: dict[str, np.ndarray]) -> Iterable[dict[str, Any]]:
    for kind, name in enumerate(CAMPAIGNS, 1):
        beside = (campaign == 0) | (campaign == kind)
        frauds = campaign[beside] == kind
        if frauds.any():
            yield {
                "campaign": name,
                "frauds": int(frauds.sum()),
                "base_rate": float(frauds.mean()),
                "average_precision": {model: _precision(frauds, given[beside]) for model, given in scores.items()},
            }


def _precision(frauds: np.ndarray, scores: np.ndarray) -> float:
    return float(average_precision_score(frauds, scores))


def _tables(world: World, rows: Rows, computed: Mapping[str, np.ndarray]) -> tuple[Table, Table, Table]:
    """What is known of each event alone, that with its features over time, and with those that the query computes."""
    terminals = world.terminals
    payments = Payments(
        rows.moment,
        rows.card,
        rows.terminal,
        rows.cents / 100,
        terminals.latitude[rows.terminal],
        terminals.longitude[rows.terminal],
        (rows.campaign > 0).astype(np.int64),
    )
    own = {
        "amount": payments.amount,
        "hour": rows.moment // HOUR_MS % 24,
        "weekday": rows.moment // DAY_MS % 7,
        "recurring": rows.is_recurring,
        "authenticated": rows.is_authenticated,
    }
    codes = np.column_stack((terminals.category[rows.terminal], terminals.country[rows.terminal], rows.channel))
    added = features(payments, DELAY_DAYS * DAY_MS)
    kinds = (own, own | added, own | dict(computed))
    alone, over_time, of_query = (Table(_columns(kind), codes, payments.label) for kind in kinds)
    return alone, over_time, of_query


def _columns(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.column_stack([column.astype(np.float32) for column in columns.values()])


def summarised(folds: Sequence[dict[str, Any]], rows: Rows) -> dict[str, Any]:
    """What the folds say together; a gain is that of the fold with the least."""
    precision = {name: np.array([fold["average_precision"][name] for fold in folds]) for name in MODELS}
    hidden = [kind for fold in folds for kind in fold["campaigns"] if kind["campaign"] in HIDDEN]
    ratios = [kind["average_precision"][TREES_ALONE] / kind["base_rate"] for kind in hidden]
    frauds = sum(kind["frauds"] for fold in folds for kind in fold["campaigns"])
    return {
        "base_rate": float((rows.campaign > 0).mean()),
        "mean": {name: float(values.mean()) for name, values in precision.items()},
        "deviation": {name: float(values.std()) for name, values in precision.items()},
        "least_gain_over_time": float((precision[TREES] - precision[TREES_ALONE]).min()),
        "least_gain_of_query": float((precision[TREES_OF_QUERY] - precision[TREES_ALONE]).min()),
        "least_lead_of_trees": float((precision[TREES] - precision[REGRESSION]).min()),
        "hidden_share": sum(kind["frauds"] for kind in hidden) / frauds,
        "hidden_precision_by_base_rate": float(np.mean(ratios)),
    }


def held(summary: Sequence[dict[str, Any]], quality: dict[str, Any]) -> list[Bound]:
    """The project's claims about its simulator of cards."""
    speeds = {row["contender"]: row for row in summary}
    return [
        *bounds.at_least(
            f"events a core-second, {EVENTS}", speeds[EVENTS]["events_per_core_second"]["median"], LEAST_RATE
        ),
        *bounds.at_most(f"MiB more, {EVENTS}", speeds[EVENTS]["memory_growth_mib"]["median"], MOST_GROWTH_MIB),
        *bounds.at_least("share of frauds, least", quality["base_rate"], LEAST_BASE),
        *bounds.at_most("share of frauds, most", quality["base_rate"], MOST_BASE),
        *bounds.at_least(
            "AP gained by features over time, least of the folds", quality["least_gain_over_time"], LEAST_GAIN
        ),
        *bounds.at_least(
            "AP gained by the query's features, least of the folds", quality["least_gain_of_query"], LEAST_GAIN
        ),
        *bounds.at_least(
            "AP of trees less regression's, least of the folds", quality["least_lead_of_trees"], LEAST_LEAD
        ),
        *bounds.at_least("frauds that are not in one event, share", quality["hidden_share"], LEAST_HIDDEN),
        *bounds.at_most(
            "their AP from one event, by their base rate", quality["hidden_precision_by_base_rate"], MOST_HIDDEN_RATIO
        ),
    ]
