"""Results as tables: cells for a terminal and for the documentation alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from fraudstream.bench.cards import figures as cards
from fraudstream.bench.dashboards import figures as dashboards
from fraudstream.bench.harness.contenders import CONTENDERS
from fraudstream.core.output.terminal import Terminal


@dataclass(frozen=True, slots=True)
class Shown:
    """A table: its title, its columns' names, its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(results: Mapping[str, Any]) -> list[Shown]:
    """The tables of any benchmark's results: its figures, and the bounds where it has some."""
    shown = _TABLES[results["benchmark"]](results)
    for name, profiled in results.get("profile", {}).items():
        steps = tuple((step, f"{share:.1%}") for step, share in profiled["steps"].items())
        shown.append(Shown(f"Where the time goes: {_label(name)}", ("step", "share of samples"), steps))
    if results["bounds"]:
        rows = tuple(
            (bound["claim"], figure(bound["value"]), bound["limit"], "yes" if bound["holds"] else "no")
            for bound in results["bounds"]
        )
        shown.append(Shown("Bounds", ("claim", "measured", "bound", "holds"), rows))
    return shown


def show(results: Mapping[str, Any], console: Terminal) -> None:
    """Print the tables, and machine and date below them."""
    for shown in tables(results):
        table = Table(title=shown.title, title_justify="left")
        for number, name in enumerate(shown.columns):
            table.add_column(name, justify="left" if number == 0 else "right")
        for row in shown.rows:
            table.add_row(*row)
        console.print(table)
    if "incomplete" in results:
        console.print(f"Incomplete: {', '.join(results['incomplete'])} not measured.", soft_wrap=True)
    console.print(made_on(results), soft_wrap=True)


def made_on(results: Mapping[str, Any]) -> str:
    """Machine, load, versions and date in one line."""
    machine = results["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, load average before "
        f"{machine['load_average_before'][0]:g}; Python {results['versions']['python']}, Java "
        f"{results['versions']['java']}; {results['measured_at'][:10]}, {results['seconds']:g} s"
    )


def figure(value: float) -> str:
    """A number with three digits, and commas between thousands."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread(entry: Mapping[str, Any], name: str) -> str:
    """A figure's median, with its least and most in brackets where repeats differ; – where it was not measured."""
    if name not in entry:
        return "–"
    values = entry[name]
    if values["min"] == values["max"]:
        return figure(values["median"])
    return f"{figure(values['median'])} ({figure(values['min'])}–{figure(values['max'])})"


def _label(name: str) -> str:
    return CONTENDERS[name].label if name in CONTENDERS else name


def _value(by: float | str, unit: str) -> str:
    return by if isinstance(by, str) else f"{by:g} {unit}"


_UNITS = {"rate": "events/s", "case": "", "partitions": "partitions"}


def _by_figures(columns: Mapping[str, str], by: str = "") -> Callable[[Mapping[str, Any]], list[Shown]]:
    """Tables of a summary: one row a contender, one table for each value of ``by``."""

    def tables_of(results: Mapping[str, Any]) -> list[Shown]:
        summary: Sequence[Mapping[str, Any]] = results["summary"]
        values = dict.fromkeys(entry[by] for entry in summary) if by else {"": None}
        head = ("", *columns.values())
        return [
            Shown(
                results["benchmark"].capitalize() + (f", {_value(value, _UNITS[by])}" if by else ""),
                head,
                tuple(
                    (_label(entry["contender"]), *(spread(entry, name) for name in columns))
                    for entry in summary
                    if not by or entry[by] == value
                ),
            )
            for value in values
        ]

    return tables_of


def _scale(results: Mapping[str, Any]) -> list[Shown]:
    by_partitions = _by_figures(
        {"events_per_second": "events/s", "core_us_per_event": "core-µs an event"}, by="partitions"
    )
    rows = tuple(
        (f"{entry['rate']:,} events/s", figure(entry["core_us_per_event"]), figure(entry["cores"]))
        for entry in results["capacity"]
    )
    return [
        *by_partitions(results),
        Shown("Capacity", ("load", "core-µs an event", "cores, half of each left free"), rows),
    ]


def _cards(results: Mapping[str, Any]) -> list[Shown]:
    speeds = _by_figures({"events_per_core_second": "events a core-second", "memory_growth_mib": "MiB more"})
    return [
        *speeds(results),
        Shown("Average precision", cards.COLUMNS, tuple(cards.models(results))),
        Shown("Average precision by campaign", cards.CAMPAIGN_COLUMNS, tuple(cards.campaigns(results))),
    ]


def _model(results: Mapping[str, Any]) -> list[Shown]:
    columns = {"average_precision": "AP", "by_ceiling": "AP by the ceiling", "roc_auc": "ROC AUC", "ece": "ECE"}
    rows = tuple(
        (
            f"{entry['contender']}, {entry['events']:,} events",
            *(_digits(entry[name]) for name in columns),
            spread(entry, "core_seconds"),
        )
        for entry in results["summary"]
    )
    drift = results["drift"]
    found = tuple((name, f"{share:.0%}") for name, share in drift["found"].items())
    quiet = (f"nothing ({drift['quiet_windows']:,} windows)", f"{drift['false_alarms']:.1%}")
    return [
        Shown("Model", ("", *columns.values(), "core-seconds, scoring included"), rows),
        Shown("Windows that are reported", ("what has moved", "share"), (quiet, *found)),
    ]


def _digits(values: Mapping[str, float]) -> str:
    return f"{values['median']:.4f} ({values['min']:.4f}–{values['max']:.4f})"


_TABLES: Mapping[str, Callable[[Mapping[str, Any]], list[Shown]]] = {
    "cards": _cards,
    "dashboards": lambda results: [Shown("Dashboards", dashboards.COLUMNS, tuple(dashboards.rows(results)))],
    "equality": lambda results: [
        Shown("Equality", ("topic", "records"), tuple((name, f"{n:,}") for name, n in results["records"].items()))
    ],
    "job": _by_figures(
        {
            "events_per_second": "events/s",
            "core_us_per_event": "core-µs an event",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "memory_peak_mib": "MiB",
        },
        by="case",
    ),
    "latency": _by_figures(
        {
            "p50_ms": "p50 ms",
            "p95_ms": "p95 ms",
            "p99_ms": "p99 ms",
            "p99_9_ms": "p99.9 ms",
            "max_ms": "max ms",
            "processor_share": "cores used",
            "memory_peak_mib": "MiB",
        },
        by="rate",
    ),
    "throughput": _by_figures(
        {
            "events_per_second": "events/s",
            "with_start": "from the first output on",
            "core_us_per_event": "core-µs an event",
            "memory_peak_mib": "MiB",
        }
    ),
    "model": _model,
    "scale": _scale,
    "scoring": _by_figures(
        {
            "requests_per_second": "requests/s",
            "rows_per_second": "rows/s",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "client_processor_share": "client's share of a core",
        },
        by="case",
    ),
    "store": _by_figures({"documents_per_second": "documents/s", "memory_peak_mib": "MiB"}),
    "query": _by_figures({"events_per_second": "events/s", "with_start": "with the start", "seconds": "seconds"}),
    "startup": _by_figures({"seconds": "seconds"}),
    "memory": _by_figures(
        {
            "memory_median_mib": "MiB, streaming",
            "processor_streaming": "cores, streaming",
            "processor_idle": "cores, idle",
        }
    ),
}
