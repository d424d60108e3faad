"""A PostgreSQL of its own that writes to the disk as a shop's does, and a standby that takes its place."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.fixtures.postgres import PostgresServer, free_port, running_server, server_account

_NAME = "chaos"


@dataclass(frozen=True)
class Cluster:
    """The first server, and the port where its standby serves once there is one."""

    first: PostgresServer
    standby_port: int

    @property
    def url(self) -> str:
        """The first server alone."""
        return self.first.url(_NAME)

    @property
    def url_of_both(self) -> str:
        """Whichever of the two can write."""
        hosts = f"host=127.0.0.1:{self.first.port}&host=127.0.0.1:{self.standby_port}"
        return f"postgresql://postgres:postgres@/{_NAME}?{hosts}&target_session_attrs=read-write"

    def restart(self, how: Literal["fast", "immediate"]) -> None:
        """Stop and start the first server. ``immediate`` is a crash: it recovers from its log."""
        self._run("pg_ctl", "-D", self._data("data"), "-l", self._data("log"), "-m", how, "-w", "restart")

    def add_standby(self) -> None:
        """Copy the first server; from now on it answers a commit only when the copy has it too."""
        port = str(self.first.port)
        copy = ("-h", "127.0.0.1", "-p", port, "-U", "postgres", "-D", self._data("standby"))
        self._run("pg_basebackup", *copy, "-R", "-X", "stream", "-c", "fast")
        options = ("-o", f"-p {self.standby_port}", "-l", self._data("standby.log"), "-w")
        self._run("pg_ctl", "-D", self._data("standby"), *options, "start")
        self.first.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.first.execute("SELECT pg_reload_conf()")

    def fail_over(self) -> None:
        """The first server is gone at once, and the standby is told to take its place."""
        self._run("pg_ctl", "-D", self._data("data"), "-m", "immediate", "-w", "stop")
        self._run("pg_ctl", "-D", self._data("standby"), "-w", "promote")

    def remove_standby(self) -> None:
        """Stop it, if there is one."""
        if (self.first.home / "standby" / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data("standby"), "-m", "immediate", "-w", "stop")

    def _data(self, name: str) -> str:
        return str(self.first.home / name)

    def _run(self, program: str, *arguments: str) -> None:
        account, is_root = server_account(), os.geteuid() == 0
        subprocess.run(
            [str(Path(self.first.binaries) / program), *arguments],
            check=True,
            timeout=60,
            cwd=self.first.home,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=account.pw_uid if is_root else None,
            group=account.pw_gid if is_root else None,
            extra_groups=[] if is_root else None,
        )


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """One server with an empty database, durable: nothing that was answered may be lost with it."""
    with running_server() as server:
        cluster = Cluster(server, free_port())
        for setting in ("fsync", "full_page_writes"):
            server.execute(f"ALTER SYSTEM SET {setting} = on")
        cluster.restart("fast")
        server.create_database(_NAME)
        try:
            yield cluster
        finally:
            cluster.remove_standby()
