"""The commands that other parts bring, and those that are imported only when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from fraudstream.core.configuration.settings import REALTIME, REMOTE
from fraudstream.core.errors import ConfigurationError, FraudstreamError
from fraudstream.core.output.text import printable

GROUP = "fraudstream.commands"
REALTIME_HELP = "Score within milliseconds: real-time mode, with the model in the stream job; the default here."
REMOTE_HELP = "Score over HTTP by the scoring service, in micro-batches, as in Azure."

# Command → (module, function, help): their imports take longer than the rest of the command line.
LATE_COMMANDS = {
    "bootstrap": (
        "fraudstream.runtime.bootstrap",
        "bootstrap",
        "Create the topics, publish labelled history and train a first champion, each unless it is there already.",
    ),
    "demo": (
        "fraudstream.runtime.demo.command",
        "demo",
        "Start everything, train on labelled history, score live traffic and account for every event.",
    ),
    "edge": (
        "fraudstream.runtime.edge",
        "edge",
        "Serve an edge device's children: store what they send, and forward it to the IoT hub.",
    ),
    "recover": (
        "fraudstream.runtime.recovering",
        "recover",
        "Go on where topics no longer hold what a job would read next; documents, models and history are kept.",
    ),
}
# Top package of a command → the extra that installs what it needs.
_EXTRAS = {
    "asaql": "local",
    "generator": "generator",
    "ingest": "ingest",
    "ml": "ml",
    "scoring": "scoring",
    "store": "stream",
    "stream": "stream",
}

# Top packages that no wheel holds: they measure and show a clone.
_CLONE_ONLY = ("bench",)


def chosen_mode(realtime: bool, remote: bool) -> dict[str, str]:
    """The settings that ``--realtime`` or ``--remote`` stands for; empty without them. Raises for both."""
    if realtime and remote:
        raise typer.BadParameter("--realtime and --remote exclude each other.")
    return REALTIME if realtime else REMOTE if remote else {}


class LateGroup(TyperGroup):
    """A group whose ``LATE_COMMANDS`` are imported when they are called, not when help lists them."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read the command line; its faults are told as text."""
        with _told_as_text():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what it says of its own line is text as well."""
        with _told_as_text():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in LATE_COMMANDS:
            module, function, _ = LATE_COMMANDS[args[0]]
            late = typer.Typer(add_completion=False)
            late.command(args[0])(getattr(importlib.import_module(module), function))
            self.commands[args[0]] = typer.main.get_command(late)
        return super().resolve_command(ctx, args)


@contextmanager
def _told_as_text() -> Iterator[None]:
    # What was typed may have been copied from a sender: typer repeats it on the terminal as it is.
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):
            vars(error)["message"] = printable(str(vars(error).get("message", "")))
        raise


def add_late_commands(app: typer.Typer) -> None:
    """List the commands that are imported late."""
    for name, (_, _, text) in LATE_COMMANDS.items():
        app.command(name, help=text)(_nothing)


def add_sibling_commands(app: typer.Typer, entries: Sequence[EntryPoint] | None = None) -> None:
    """Add the entry points of ``fraudstream.commands``: a Typer app as a group, a function as a command.

    One whose extra is not installed is listed all the same, and says which extra to install.
    """
    for entry in sorted(entries if entries is not None else entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            command = entry.load()
        except ImportError as error:
            _add_missing(app, entry, error)
            continue
        except ConfigurationError as error:
            # A project that cannot be run: the command says so when it is called, and the others are there.
            _add_explained(app, entry, "Needs a project that can be run: see `fraudstream doctor`.", error)
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)


def missing_extra(wanted: str, extra: str, error: ImportError) -> ConfigurationError:
    """The error that names the extra to install."""
    return ConfigurationError(f"{wanted} needs the extra `{extra}` ({error}). Run: pip install 'fraudstream[{extra}]'")


def _add_missing(app: typer.Typer, entry: EntryPoint, error: ImportError) -> None:
    words = entry.module.split(".")
    package = words[1] if len(words) > 1 else ""
    extra = _EXTRAS.get(package, "all")
    if package in _CLONE_ONLY and str(error.name or "").startswith(f"fraudstream.{package}"):
        needs = "Needs a clone of the project."
        problem = ConfigurationError(
            f"`fraudstream {entry.name}` measures a clone of the project, and this is an installed wheel. "
            f"Run it in a clone: uv run fraudstream {entry.name}"
        )
    else:
        needs = f"Needs the extra `{extra}`."
        problem = missing_extra(f"`fraudstream {entry.name}`", extra, error)

    _add_explained(app, entry, needs, problem)


def _add_explained(app: typer.Typer, entry: EntryPoint, text: str, problem: FraudstreamError) -> None:
    """List a command that cannot be run; it says why."""

    def explain() -> None:
        raise problem

    settings: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command(entry.name, help=text, context_settings=settings)(explain)


def _nothing() -> None:
    """Stands in help for a command that is imported when it is called."""
