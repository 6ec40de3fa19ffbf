"""``fraudstream demo``: its options, and which project it is about.

The event contract is made from the project in force when it is imported: whatever imports it is imported here only
after the choice.
"""

from __future__ import annotations

import os

import typer

from fraudstream.core.configuration.settings import ENV_PREFIX
from fraudstream.core.output.options import finite
from fraudstream.core.project.places import settled
from fraudstream.runtime.commands import REALTIME_HELP, REMOTE_HELP, chosen_mode
from fraudstream.runtime.demo.plan import Plan
from fraudstream.runtime.interrupts import ending_in_order


@ending_in_order()
def demo(
    project: str | None = typer.Option(None, "--project", help="A project's name or folder; else the one in force."),
    events: int = typer.Option(0, min=0, help="How many live events; 0: until Ctrl-C, or with --exit a file's rest."),
    rate: float | None = typer.Option(
        None,
        min=0,
        callback=finite,
        help="Events per second, 20 by default; 0: as fast as the broker takes them, as a file is with --exit.",
    ),
    history: int | None = typer.Option(
        None,
        min=1,
        help="Labelled events to train on; as many as the project says by default, or its file's first part.",
    ),
    malformed: int = typer.Option(0, min=0, help="How many of the live events break the contract."),
    seed: int | None = typer.Option(
        None, help="Seed of the events; without it history has its own, and live events that one or a random one."
    ),
    algorithm: str | None = typer.Option(
        None, help="xgboost, gbt or all; xgboost by default for a file or with --exit, else all, one after the other."
    ),
    realtime: bool = typer.Option(False, "--realtime", help=REALTIME_HELP),
    remote: bool = typer.Option(False, "--remote", help=REMOTE_HELP),
    leave: bool = typer.Option(False, "--exit", help="End with a summary after the events, and stop what was started."),
    as_json: bool = typer.Option(False, "--json", help="The summary as one JSON object on stdout."),
) -> None:
    """Start everything, train on labelled history, score live traffic and account for every event."""
    mode = chosen_mode(realtime, remote)
    if project is not None:
        os.environ[f"{ENV_PREFIX}PROJECT"] = settled(project)
    from fraudstream.runtime.demo.run import run

    run(Plan(history, events, rate, malformed, seed, algorithm), mode, leave=leave, as_json=as_json)
