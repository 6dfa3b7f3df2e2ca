"""Whether a server that weights are fetched from can be reached."""

from __future__ import annotations

import socket
from urllib.parse import urlparse
from urllib.request import getproxies, proxy_bypass

from triptych.utils.checks import InputError

SECONDS = 20.0  # that a server has to answer


def check_reachable(source: str, address: str, who: str = "", allowed: str = "with a network") -> None:
    """Refuses at once what has no network: the tools' own libraries try for minutes.

    Args:
        who: what the server is called; "": its host.

    Raises:
        InputError: nobody answers there. Behind a proxy that is not asked.
    """
    there = urlparse(address)
    proxies = getproxies()
    is_direct = proxy_bypass(there.netloc) or not {there.scheme, "all"} & proxies.keys()
    if there.hostname is None or not is_direct:
        return
    try:
        socket.create_connection(
            (there.hostname, there.port or (80 if there.scheme == "http" else 443)), SECONDS
        ).close()
    except OSError as error:
        said = error.strerror or str(error)
        raise InputError(
            f"source is {source!r}, and {who or there.hostname} cannot be reached ({said}); allowed: {allowed}"
        ) from None


def is_of_network(error: BaseException | None) -> bool:
    """Whether an error of a library says that nobody answered, itself or by what is behind it: as through a proxy."""
    import requests  # the libraries that use it bring it

    while error is not None:
        if isinstance(error, requests.ConnectionError | requests.Timeout | ConnectionError | TimeoutError):
            return True
        error = getattr(error, "exc", None) or error.__cause__ or error.__context__
    return False
