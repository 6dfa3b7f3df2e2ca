"""A search over a recipe's settings: which values are tried (`over`, `space`), when a trial is given up (`halving`), what was
tried so far (`journal`), and in which order (`search`). Optuna is behind it, an extra, which is imported where it is used.
"""

from __future__ import annotations

from triptych.utils.checks import InputError
from triptych.utils.install import install_hint


def check_optuna() -> None:
    """Refuses a search where Optuna is not installed.

    Raises:
        InputError: names the extra that installs it.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise InputError(f"tune needs {error.name}, which is not installed: {install_hint('tune')}") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of each trial; so do we
