"""MLflow's own database, made whole or not at all.

MLflow makes its SQLite file in some dozen steps, for seconds, and can neither go on with what was killed in between nor bear two
processes that begin at once: "duplicate column name". So the file is made under another name, and then gets its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

import psutil
from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from triptych.utils.files import TEMPORARY, remove
from triptych.utils.machine import is_there

SQLITE = "sqlite:///"
MAKING = "mlflow-in-the-making-"  # how the folder begins in which it is made; whose it is stands behind that


def file_of(address: str) -> Path | None:
    """The file that an address of MLflow's names; None: it is a server, or a database of another kind."""
    name = address.removeprefix(SQLITE)
    return None if name in (address, "", ":memory:") or "?" in name else Path(name)


def make_database(address: str) -> None:
    """Makes the database that an address names, where it is a file that is not there yet. What killed processes left of theirs goes."""
    file = file_of(address)
    if file is None:
        return
    remove_leftovers(file.parent)
    if file.exists():
        return
    folder = Path(tempfile.mkdtemp(suffix=TEMPORARY, prefix=f"{MAKING}{owner()}-", dir=file.parent))
    try:
        store = SqlAlchemyStore(f"{SQLITE}{folder.absolute() / 'new'}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
        store.engine.dispose()
        put_in_place(folder / "new", file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def owner() -> str:
    """This process, as the name of its folder tells it: its machine, its number there, and when it began."""
    return f"{socket.gethostname()}-{os.getpid()}-{psutil.Process().create_time():.2f}"


def remove_leftovers(parent: Path) -> None:
    """Removes the folders of processes of this machine that are gone. Of another machine nobody knows here, and they stay."""
    named = re.compile(rf"{MAKING}{re.escape(socket.gethostname())}-(\d+)-(\d+\.\d+)-\w+{re.escape(TEMPORARY)}")
    with contextlib.suppress(OSError):  # a folder that cannot be read is told by who needs it
        for folder in sorted(parent.iterdir()):
            found = named.fullmatch(folder.name)
            if found and not is_there(int(found[1]), float(found[2])):
                remove(folder)


def put_in_place(new: Path, file: Path) -> None:
    """Gives a file its name, unless another process has been quicker."""
    try:
        os.link(new, file)  # unlike a rename it takes nobody's place
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        os.replace(new, file)
