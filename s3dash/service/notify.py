"""The notification protocol of systemd (`Type=notify`): one datagram for each message.

Source: sd_notify(3). Without `NOTIFY_SOCKET` nobody listens, and nothing is sent.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """`watchdog_s` is how often a sign of life is expected, None when it is not."""

    def __init__(self, environ: Mapping[str, str], *, pid: int | None = None) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environ, os.getpid() if pid is None else pid)

    @property
    def is_heard(self) -> bool:
        return self._address != ""

    def ready(self) -> None:
        self._send("READY=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send("STATUS=" + text.replace("\n", " "))

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # a manager that does not take it must not end the service
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto(message.encode("utf-8", "replace"), self._address)


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """What systemd asks for, unless it asks another process."""
    asked, whom = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (asked.isascii() and asked.isdecimal() and int(asked)) or whom not in ("", str(pid)):
        return None
    return int(asked) / 1e6
