"""An endpoint that listens with TLS, and whose connections can all be ended at once."""

from __future__ import annotations

import asyncio
import ssl

from fraudstream.cloud.rehearsal.net.connections import Connections, Serve


class Listening:
    """What endpoints over bare sockets have in common: :meth:`listen` once or more, :meth:`stop` in the end."""

    def __init__(self) -> None:
        self._connections = Connections()
        self._servers: list[asyncio.Server] = []

    async def listen(self, serve: Serve, context: ssl.SSLContext, port: int, host: str = "127.0.0.1") -> int:
        """Serve each connection to a port (0: a free one); returns the port."""
        server = await asyncio.start_server(self._connections.served_by(serve), host, port, ssl=context)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and end all connections."""
        for server in self._servers:
            server.close()
        await self.cut_connections()

    async def cut_connections(self) -> int:
        """End all connections, as a failover does; returns how many there were."""
        return await self._connections.cut()
