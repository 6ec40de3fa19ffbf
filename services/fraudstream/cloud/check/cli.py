"""``fraudstream check``: what would fail in the cloud, found before going there."""

from __future__ import annotations

import typer

app = typer.Typer(help="Find what would fail in a cloud, offline.", no_args_is_help=True)


@app.callback()
def check() -> None:
    """Find what would fail in a cloud, offline."""
