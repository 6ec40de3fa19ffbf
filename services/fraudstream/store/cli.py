"""``fraudstream rejected``: what was rejected and why, and corrected events back into the stream."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.table import Table

from fraudstream.core.required import start_settings
from fraudstream.core.terminal import say, say_json, terminal
from fraudstream.core.text import printable

app = typer.Typer(help="Rejected events: list them, send corrected ones back.", no_args_is_help=True)

_SHOWN_BYTES = 200
_LONGEST_REASON = 500


@app.command("list")
def list_rejected(
    field: str = typer.Option("", help="Only events rejected for this field."),
    limit: int = typer.Option(20, min=1, max=1000, help="How many, the newest first."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """List rejected events, the newest first."""
    from fraudstream.store.rejected import find

    settings = start_settings("mongo")
    # Bytes that are no UTF-8, as a shell may give them, name no field.
    found = find(settings, field, limit) if _is_text(field) else []
    if as_json:
        say_json({"rejected": [_shown(made) for made in found]})
        return
    if not found:
        say("nothing was rejected" + (f" for the field {field}" if field else ""))
        return
    table = Table("id", "rejected at", "reason", "bytes")
    for made in found:
        reason = printable(str(made["reason"]), _LONGEST_REASON)
        table.add_row(str(made["_id"]), f"{made['rejected_at']:%Y-%m-%d %H:%M:%S}", reason, f"{made['raw_bytes']:,}")
    terminal().print(table)


@app.command()
def replay(
    ids: list[str] = typer.Argument(help="Ids of rejected events, as `list` shows them."),
    changes: list[str] = typer.Option([], "--set", help="Correction field=value (value in JSON), repeatable."),
    removed: list[str] = typer.Option([], "--unset", help="A field to take away, repeatable."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Correct rejected events and send them to the topic that they came from; what is still wrong is not sent.

    A field inside a field is written /outer/inner (JSON Pointer), a name that has `=` in it as JSON text in quotes.
    Exit status 1: the broker did not take some of them.
    """
    from fraudstream.core.json_text import parse_path
    from fraudstream.core.resend import Correction, send_back

    try:
        correction = Correction(dict(map(_change, changes)), [parse_path(name) for name in removed])
    except ValueError as error:
        raise typer.BadParameter(f"--set or --unset: {error}") from error
    # Bytes that are no UTF-8, as a shell may give them, name no event.
    known = [number if _is_text(number) else ascii(number) for number in ids]
    answer = send_back(start_settings("mongo", "kafka"), known, correction)
    refused = [{"id": number, "reason": reason} for number, reason in answer.refused.items()]
    if as_json:
        say_json({"sent": list(answer.places), "landed": answer.places, "refused": refused})
    else:
        say(f"sent {len(answer.places)} of {len(answer.places) + len(refused)} events back")
    for number, reason in answer.refused.items():
        say(f"{number}: Kafka did not take it: {reason}", err=True)
    if refused:
        raise typer.Exit(1)


def _change(text: str) -> tuple[tuple[str, ...], str]:
    """The path and the JSON text of a ``field=value``."""
    from fraudstream.core.json_text import json_value, parse_path

    if not _is_text(text):
        raise ValueError("the text is no UTF-8")
    path: tuple[str, ...]
    if text.startswith('"'):
        # A name in quotes is taken as it is, whatever stands in it.
        name, end = json.JSONDecoder().raw_decode(text)
        path, rest = (str(name),), text[end:]
    else:
        name, separator, value = text.partition("=")
        path, rest = parse_path(name), separator + value
    if not rest.startswith("="):
        raise ValueError(f"{text!r} is not field=value, such as --set amount=12.50")
    return path, json_value(rest[1:])


def _is_text(typed: str) -> bool:
    try:
        typed.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": made["_id"],
        "reason": made["reason"],
        "field": made["field"],
        "rejected_at": made["rejected_at"].isoformat(),
        "raw_bytes": made["raw_bytes"],
        "raw_start": bytes(made["raw"][:_SHOWN_BYTES]).decode("utf-8", "replace"),
        "source": made["source"],
    }
