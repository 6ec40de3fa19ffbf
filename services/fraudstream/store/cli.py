"""``fraudstream rejected``: what was rejected and why, and corrected events back into the stream."""

from __future__ import annotations

from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from fraudstream.core.required import start_settings

app = typer.Typer(help="Rejected events: list them, send corrected ones back.", no_args_is_help=True)

_SHOWN_BYTES = 200


@app.command("list")
def list_rejected(
    field: str = typer.Option("", help="Only events rejected for this field."),
    limit: int = typer.Option(20, min=1, max=1000, help="How many, the newest first."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """List rejected events, the newest first."""
    from fraudstream.store.rejected import find

    found = find(start_settings("mongo"), field, limit)
    if as_json:
        typer.echo(orjson.dumps({"rejected": [_shown(made) for made in found]}).decode())
        return
    if not found:
        typer.echo("nothing was rejected" + (f" for the field {field}" if field else ""))
        return
    table = Table("id", "rejected at", "reason", "bytes")
    for made in found:
        table.add_row(made["_id"], f"{made['rejected_at']:%Y-%m-%d %H:%M:%S}", made["reason"], f"{made['raw_bytes']:,}")
    Console().print(table)


@app.command()
def replay(
    ids: list[str] = typer.Argument(help="Ids of rejected events, as `list` shows them."),
    changes: list[str] = typer.Option([], "--set", help="Correction field=value (value in JSON), repeatable."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Correct rejected events and send them to `transactions` again; what is still wrong is not sent."""
    from fraudstream.store.rejected import send_back

    sent = send_back(start_settings("mongo", "kafka"), ids, dict(map(_change, changes)))
    typer.echo(orjson.dumps({"sent": sent}).decode() if as_json else f"sent {len(sent)} of {len(ids)} events back")


def _change(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise typer.BadParameter(f"--set {text!r}: write it as field=value, such as --set amount=12.50")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value


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
