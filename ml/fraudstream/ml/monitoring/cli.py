"""``fraudstream monitor``. The command imports heavy libraries, this module does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerRefused
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.output.options import finite
from fraudstream.core.output.terminal import say, say_json, terminal
from fraudstream.core.output.text import printable
from fraudstream.ml.monitoring import FALSE_ALARMS, LEAST_ROWS, NEWEST

if TYPE_CHECKING:
    from fraudstream.ml.monitoring.watch import Observation

_LONGEST_NAME = 60
# The command's end where something has drifted and --check asks for it; 1 and 2 are those of errors.
_DRIFTED = 3


def monitor(
    newest: int = typer.Option(NEWEST, "--last", min=LEAST_ROWS, help="How many of the newest live transactions."),
    false_alarms: float = typer.Option(
        FALSE_ALARMS,
        min=1e-6,
        max=0.5,
        callback=finite,
        help="The share of quiet windows in which anything is reported.",
    ),
    publish: bool = typer.Option(False, "--publish", help="Also send what was seen to the topic `monitoring`."),
    check: bool = typer.Option(False, "--check", help=f"End with status {_DRIFTED} where something has drifted."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Hold the newest scored transactions against those that the champion was trained on."""
    settings = start_settings("mongo", "registry", "kafka") if publish else start_settings("mongo", "registry")
    configure_logging("monitor", "WARNING")
    from fraudstream.ml.monitoring.watch import observe

    seen = observe(settings, newest, false_alarms)
    report = seen.to_json()
    if publish:
        _publish(settings, report)
    if as_json:
        say_json(report)
    else:
        _say(seen, report)
    if check and seen.drift.drifted:
        raise typer.Exit(_DRIFTED)


def _say(seen: Observation, report: dict[str, Any]) -> None:
    say(
        f"{report['rows']:,} live transactions from {report['from']} until {report['until']}; version {seen.version} "
        f"scored {report['scored_by_version']:,} of them and alerted at {report['alerts']:,}"
    )
    if report["estimated"]["precision"] is not None:
        say(f"estimated from the scores: {_quality(report['estimated'])}")
    if report["known"]["labelled"]:
        say(f"known of {report['known']['labelled']:,} labelled ones: {_quality(report['known'])}")
    drifted = seen.drift.drifted
    if not drifted:
        say(f"no drift: {len(seen.drift.measures)} measures are within their limits")
        return
    table = Table("drifted", "measure", "value", "limit")
    for measure in drifted:
        name = printable(measure.name, _LONGEST_NAME)
        table.add_row(name, measure.measure, f"{measure.value:.4g}", f"{measure.limit:.4g}")
    terminal().print(table)


def _quality(figures: dict[str, Any]) -> str:
    shares = ("precision", "recall")
    return " · ".join(
        [f"{figures['frauds']:,.0f} frauds"]
        + [f"{name} {figures[name]:.3f}" for name in shares if figures[name] is not None]
    )


def _publish(settings: Settings, report: dict[str, Any]) -> None:
    import orjson

    from fraudstream.core.contract.topics import MONITORING
    from fraudstream.core.kafka.clients import producer
    from fraudstream.core.kafka.deliveries import OPTIONS, Outgoing, send_each

    record = Outgoing("report", MONITORING, str(report["version"]).encode(), orjson.dumps(report))
    delivered = send_each(lambda: producer(settings, **OPTIONS), [record])
    if delivered.refused:
        raise BrokerRefused(f"The topic {MONITORING} did not take what was seen: {delivered.refused['report']}.")
