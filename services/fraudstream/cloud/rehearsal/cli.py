"""``fraudstream rehearse``: the move to Azure, tried on this machine."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from fraudstream.core.output.options import finite
from fraudstream.runtime.interrupts import ending_in_order

app = typer.Typer(help="Try the move to a cloud on this machine.", no_args_is_help=True)


@app.callback()
def rehearse() -> None:
    """Try the move to a cloud on this machine."""


@app.command()
@ending_in_order()
def azure(
    events: Annotated[int, typer.Option(min=100, help="How many live events.")] = 20_000,
    history: Annotated[int, typer.Option(min=1_000, help="Labelled events to train on.")] = 4_000,
    malformed: Annotated[int, typer.Option(min=0, help="How many of the live events break the contract.")] = 200,
    request_units: Annotated[float, typer.Option(min=400, callback=finite, help="Cosmos DB's budget, RU/s.")] = 4_000.0,
    throughput_units: Annotated[int, typer.Option(min=1, max=40, help="Event Hubs' throughput units.")] = 1,
    idle: Annotated[
        float, typer.Option(min=5, callback=finite, help="Seconds after which an idle connection is cut.")
    ] = 240.0,
    tokens: Annotated[bool, typer.Option("--tokens", help="Sign in with OAUTHBEARER.")] = False,
    faults: Annotated[bool, typer.Option(help="Play the fault schedule.")] = True,
    dashboards: Annotated[bool, typer.Option(help="Run the dashboards too.")] = True,
    devices: Annotated[int, typer.Option(min=0, max=100, help="Devices that send over MQTT; 0: no IoT hub.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Decides the transactions.")] = 7,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page into this file.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep data and logs in this folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Run the unchanged services with the azure profile against endpoints that enforce the services' rules."""
    from fraudstream.cloud.rehearsal.environment import Plan
    from fraudstream.cloud.rehearsal.report import page, show
    from fraudstream.cloud.rehearsal.run import Rehearsal
    from fraudstream.core.output.logs import configure_logging
    from fraudstream.core.output.terminal import say_json, styled, terminal, write_file

    configure_logging("rehearsal")
    # A rehearsal cuts connections and slows answers on purpose; the report shows the consequences.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    plan = Plan(
        events=events,
        history=history,
        malformed=malformed,
        request_units=request_units,
        throughput_units=throughput_units,
        idle_seconds=idle,
        tokens=tokens,
        faults=faults,
        dashboards=dashboards,
        devices=devices,
        seed=seed,
    )
    err = terminal(stderr=True)
    folder = keep.resolve() if keep is not None else Path(tempfile.mkdtemp(prefix="fraudstream-rehearsal-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = Rehearsal(
            plan, folder, lambda text: err.print(styled(("✓", "green"), f" {text}"), soft_wrap=True)
        ).run()
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        say_json(outcome.to_json())
    else:
        show(outcome, terminal())
    if html is not None:
        write_file(html, page(outcome))
        err.print(f"report: {html}", soft_wrap=True)
    if not outcome.passed:
        raise typer.Exit(1)
