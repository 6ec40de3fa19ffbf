"""``fraudstream certificates``: what listeners show, and what clients are given to trust it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fraudstream.core.configuration.settings import ENV_PREFIX, load_settings
from fraudstream.core.output.terminal import say, say_json
from fraudstream.runtime.certificates.authority import (
    SERVER_DAYS,
    authority_files,
    create_authority,
    create_device,
    create_server,
    own_hosts,
)

app = typer.Typer(help="TLS certificates for the listeners of this machine, and for devices.", no_args_is_help=True)

Into = Annotated[Path | None, typer.Option("--into", help="The folder; by default `certificates` in the data folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")]


@app.callback()
def certificates() -> None:
    """TLS certificates for the listeners of this machine, and for devices."""


@app.command()
def create(
    into: Into = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="A further name or address of the server; may be repeated.")
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option("--device", help="Also a client certificate for this device; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an authority, unless there is one, and a server certificate for this machine that it signs."""
    folder = (load_settings().data_dir / "certificates" if into is None else into).absolute()
    hosts = list(dict.fromkeys([*own_hosts(), *(host or [])]))
    is_new = create_authority(folder)
    server = create_server(folder, hosts)
    devices = {name: create_device(folder, name) for name in device or []}
    authority = authority_files(folder).certificate
    if as_json:
        say_json(
            {
                "authority": str(authority),
                "new_authority": is_new,
                "certificate": str(server.certificate),
                "key": str(server.key),
                "hosts": hosts,
                "devices": {
                    name: {"certificate": str(files.certificate), "key": str(files.key)}
                    for name, files in devices.items()
                },
            }
        )
        return
    say(f"{'made' if is_new else 'kept'} the authority that clients trust: {authority}", err=True)
    say(f"made a certificate for {', '.join(hosts)}, which holds for {SERVER_DAYS} days", err=True)
    for name, files in devices.items():
        say(f"made a certificate for the device {name}: {files.certificate}", err=True)
    say(f"{ENV_PREFIX}TLS_CERTIFICATE={server.certificate}")
    say(f"{ENV_PREFIX}TLS_KEY={server.key}")
