"""The report of a rehearsal: on the terminal, as JSON, and as a page."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, select_autoescape
from rich.table import Table

from fraudstream.cloud.rehearsal.outcome import Outcome
from fraudstream.core.output.terminal import Terminal, styled


def show(outcome: Outcome, console: Terminal) -> None:
    """Print the report."""
    table = Table(box=None, show_header=False)
    for name, value in figures(outcome):
        table.add_row(name, value)
    console.print(table)
    for fault in outcome.faults:
        at = fault["at_seconds"]
        when = "–" if at is None else f"{at} s"
        console.print(f"  fault after {when}: {fault['fault']}: {fault['outcome'] or 'not reached'}", soft_wrap=True)
    costs = Table("resource", "amount", "USD a month", box=None)
    for row in outcome.costs:
        costs.add_row(row["resource"], row["amount"], f"{row['usd_per_month']:,.2f}")
    console.print(costs)
    checks = outcome.checks()
    kept = sum(check["state"] == "kept" for check in checks)
    beyond = sum(check["state"] == "not enforced" for check in checks)
    console.print(f"{kept} rules kept of {len(checks)}; {beyond} are the linter's alone (fraudstream check azure)")
    for check in checks:
        if check["state"] not in ("kept", "not enforced"):
            colour = "red" if check["state"].startswith("broken") else "yellow"
            label = (f"{check['rule']} {check['state']}", colour)
            console.print(styled("  ", label, f": {check['demand']}"), soft_wrap=True)
    for what, count in outcome.unread.items():
        console.print(styled("  ", (f"{count:,} × {what} could not be read: nothing is known of it", "red")))
    for name in outcome.leaks:
        console.print(styled("  ", (f"a secret stands in {name}", "red")))
    console.print(styled(("✓ passed", "green") if outcome.passed else ("✗ failed", "red")))


def figures(outcome: Outcome) -> list[tuple[str, str]]:
    """The figures with their names, in the report's order."""
    latency = "–" if outcome.latency_p95_ms is None else f"{outcome.latency_p95_ms / 1000:,.1f} s"
    statuses = ", ".join(f"{count:,} × {status}" for status, count in outcome.scoring_statuses.items())
    return [
        (
            "events in",
            f"{outcome.events:,} sent = {outcome.acknowledged:,} taken + {outcome.refused_by_size:,} too large",
        ),
        (
            "events out",
            f"{outcome.scored:,} scored + {outcome.rejected:,} rejected; {outcome.stored:,} scored ones stored",
        ),
        (
            "producer",
            f"sent within {outcome.sent_in_seconds:,.1f} s; slowed {outcome.producer_delays:,} times, by "
            f"{outcome.producer_delayed_ms / 1000:,.1f} s in all",
        ),
        ("redelivered", f"{outcome.redelivered:,} decisions came twice and changed nothing"),
        ("live traffic", f"{outcome.live_seconds:,.0f} s, 95 % decided within {latency}"),
        (
            "document writes",
            f"{outcome.document_writes:,}, of which {outcome.writes_throttled:,} "
            f"({outcome.throttled_share:.1%}) were throttled and repeated",
        ),
        ("reads throttled", f"{outcome.reads_throttled:,}"),
        (
            "request units",
            f"{outcome.most_request_units:,} in the busiest second, {outcome.request_units:,.0f} bought, "
            f"{outcome.total_request_units:,} in all",
        ),
        (
            "throughput units",
            f"{outcome.most_throughput_units:.2f} in the busiest second, {outcome.throughput_units} bought; "
            f"{outcome.requests_delayed:,} requests delayed by {outcome.delayed_ms / 1000:,.1f} s in all",
        ),
        *_devices(outcome.devices),
        ("scoring requests", f"{outcome.scoring_requests:,} ({statuses})"),
        ("registry requests", f"{outcome.registry_requests:,}"),
        ("connections", ", ".join(f"{name} {count:,}" for name, count in outcome.connections.items())),
        ("restarts", ", ".join(f"{name} {count}" for name, count in outcome.restarts.items() if count) or "none"),
        ("took", f"{outcome.seconds:,.0f} s"),
    ]


def _devices(figures: dict[str, Any]) -> list[tuple[str, str]]:
    if not figures:
        return []
    said = (
        f"{figures['acknowledged']:,} events of {figures['devices']} devices acknowledged, {figures['arrived']:,} "
        f"arrived, {figures['decided']:,} decided, {figures['resent']:,} sent again; {figures['delayed']:,} waited, "
        f"{figures['connections_cut']} connections cut"
    )
    return [("devices", said)]


def page(outcome: Outcome) -> str:
    """The report as a page of HTML that loads nothing from elsewhere."""
    source = resources.files("fraudstream.cloud.rehearsal").joinpath("report.html.j2").read_text("utf-8")
    template = Environment(autoescape=select_autoescape(default=True), trim_blocks=True).from_string(source)
    checks = [check | _link(check["source"]) for check in outcome.checks()]
    content: dict[str, Any] = {"outcome": outcome, "figures": figures(outcome), "checks": checks}
    return template.render(content)


def _link(source: str) -> dict[str, str]:
    """A source's address, if it has one, and the name of its page with the note behind it."""
    address, _, note = source.partition(" ")
    if not address.startswith("https://"):
        return {"address": "", "label": source}
    address = address.rstrip(",")
    return {"address": address, "label": f"{address.rstrip('/').rpartition('/')[2]} {note}".strip()}
