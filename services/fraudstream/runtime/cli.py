"""The ``fraudstream`` command. What a command needs is imported when it runs, so that help is quick."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraudstream.core.configuration.settings import load_settings, mask_uri, shown_values, value_sources
from fraudstream.core.configuration.variables import tell_unread
from fraudstream.core.errors import AlreadyRunning, ConfigurationError, FraudstreamError, RuntimePartError
from fraudstream.core.output.terminal import prepare_output, say, say_json, say_lines, styled, terminal
from fraudstream.core.output.text import printable
from fraudstream.core.project.identity import summary
from fraudstream.core.project.project import named
from fraudstream.runtime.certificates.cli import app as certificates
from fraudstream.runtime.commands import (
    REALTIME_HELP,
    REMOTE_HELP,
    LateGroup,
    add_late_commands,
    add_sibling_commands,
    chosen_mode,
    missing_extra,
)

if TYPE_CHECKING:
    from fraudstream.runtime.status import Status
    from fraudstream.runtime.supervise.state import PartState

app = typer.Typer(
    cls=LateGroup,
    help="Real-time fraud detection: start the parts, train, score live traffic, and see what becomes of it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
config = typer.Typer(help="The effective settings.", no_args_is_help=True)
app.add_typer(config, name="config")
topics = typer.Typer(help="The topics of the broker.", no_args_is_help=True)
app.add_typer(topics, name="topics")
app.add_typer(certificates, name="certificates")
add_late_commands(app)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]

out = terminal()
err = terminal(stderr=True)

_UNKNOWN = "–"
_MEBIBYTE = 1024 * 1024
_UNCOUNTED = (
    "What is stored already has not been counted by {}: `fraudstream recover store --rebuild-rollups` counts it again"
)
_LONGEST_EXIT = 300
_LONGEST_ERROR = 4_000
_COLOURS = {"ready": "green", "starting": "yellow", "restarting": "yellow", "stopped": "dim", "failed": "red"} | {
    "failing": "red"
}


@app.command()
def up(
    detach: Annotated[bool, typer.Option("-d", "--detach", help="Return once everything is ready.")] = False,
    realtime: Annotated[bool, typer.Option("--realtime", help=REALTIME_HELP)] = False,
    remote: Annotated[bool, typer.Option("--remote", help=REMOTE_HELP)] = False,
    further: Annotated[
        list[str] | None, typer.Option("--with", help="A further part, such as `ingest`; may be repeated.")
    ] = None,
) -> None:
    """Start all parts on this machine; Ctrl-C stops them."""
    from fraudstream.runtime import interrupts, lifecycle
    from fraudstream.runtime.parts.local import local_parts
    from fraudstream.runtime.supervise import project_mark
    from fraudstream.runtime.supervise.preflight import port_variables
    from fraudstream.runtime.supervise.supervisor import Supervisor

    settings = load_settings(**chosen_mode(realtime, remote), **({"with_parts": ",".join(further)} if further else {}))
    if not detach:
        parts = local_parts(settings)
        if uncounted := project_mark.claim(settings.data_dir.resolve(), named(settings.project)):
            err.print(_UNCOUNTED.format(", ".join(uncounted)), soft_wrap=True)
        supervisor = Supervisor(
            parts,
            settings.data_dir,
            host=settings.bind_host,
            port_variables=port_variables(settings),
            on_change=show_change,
            on_message=lambda text: err.print(text, soft_wrap=True),
        )
        interrupts.call_at_end(supervisor.request_stop)
        supervisor.run()
        return
    if (pid := lifecycle.running_supervisor(settings)) is not None:
        raise AlreadyRunning(
            f"Fraudstream already runs in {settings.data_dir.resolve()} (process {pid}). "
            "Look at it with `fraudstream status`, or stop it with `fraudstream down`."
        )
    began = time.monotonic()
    with err.status("starting") as line:
        lifecycle.start_detached(settings)
        lifecycle.await_ready(settings, (), lambda state: _tell(line.update, state))
    err.print(styled(("✓", "green"), f" all parts ready ({time.monotonic() - began:.1f} s)"))
    where = f"dashboards {mask_uri(settings.dashboard_url)} · MLflow {mask_uri(settings.mlflow_tracking_uri)}"
    err.print(f"{where} · `fraudstream down` stops", soft_wrap=True)


@app.command()
def down() -> None:
    """Stop all parts."""
    from fraudstream.runtime import lifecycle

    with err.status("stopping"):
        stopped = lifecycle.stop(load_settings())
    err.print(styled(("✓", "green"), " stopped") if stopped else "nothing was running")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Each part's state, and how the stream keeps up. Exit status 0: all parts are ready."""
    from fraudstream.runtime.status import collect

    current = collect(load_settings())
    if as_json:
        say_json(current.to_json())
    else:
        _show_status(current)
    if not current.all_ready:
        raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="The part's name, as `fraudstream status` lists it.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is logged from now on.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines.")] = 100,
) -> None:
    """A part's output."""
    from fraudstream.runtime.log_reading import follow_file, last_lines, logs_in
    from fraudstream.runtime.supervise.state import log_file

    folder = log_file(load_settings().data_dir, name).parent
    log_files = logs_in(folder)
    if name not in log_files:
        there = (
            f"There are logs of {', '.join(log_files)}."
            if log_files
            else "Nothing has been started yet: `fraudstream up`."
        )
        raise RuntimePartError(f"There is no log of {name!r} in {folder}. {there}")
    for line in last_lines(log_files[name], lines):
        say_lines(f"{line}\n")
    if follow:
        for text in follow_file(log_files[name]):
            say_lines(text)


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop all parts and delete their data: topics, documents, models, checkpoints, devices, keys and logs."""
    from fraudstream.runtime import lifecycle

    settings = load_settings()
    folder = settings.data_dir.resolve()
    if not lifecycle.holds_data(settings):
        err.print(f"nothing to delete in {folder}", soft_wrap=True)
        return
    if not yes:
        typer.confirm(f"Delete {printable(str(folder))} with all topics, documents and models?", abort=True, err=True)
    stays = lifecycle.delete_data(settings)
    err.print(styled(("✓", "green"), f" deleted the data in {folder}"), soft_wrap=True)
    if stays:
        err.print(f"What is not ours stays in {folder}: {printable(', '.join(stays), _LONGEST_EXIT)}", soft_wrap=True)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check what this machine needs to have. Exit status 0: nothing is missing."""
    from fraudstream.runtime.doctor.command import run_checks

    checks = run_checks(load_settings())
    healthy = all(check.ok for check in checks)
    if as_json:
        results = [
            {"name": check.name, "ok": check.ok, "detail": check.detail, "advice": check.advice} for check in checks
        ]
        say_json({"ok": healthy, "checks": results})
    else:
        for check in checks:
            sign = ("✓", "green") if check.ok else ("✗", "red")
            out.print(styled(sign, f" {check.name}: {check.detail}"))
            if not check.ok and check.advice:
                out.print(f"  {check.advice}")
    if not healthy:
        raise typer.Exit(1)


@config.command()
def show(as_json: JsonOption = False) -> None:
    """All settings with their values and where each comes from; secrets are masked, what is missing is named."""
    from fraudstream.core.configuration.required import missing

    settings = load_settings()
    lacking = missing(settings)
    for setting in lacking:
        text = f" {setting.variable} {setting.problem}: needed for {setting.needed_by}"
        err.print(styled(("missing", "red"), text), soft_wrap=True)
    project = None
    try:
        project = named(settings.project)
    except ConfigurationError as error:
        err.print(styled(("project", "red"), f" {printable(str(error), _LONGEST_ERROR)}"), soft_wrap=True)
    values = shown_values(settings)
    if as_json:
        say_json(values)
        return
    sources = value_sources()
    table = Table("setting", "value", "from", box=None)
    for name, value in values.items():
        table.add_row(name, "" if value is None else str(value), sources[name])
    out.print(table)
    if project is not None:
        out.print(f"project {printable(summary(project))}", soft_wrap=True)


@topics.command()
def create(as_json: JsonOption = False) -> None:
    """Create the topics that are missing; in Azure the templates do that."""
    from fraudstream.core.kafka.clients import create_topics

    created = create_topics(load_settings())
    if as_json:
        say_json({"created": created})
    else:
        err.print(f"created {', '.join(created)}" if created else "all topics are there already")


def main() -> None:
    """Run the command line; errors of ours are one line on stderr and their own exit status."""
    prepare_output()
    # The clients log every refused connection; our own messages say what is down.
    for library in ("kafka", "pymongo"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    add_sibling_commands(app)
    try:
        tell_unread()
        app()
    except FraudstreamError as error:
        _fail(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("fraudstream"):
            raise
        _fail(missing_extra("This command", "all", error))


def _fail(error: FraudstreamError) -> None:
    say(f"fraudstream: {printable(' '.join(str(error).split()), _LONGEST_ERROR)}", err=True)
    sys.exit(error.exit_status)


def _tell(update: Callable[[str], None], state: str) -> None:
    # A spinner shows nothing where there is no terminal.
    update(state) if err.is_terminal else err.print(state, soft_wrap=True)


def show_change(part: PartState) -> None:
    """Say on stderr, in one line, what has become of a part."""
    took = f" ({time.time() - part.started_at:.1f} s)" if part.state == "ready" and part.started_at else ""
    where = f" on {', '.join(map(str, part.ports))}" if part.state == "ready" and part.ports else ""
    why = f": {part.last_exit}" if part.state in ("restarting", "failed") else ""
    why = f": {part.problem}" if part.state == "failing" else why
    state = (part.state, _COLOURS[part.state])
    err.print(styled(f"{part.name:<12}", state, f"{where}{took}{printable(why, _LONGEST_EXIT)}"), soft_wrap=True)


def _show_status(status: Status) -> None:
    table = Table("part", "state", "pid", "port", "memory", "restarts", "last exit", box=None)
    for part in status.parts:
        table.add_row(
            part.name,
            styled((part.state, _COLOURS[part.state])),
            _shown(part.pid),
            ", ".join(map(str, part.ports)) or _UNKNOWN,
            _UNKNOWN if part.memory_bytes is None else f"{part.memory_bytes / _MEBIBYTE:,.0f} MiB",
            str(part.restarts),
            printable(part.last_exit or "", _LONGEST_EXIT),
        )
    if status.parts:
        out.print(table)
    if status.supervisor_pid is None and status.runs_here:
        out.print("not running: `fraudstream up -d` starts the parts")
    stream = status.stream
    for name, problem in _problems(status).items():
        out.print(styled((f"{name} is {printable(problem, _LONGEST_ERROR)}", "red")), soft_wrap=True)
    out.print(
        f"input {_shown(stream.input_rate, ' events/s')} · lag {_shown(stream.lag)} · "
        f"store lag {_shown(stream.store_lag)} · latency p50 {_shown(stream.latency_p50_ms, ' ms')} · "
        f"p95 {_shown(stream.latency_p95_ms, ' ms')} · rejected {_shown(stream.rejected)}",
        soft_wrap=True,
    )


def _problems(status: Status) -> dict[str, str]:
    """What each part that repeats a failure says of it: by its supervisor, or by what it commits."""
    here = {part.name: part.problem for part in status.parts if part.problem}
    return {**status.stream.problems, **here}


def _shown(value: float | None, unit: str = "") -> str:
    if value is None:
        return _UNKNOWN
    return f"{value:,.1f}{unit}" if isinstance(value, float) else f"{value}{unit}"
