"""The closed network of a chapter: in its kernel and in every Python process it starts.

Python imports a module of this name by itself at startup, before any other code, and the harness
puts this folder on PYTHONPATH. An audit hook then refuses whatever would leave this machine and
appends it to the file SEQDEC_NETWORK_LOG, so that a chapter which swallows the refusal is caught
all the same. Other programs find a proxy that does not answer, and the usual downloaders are not
started at all. Native code that opens its own sockets is out of an audit hook's reach.
"""

import errno
import ipaddress
import os
import re
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

PROXY_PORT = 9  # "discard": nobody listens there
DOWNLOADERS = {"curl", "wget", "pip", "pip3", "conda", "git", "ssh", "scp", "rsync", "ftp", "nc"}


def is_local(host: Any) -> bool:
    """Whether `host` (None, a name or an address; text or bytes) is this machine."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def downloader(command: Any) -> str | None:
    """Return the network tool that `command` (text or a list of words) would start, if any."""
    words = [command] if isinstance(command, str | bytes | os.PathLike) else command or []
    text = " ".join(os.fsdecode(word) for word in words)
    paths = re.findall(r"[\w.\\/-]+", text)
    names = {re.split(r"[\\/]", path)[-1].removesuffix(".exe") for path in paths}
    return min(names & DOWNLOADERS, default=None)


def attempt(event: str, args: tuple) -> str | None:
    """Return what the audited `event` would reach outside this machine, or None."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        if not isinstance(address, tuple):  # a local (AF_UNIX) socket, or one already connected
            return None
        if is_local(address[0]):
            return "the network, by the closed proxy" if address[1] == PROXY_PORT else None
        return f"{address[0]}:{address[1]}"
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return None if is_local(args[0]) else str(args[0])
    if event == "urllib.Request":
        return None if is_local(urlsplit(args[0]).hostname) else args[0]
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn"):
        return downloader(args[2] if event == "os.spawn" else args[1])
    return downloader(args[0]) if event == "os.system" else None


def refuse_network(event: str, args: tuple) -> None:
    """Audit hook: log and refuse what `attempt` finds."""
    if not event.startswith(("socket.", "urllib.", "subprocess.", "os.")):
        return
    if target := attempt(event, args):
        with open(_log, "a", encoding="utf-8") as log:
            print(target, file=log)
        reason = f"chapters run without a network: {event} to {target} refused"
        raise PermissionError(errno.EACCES, reason)


def log_to(path: str) -> None:
    """From here on, append to this file, and make it: without it the harness misses the guard."""
    global _log
    _log = path
    open(path, "a", encoding="utf-8").close()


log_to(os.environ["SEQDEC_NETWORK_LOG"])
sys.addaudithook(refuse_network)
