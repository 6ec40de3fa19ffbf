"""``fraudstream rejected``: what was rejected and why, and corrected events back into the stream."""

from __future__ import annotations

from typing import Any

import orjson
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
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Correct rejected events and send them to `transactions` again; what is still wrong is not sent."""
    from fraudstream.store.rejected import send_back

    sent = send_back(start_settings("mongo", "kafka"), ids, dict(map(_change, changes)))
    if as_json:
        say_json({"sent": sent})
    else:
        say(f"sent {len(sent)} of {len(ids)} events back")


def _change(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise typer.BadParameter(f"--set {text!r}: write it as field=value, such as --set amount=12.50")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value


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
