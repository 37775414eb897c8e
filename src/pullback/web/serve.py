"""The commands serve and export-site."""

from __future__ import annotations

import argparse
import os
import socket
import sys

from pullback.errors import PullbackError

PORT = 8765
MOST_WORKERS = 256


def run(options: argparse.Namespace) -> int:
    """Serve the page on this machine until interrupted.

    Raises:
        PullbackError: What the page needs is not installed, or the port is taken.
    """
    try:
        import uvicorn

        from pullback.web.server import make_app
    except ImportError:
        raise PullbackError("the page needs starlette and uvicorn", hint='pip install "pullback[web]"') from None
    from pullback.web.limits import Limits

    workers = max(2, os.cpu_count() or 2) if options.workers is None else options.workers
    if not 1 <= workers <= MOST_WORKERS:
        raise PullbackError(f"{workers} workers are no use", hint=f"1 to {MOST_WORKERS} processes may derive")
    with _listening(PORT if options.port is None else options.port) as taken:
        port = taken.getsockname()[1]

        def say() -> None:
            print(f"pullback is on http://localhost:{port}/ (stop with Ctrl-C)", file=sys.stderr, flush=True)

        app = make_app(Limits(workers=workers), say)
        config = uvicorn.Config(
            app, log_level="warning", server_header=False, timeout_keep_alive=15, limit_concurrency=1024,
            h11_max_incomplete_event_size=32 * 1024,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[taken])
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the gallery as static pages.

    Raises:
        PullbackError: The folder can't be written.
    """
    from pathlib import Path

    from pullback.web.export import export_site

    folder = Path(options.directory)
    try:
        count = export_site(folder)
    except OSError as error:
        raise PullbackError(f"{folder} can't be written: {error.strerror or error}") from None
    print(f"wrote {count} pages to {folder}", file=sys.stderr)
    return 0


def _listening(port: int) -> socket.socket:
    """Take a port of the loopback address, 0 for any that is free."""
    taken = socket.socket()
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen(512)
    except (OSError, OverflowError) as error:
        taken.close()
        why = error.strerror if isinstance(error, OSError) else "ports are 0 to 65535"
        raise PullbackError(
            f"port {port} can't be used: {why}", hint="choose another: pullback serve --port 0"
        ) from None
    return taken
