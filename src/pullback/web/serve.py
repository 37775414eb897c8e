"""The commands serve and export-site."""

from __future__ import annotations

import argparse
import os
import sys

from pullback.errors import PullbackError

PORT = 8765


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

    port = int(getattr(options, "port", None) or PORT)
    workers = int(getattr(options, "workers", None) or max(2, os.cpu_count() or 2))
    _check_free(port)
    print(f"pullback is on http://localhost:{port}/ (stop with Ctrl-C)", file=sys.stderr)
    uvicorn.run(
        make_app(Limits(workers=workers)), host="127.0.0.1", port=port, log_level="warning", server_header=False,
        timeout_keep_alive=15, limit_concurrency=1024, h11_max_incomplete_event_size=32 * 1024,
    )  # fmt: skip
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


def _check_free(port: int) -> None:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            hint = f"choose another: pullback serve --port {port + 1}"
            raise PullbackError(f"port {port} can't be used: {error.strerror}", hint=hint) from None
