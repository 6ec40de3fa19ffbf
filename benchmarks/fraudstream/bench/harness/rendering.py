"""Results as tables: cells for a terminal and for the documentation alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

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
    made = _TABLES[results["benchmark"]](results)
    for name, profiled in results.get("profile", {}).items():
        steps = tuple((step, f"{share:.1%}") for step, share in profiled["steps"].items())
        made.append(Shown(f"Where the time goes: {_label(name)}", ("step", "share of samples"), steps))
    if results["bounds"]:
        rows = tuple(
            (one["claim"], figure(one["value"]), one["limit"], "yes" if one["holds"] else "no")
            for one in results["bounds"]
        )
        made.append(Shown("Bounds", ("claim", "measured", "bound", "holds"), rows))
    return made


def show(results: Mapping[str, Any], console: Terminal) -> None:
    """Print the tables, and what they were measured on."""
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
    """Machine, load and date in one line."""
    machine = results["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, load average before "
        f"{machine['load_average_before'][0]:g}; Python {results['versions']['python']}, Java "
        f"{results['versions']['java']}; {results['measured_at'][:10]}, {results['seconds']:g} s"
    )


def figure(value: float) -> str:
    """A number as a reader wants it: three digits, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread(one: Mapping[str, Any], name: str) -> str:
    """A figure's median, and in brackets its least and most where there are repeats; – where it was not measured."""
    if name not in one:
        return "–"
    found = one[name]
    if found["min"] == found["max"]:
        return figure(found["median"])
    return f"{figure(found['median'])} ({figure(found['min'])}–{figure(found['max'])})"


def _label(name: str) -> str:
    return CONTENDERS[name].label if name in CONTENDERS else name


def _value(by: float | str, unit: str) -> str:
    return by if isinstance(by, str) else f"{by:g} {unit}"


_UNITS = {"rate": "events/s", "case": "", "partitions": "partitions"}


def _by_figures(columns: Mapping[str, str], by: str = "") -> Callable[[Mapping[str, Any]], list[Shown]]:
    """Tables of a summary: one row a contender, one table for each value of ``by``."""

    def made(results: Mapping[str, Any]) -> list[Shown]:
        summary: Sequence[Mapping[str, Any]] = results["summary"]
        values = dict.fromkeys(one[by] for one in summary) if by else {"": None}
        head = ("", *columns.values())
        return [
            Shown(
                results["benchmark"].capitalize() + (f", {_value(value, _UNITS[by])}" if by else ""),
                head,
                tuple(
                    (_label(one["contender"]), *(spread(one, name) for name in columns))
                    for one in summary
                    if not by or one[by] == value
                ),
            )
            for value in values
        ]

    return made


def _scale(results: Mapping[str, Any]) -> list[Shown]:
    made = _by_figures({"events_per_second": "events/s", "core_us_per_event": "core-µs an event"}, by="partitions")
    rows = tuple(
        (f"{one['rate']:,} events/s", figure(one["core_us_per_event"]), figure(one["cores"]))
        for one in results["capacity"]
    )
    return [*made(results), Shown("Capacity", ("load", "core-µs an event", "cores, half of each left free"), rows)]


_TABLES: Mapping[str, Callable[[Mapping[str, Any]], list[Shown]]] = {
    "dashboards": lambda results: [Shown("Dashboards", dashboards.COLUMNS, tuple(dashboards.rows(results)))],
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
    "startup": _by_figures({"seconds": "seconds"}),
    "memory": _by_figures(
        {
            "memory_median_mib": "MiB, streaming",
            "processor_streaming": "cores, streaming",
            "processor_idle": "cores, idle",
        }
    ),
}
