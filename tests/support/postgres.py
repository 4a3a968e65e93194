"""A real PostgreSQL of the test's own, on loopback, in a folder that is removed afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.tools import require

USER = "fedloom"
PASSWORD = "p@ss:/word"
"""With all that must be written differently in a URL."""

URL_PASSWORD = "p%40ss%3A%2Fword"


class PostgresServer:
    """One PostgreSQL. Databases are made by `new_database`; passwords are asked for, as on a network."""

    def __init__(self, folder: Path, programs: Path, account: str | None) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._programs = programs
        self._account = account
        self._names = (f"study_{number}" for number in count(1))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._initialise()

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._account is not None:
            shutil.chown(self._folder, self._account)
            shutil.chown(password, self._account)
        self._run(
            "initdb",
            "--pgdata",
            str(self._data),
            "--username",
            USER,
            "--auth=scram-sha-256",
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )

    def start(self) -> None:
        """Returns once it answers."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self._folder}"
        self._control("start", "-o", options, "-l", str(self._folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """`immediate`: as if it were killed."""
        self._control("stop", "-m", mode)

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = next(self._names)
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, database: str, *, user: str = USER, password: str | None = URL_PASSWORD) -> str:
        """`password`: as it is written in a URL."""
        secret = "" if password is None else f":{password}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection:
        """A connection past FedLoom."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database, autocommit=True
        )

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self._data), "--wait", "--silent", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            user=self._account,
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that runs. Skips the test where there is none."""
    programs = _programs()
    # Not below pytest's folders: PostgreSQL refuses to run as root, and another user may not enter those.
    with tempfile.TemporaryDirectory(prefix="fedloom-pg-") as folder:
        server = PostgresServer(Path(folder), programs, _account())
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _programs() -> Path:
    """Where initdb and pg_ctl are; Debian keeps them off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if debian:
        return debian[-1].parent
    return Path(require("initdb", why="the store is tested on a real PostgreSQL")).parent


def _account() -> str | None:
    """The user to run as, if not this one."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
