"""A connection's secrets under threads that write the same one at once, on both databases."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa

from collecthub.store import migrate
from collecthub.store.database import Database
from collecthub.store.secrets import ConnectionVault, MasterKey


def test_writers_of_one_secret_never_refuse_each_other(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate.upgrade(database)
    vault = ConnectionVault(database, MasterKey(tmp_path / "key"), "books")
    gate = threading.Barrier(6)
    failed: list[sa.exc.DBAPIError] = []

    def write(mine: int) -> None:
        gate.wait()
        try:
            for turn in range(20):
                vault.write("budget", f"{mine}/{turn}")
        except sa.exc.DBAPIError as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failed
    assert vault.read("budget") in {f"{number}/19" for number in range(6)}
    database.close()
