"""MLflow's own database, made whole or not at all.

MLflow makes its SQLite file in some dozen steps, for seconds, and can neither go on with what was killed in between nor bear two
processes that begin at once: "duplicate column name". So the file is made under another name, and then gets its own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from triptych.utils.files import fresh_folder

SQLITE = "sqlite:///"


def file_of(address: str) -> Path | None:
    """The file that an address of MLflow's names; None: it is a server, or a database of another kind."""
    name = address.removeprefix(SQLITE)
    return None if name in (address, "", ":memory:") or "?" in name else Path(name)


def make_database(address: str) -> None:
    """Makes the database that an address names, where it is a file that is not there yet."""
    file = file_of(address)
    if file is None or file.exists():
        return
    folder = fresh_folder(file.parent)
    try:
        store = SqlAlchemyStore(f"{SQLITE}{folder.absolute() / 'new'}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
        store.engine.dispose()
        put_in_place(folder / "new", file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(new: Path, file: Path) -> None:
    """Gives a file its name, unless another process has been quicker."""
    try:
        os.link(new, file)  # unlike a rename it takes nobody's place
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        os.replace(new, file)
