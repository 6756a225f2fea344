"""PostgreSQL: a database that servers and workers of several machines use at once, by psycopg.

What SQLite does for a file has its counterpart here. Writers take turns by an advisory lock; those that need no more
than rows of their own, such as heartbeats, pass it by. A session that reads sees one moment, as a transaction of SQLite
does (``REPEATABLE READ``). Writers send a notification, which is told to those who watch (``LISTEN``, ``NOTIFY``).
"""

from __future__ import annotations

import re
import time
from typing import Any

from sqlalchemy import URL, Dialect, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from jupyter_envstore.database.postgresql_watch import CHANNEL, PostgresqlWatch
from jupyter_envstore.database.schema import wait_for_turn
from jupyter_envstore.errors import DatabaseAwayError, EnvStoreError, InvalidInputError, StorageError

DRIVER = "postgresql+psycopg"
SCHEMES = ("postgresql", "postgres", DRIVER)
CONNECT_SECONDS = 5
IDLE_SECONDS, IDLE_SECONDS_BESIDE = 15, 5
"""A transaction in which nothing happens for so long is ended: who began it hangs, and others wait for its locks, for
20 s. It is shorter for who writes beside others, such as the heartbeat of a worker, and does nothing but that."""
RECYCLE_SECONDS = 1800
KEEPALIVE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""How soon a connection that is cut without a word is noticed (libpq, "Parameter Key Words")."""
GONE = ("08", "57P01", "57P02", "57P03", "25006", "25P03", "53300")
"""SQLSTATEs, or their classes, of a server that ends connections, starts, has none left or has become a standby
(PostgreSQL, "Error Codes")."""
FAILED = re.compile(r"connection to server .*failed: (?:FATAL: +)?(.+)")
"""How libpq says that there is no connection, and why."""
REFUSED = ("authentication failed", "no password supplied", "pg_hba.conf", "does not exist", "permission denied")


def parse(url: str) -> URL:
    """Return an address with the driver that is used.

    Raises
    ------
    InvalidInputError
        It is no address of a database of PostgreSQL.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        msg = "database_url is no address of a database; write postgresql+psycopg://USER@HOST/DATABASE"
        raise InvalidInputError(msg) from None
    if found.drivername not in SCHEMES:
        msg = (
            f"database_url names {found.drivername}, which is not known; leave it out for SQLite, or write "
            "postgresql+psycopg://USER@HOST/DATABASE"
        )
        raise InvalidInputError(msg)
    given = found.query.get("password")  # there, SQLAlchemy would show it
    password = given if isinstance(given, str) else found.password
    return found.difference_update_query(["password"]).set(drivername=DRIVER, password=password)


def shown(url: URL) -> str:
    """Return which database an address names, for people: without user, password and options."""
    host = url.host or url.query.get("host") or "this machine"
    return f"{url.database or 'the default database'} on {host if isinstance(host, str) else ', '.join(host)}"


class PostgresqlServer:
    """A database of a PostgreSQL server.

    Parameters
    ----------
    url : str
        Its address, in SQLAlchemy's form; what libpq knows may stand in the query, or in its variables and files.

    Raises
    ------
    InvalidInputError
        It is no address of one, or the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = parse(url)
        self._busy_timeout = 0.0
        try:
            import psycopg  # noqa: F401 - the library that it needs in turn may be missing, too
        except ImportError as error:
            msg = f"a database of PostgreSQL needs its driver ({error}): pip install 'jupyter-envstore[postgresql]'"
            raise InvalidInputError(msg) from None

    silence_seconds = 3.0

    @property
    def place(self) -> str:
        """Name and host of the database."""
        return shown(self._url)

    def make_engine(self, busy_timeout: float) -> Engine:
        """Return the engine; a statement of a writer waits for locks for at most ``busy_timeout`` seconds."""
        self._busy_timeout = busy_timeout
        return create_engine(
            self._url,
            connect_args=self._arguments("jupyter-envstore"),
            pool_pre_ping=True,
            pool_recycle=RECYCLE_SECONDS,
            hide_parameters=True,
        )

    def _arguments(self, name: str) -> dict[str, Any]:
        """Return what a connection is made with, beside the address; what stands there goes first."""
        arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": name, **KEEPALIVE}
        arguments["client_encoding"] = "utf8"  # of a server without an encoding, texts would come as bytes
        arguments = {key: value for key, value in arguments.items() if key not in self._url.query}
        return arguments | {"prepare_threshold": None}  # a pooler in between may not know a prepared statement

    def for_reading(self, engine: Engine) -> Engine:
        """Return the engine with another isolation: by default, each statement would see a moment of its own."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def make(self) -> None:
        """Do nothing: an admin makes the database."""

    def begin_write(self, session: Session, alone: bool) -> None:
        """Wait for other writers that are alone, by an advisory lock that ends with the transaction.

        A writer that does nothing for a while is ended: it hangs, and others wait for its locks. All of that is of the
        transaction, so that the next one of the connection, behind a pooler perhaps somebody else's, has nothing of it.
        """
        session.execute(
            text("SELECT set_config('lock_timeout', :lock, true), set_config(:name, :idle, true)"),
            {
                "lock": f"{self._busy_timeout:g}s",
                "name": "idle_in_transaction_session_timeout",
                "idle": f"{IDLE_SECONDS if alone else IDLE_SECONDS_BESIDE}s",
            },
        )
        if alone:
            wait_for_turn(session.connection())

    def tell_write(self, session: Session) -> None:
        """Notify those who watch: the server tells them when the transaction is committed."""
        session.execute(text(f"NOTIFY {CHANNEL}"))

    def watch(self) -> PostgresqlWatch:
        """Return what tells whether anybody wrote."""
        dialect: Dialect = self._url.get_dialect()()
        _, address = dialect.create_connect_args(self._url)  # as the engine has it
        return PostgresqlWatch(dict(address) | self._arguments("jupyter-envstore watch"))

    def check(self, engine: Engine) -> str:
        """Return what is wrong with the database: its encoding must take all texts."""
        with engine.connect() as connection:
            encoding = connection.execute(text("SHOW server_encoding")).scalar()
        return "" if encoding == "UTF8" else f"its encoding is {encoding}; make it with: createdb --encoding=UTF8"

    def clock_ahead(self, engine: Engine) -> float:
        """Return how many seconds the clock of the server is ahead of that of this machine."""
        with engine.connect() as connection:
            asked = time.time()
            told = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
            return float(told) - (asked + time.time()) / 2

    def explain(self, error: DBAPIError) -> EnvStoreError | None:
        """Return an error of the driver or of the server in words for people; none shows a password."""
        place, reason = shown(self._url), _reason(error)
        state = _state(error)
        if self.is_away(error):
            return DatabaseAwayError(f"the store's database {place} does not answer: {reason}; try again")
        if isinstance(error, DataError):
            return InvalidInputError(f"a text has a character that the store's database cannot keep: {reason}")
        if state == "55P03":
            return StorageError(f"the store's database {place} is locked by another process; try again")
        if state in ("40001", "40P01"):
            return StorageError(f"the store's database {place} is busy: {reason}; try again")
        if state == "53100":
            return StorageError(f"no space left on the disk of the store's database {place}")
        if state == "42501" or any(words in str(error.orig) for words in REFUSED):
            return StorageError(
                f"the store's database {place} refuses: {reason}; check database_url, and what its user may do"
            )
        return None

    def is_away(self, error: DBAPIError) -> bool:
        """Whether the server does not answer now: it is restarted, cannot be reached, or ended the connection."""
        state = _state(error)
        if state:
            return state.startswith(GONE)
        if not isinstance(error, (OperationalError, InterfaceError)):
            return False
        return not any(words in str(error.orig) for words in REFUSED)


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _reason(error: DBAPIError) -> str:
    """Return what went wrong, without where: of several addresses of a host, for the last one."""
    said = str(error.orig)
    found = FAILED.findall(said) or [said.strip().partition("\n")[0]]
    return str(found[-1]).strip() or type(error.orig).__name__
