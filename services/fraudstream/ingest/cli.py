"""``fraudstream ingest``: what a sender over HTTP has to be given."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from fraudstream.core.access import shared_access
from fraudstream.core.configuration.settings import ENV_PREFIX, load_settings
from fraudstream.core.output.terminal import say

app = typer.Typer(help="Keys and tokens for senders over HTTP.", no_args_is_help=True)

Minutes = Annotated[int, typer.Option(min=1, max=525_600, help="How long the token holds.")]
Into = Annotated[
    Path | None, typer.Option("--into", help="The issuer's folder; by default `ingest` in the data folder.")
]


@app.command("connection-string")
def show_connection_string(
    new: Annotated[bool, typer.Option("--new", help="Make another one, for the settings; nothing is stored.")] = False,
    policy: Annotated[str, typer.Option(help="The policy's name in a new one.")] = "send",
    hub: Annotated[str, typer.Option(help="The one hub that a new one is for; empty: all.")] = "",
) -> None:
    """Print the connection string with which senders sign, secret included."""
    from fraudstream.core.access.policies import connection_string, new_connection_string

    if new:
        _print(new_connection_string(policy, hub))
    else:
        _print("\n".join(connection_string(load_settings()).split()))


@app.command()
def token(
    hub: Annotated[
        str, typer.Option(help="The hub that the token is for; empty: all of the namespace.")
    ] = "transactions",
    minutes: Minutes = 60,
    bearer: Annotated[bool, typer.Option("--bearer", help="A bearer token of the local issuer.")] = False,
    into: Into = None,
) -> None:
    """Print the value of an Authorization header for a hub."""
    from fraudstream.core.access.policies import sending_policy
    from fraudstream.ingest.access.issuer import Issuer

    settings = load_settings()
    if bearer:
        _print(f"Bearer {Issuer.in_folder(into or settings.data_dir / 'ingest').token(minutes * 60)}")
        return
    policy = sending_policy(settings, hub)
    expires_at = int(time.time()) + minutes * 60
    _print(shared_access.token(f"{policy.host}/{hub}", policy.key, expires_at, policy.name))


@app.command()
def issuer(into: Into = None) -> None:
    """Make a local issuer of bearer tokens, unless there is one."""
    from fraudstream.ingest.access.issuer import NAME, Issuer

    here = Issuer.in_folder((into or load_settings().data_dir / "ingest").absolute())
    say(f"{'made' if here.create() else 'kept'} the issuer's key: {here.key}", err=True)
    say(f"{ENV_PREFIX}INGEST_JWKS={here.jwks}")
    say(f"{ENV_PREFIX}INGEST_TOKEN_ISSUER={NAME}")


def _print(text: str) -> None:
    # What else is written passes through the redaction, which takes secrets away.
    sys.stdout.write(f"{text}\n")
