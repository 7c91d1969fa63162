"""`tronie serve`: the page and its API at one address, and the workers beside it."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tronie.errors import TronieError
from tronie.runtime.logs import logger
from tronie.service.config import ServiceConfig

if TYPE_CHECKING:
    import uvicorn

    from tronie.service.job_table import JobTable
    from tronie.service.storage import Storage
    from tronie.service.uploads import Inspector

log = logger(__name__)

Say = Callable[[str], None]

HOUSE = 60.0
"""Seconds between two looks at what may go."""
LEAVING = "Stopping; a job in work is finished if that takes a few seconds, else it is done later."
CLOSING = 3
"""Seconds that answers under way have when the server is to end."""
NEEDED = ("fastapi", "uvicorn", "python_multipart", "sqlalchemy", "prometheus_client")


class ServeError(TronieError):
    """The service cannot begin."""


def check_extra(config: ServiceConfig) -> None:
    """Raises ServeError with what to install."""
    if any(find_spec(name) is None for name in NEEDED):
        raise ServeError("tronie serve needs the extra `web`: pip install 'tronie[web]'.")
    if config.database and config.database_url.startswith("postgresql") and find_spec("psycopg") is None:
        raise ServeError("A PostgreSQL database needs the extra `postgres`: pip install 'tronie[postgres]'.")


def is_loopback(host: str) -> bool:
    """Whether only this machine can come by that address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that hears at an address; 0 is any port that is free. Raises ServeError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise ServeError(f"This machine has no address {host}.") from None
    listening = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where the other option would share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(512)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            said = f"Port {port} is in use already, perhaps by another tronie serve; --port chooses another, 0 any."
        elif error.errno in (errno.EACCES, errno.EPERM):
            said = f"There is no permission to listen on port {port}; --port chooses another."
        elif error.errno == errno.EADDRNOTAVAIL:
            said = f"This machine has no address {host}."
        else:
            said = f"It is not possible to listen on {host} port {port}: {str(error.strerror).lower()}."
        raise ServeError(said) from None
    return listening


def link(listening: socket.socket, host: str, token: str | None = None) -> str:
    """What to open in a browser."""
    port = listening.getsockname()[1]
    shown = _own_address() if host in ("", "0.0.0.0", "::") else host
    shown = f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown
    return f"http://{shown}:{port}/{f'#token={token}' if token else ''}"


def _own_address() -> str:
    """By which others reach this machine, as far as it knows; nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))
            return str(asked.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def open_page(address: str) -> None:
    """In the user's browser."""
    import webbrowser

    webbrowser.open(address)


def serve(config: ServiceConfig, say: Say, begun: Callable[[str], None] | None = None) -> None:
    """Until Ctrl-C or SIGTERM. `say` is told the address at once; `begun` when the page can be opened. Raises
    ServeError, TableError, OutputError."""
    check_extra(config)
    with ExitStack() as open_:
        listening = open_.enter_context(listen(config.host, config.port))
        token = config.tokens[0] if config.tokens else None
        address = link(listening, config.host, token)
        say(f"tronie is at {address} (Ctrl-C ends it)")

        import uvicorn

        from tronie.service.job_table import JobTable
        from tronie.service.storage import Storage
        from tronie.service.uploads import Inspector
        from tronie.service.worker_names import release_lost
        from tronie.web.app import create_app
        from tronie.web.patience import PatientProtocol

        storage = Storage(config.data)
        table = JobTable.open(config.database_url, retention=config.retention, attempts=config.attempts)
        open_.callback(table.close)
        release_lost(table)  # or those of a server that was killed would pass for ready
        inspector = Inspector(config)
        open_.callback(inspector.close)
        app = create_app(config, table, storage, inspector)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="on",
                timeout_graceful_shutdown=CLOSING,
            )
        )
        app.state.served.follower.over = lambda: server.should_exit
        over = threading.Event()
        beside = threading.Thread(
            target=_beside, args=(config, table, storage, inspector, server, begun, address, over), name="tronie-beside"
        )
        beside.start()
        try:
            with _gentle():
                server.run(sockets=[listening])
            say(LEAVING)
        finally:
            over.set()
            _join(beside)


def _beside(
    config: ServiceConfig,
    table: JobTable,
    storage: Storage,
    inspector: Inspector,
    server: uvicorn.Server,
    begun: Callable[[str], None] | None,
    address: str,
    over: threading.Event,
) -> None:
    """What begins when the page is there, so that nobody waits for it."""
    while not server.started:
        if over.wait(0.02):
            return
    if begun is not None:
        begun(address)
    inspector.begin()
    from tronie.service.crew import Crew

    crew = Crew(config, table)
    crew.begin()
    keep(table, storage, config, over)
    crew.close()


def work_only(config: ServiceConfig, say: Say) -> None:
    """Workers without a page, for a database and a data folder that other machines share. Until Ctrl-C or SIGTERM."""
    check_extra(config)
    from tronie.service.crew import Crew
    from tronie.service.job_table import JobTable
    from tronie.service.storage import Storage

    Storage(config.data)
    table = JobTable.open(config.database_url, retention=config.retention, attempts=config.attempts)
    crew, over = Crew(config, table), threading.Event()
    say("Working on the jobs of the database (Ctrl-C ends it)")
    with _gentle(over.set):
        crew.begin()
        while not over.wait(0.5):
            pass
    say(LEAVING)
    closing = threading.Thread(target=crew.close)
    closing.start()
    _join(closing)
    table.close()


def keep(table: JobTable, storage: Storage, config: ServiceConfig, over: threading.Event) -> None:
    """Remove what is over, now and every minute."""
    from tronie.service.housekeeping import keep_house

    while not over.is_set():
        try:
            keep_house(table, storage, config.quota)
        except Exception as trouble:
            log.warning("the house is not kept: %s", trouble)
        over.wait(HOUSE)


def _join(thread: threading.Thread) -> None:
    """Wait for it; another Ctrl-C ends this process, and with it its workers."""
    try:
        thread.join()
    except KeyboardInterrupt:
        os._exit(130)


@contextmanager
def _gentle(react: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Within this, signals to end do no more than `react`: the server catches them itself, and raises them again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: react() and None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
