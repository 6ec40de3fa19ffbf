"""``fraudstream rejected``: what was rejected and why, and corrected events back into the stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import typer
from rich.table import Table

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.output.terminal import say, say_json, terminal

app = typer.Typer(help="Rejected events: list them, send corrected ones back.", no_args_is_help=True)

_SHOWN_BYTES = 200
_LONGEST_REASON = 500
_LONGEST_ID = 300
_UNKNOWN = "–"


@app.command("list")
def list_rejected(
    field: str = typer.Option("", help="Only events rejected for this field."),
    limit: int = typer.Option(20, min=1, max=1000, help="How many, the newest first."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """List rejected events, the newest first."""
    from fraudstream.core.documents.stored import moment, text, whole
    from fraudstream.store.rejected import find

    settings = start_settings("mongo")
    # A shell may pass bytes that are not UTF-8; no field has such a name.
    documents = find(settings, field, limit) if _is_text(field) else []
    if as_json:
        say_json({"rejected": [_shown(document) for document in documents]})
        return
    if not documents:
        say("nothing was rejected" + (f" for the field {field}" if field else ""))
        return
    table = Table("id", "rejected at", "reason", "bytes")
    for document in documents:
        at, size = moment(document.get("rejected_at")), whole(document.get("raw_bytes"))
        table.add_row(
            text(document.get("_id"), _LONGEST_ID),
            _UNKNOWN if at is None else f"{at:%Y-%m-%d %H:%M:%S}",
            text(document.get("reason"), _LONGEST_REASON),
            _UNKNOWN if size is None else f"{size:,}",
        )
    terminal().print(table)


@app.command()
def replay(
    ids: list[str] = typer.Argument(help="Ids of rejected events, as `list` shows them."),
    changes: list[str] = typer.Option([], "--set", help="Correction field=value (value in JSON), repeatable."),
    removed: list[str] = typer.Option([], "--unset", help="A field to take away, repeatable."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Correct rejected events and send them to the topic that they came from; what is still wrong is not sent.

    A field inside a field is written /outer/inner (JSON Pointer). A name that has `=` in it, or what no shell can pass
    on, is written as JSON text in quotes, for --set and --unset alike: '"a\\u0000b"'.
    Exit status 1: the broker did not take some of them.
    """
    from fraudstream.core.kafka.resend import Correction, send_back

    try:
        correction = Correction(dict(map(_change, changes)), [_removal(name) for name in removed])
    except ValueError as error:
        raise typer.BadParameter(f"--set or --unset: {error}") from error
    # A shell may pass bytes that are not UTF-8; no event has such an id.
    known = [id if _is_text(id) else ascii(id) for id in ids]
    answer = send_back(start_settings("mongo", "kafka"), known, correction)
    refused = [{"id": id, "reason": reason} for id, reason in answer.refused.items()]
    if as_json:
        say_json({"sent": list(answer.places), "landed": answer.places, "refused": refused})
    else:
        say(f"sent {len(answer.places)} of {len(answer.places) + len(refused)} events back")
    for id, reason in answer.refused.items():
        say(f"{id}: Kafka did not take it: {reason}", err=True)
    if refused:
        raise typer.Exit(1)


def _change(text: str) -> tuple[tuple[str, ...], str]:
    """The path and the JSON text of a ``field=value``."""
    from fraudstream.core.contract.json_text import json_value, parse_path

    _require_text(text)
    path: tuple[str, ...]
    if text.startswith('"'):
        path, rest = _quoted(text)
    else:
        name, separator, value = text.partition("=")
        path, rest = parse_path(name), separator + value
    if not rest.startswith("="):
        raise ValueError(f"{text!r} is not field=value, such as --set amount=12.50")
    return path, json_value(rest[1:])


def _removal(text: str) -> tuple[str, ...]:
    """The path of a field to remove."""
    from fraudstream.core.contract.json_text import parse_path

    _require_text(text)
    if not text.startswith('"'):
        return parse_path(text)
    path, rest = _quoted(text)
    if rest:
        raise ValueError(f"{text!r} is not one name in quotes")
    return path


def _quoted(text: str) -> tuple[tuple[str, ...], str]:
    """The path of a name in quotes, which is one name whatever is in it; and the text behind the quotes."""
    name, end = json.JSONDecoder().raw_decode(text)
    return (str(name),), text[end:]


def _require_text(text: str) -> None:
    if not _is_text(text):
        raise ValueError("the text is no UTF-8")


def _is_text(typed: str) -> bool:
    try:
        typed.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as JSON values: texts unchanged; a value of a type that we never write as close as JSON allows."""
    from fraudstream.core.documents.stored import moment, plain, whole

    texts = {name: document.get(name) for name in ("_id", "reason", "field")}
    exact = {name: value if isinstance(value, str) else plain(value) for name, value in texts.items()}
    at, raw = moment(document.get("rejected_at")), document.get("raw")
    return {
        "id": exact["_id"],
        "reason": exact["reason"],
        "field": exact["field"],
        "rejected_at": None if at is None else at.isoformat(),
        "raw_bytes": whole(document.get("raw_bytes")),
        "raw_start": raw[:_SHOWN_BYTES].decode("utf-8", "replace") if isinstance(raw, bytes) else None,
        "source": plain(document.get("source")),
    }
