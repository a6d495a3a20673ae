"""What a command shows while it moves bytes."""

import io

from s3dash.cli.diagnostics import Diagnostics


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bytes_are_shown_on_a_terminal() -> None:
    stream = Terminal()
    with Diagnostics(stream).bytes_moved(3 << 20) as moved:
        assert moved is not None
        moved(1 << 20, "sha512-\x1b[2Jname")
        moved(1 << 20, "unseen: the line was drawn just now")
    shown = stream.getvalue()
    assert "1.00 MiB of 3.00 MiB" in shown
    assert "sha512-\\x1b[2Jname" in shown
    assert "unseen" not in shown


def test_in_a_log_nobody_is_told() -> None:
    with Diagnostics(io.StringIO()).bytes_moved() as moved:
        assert moved is None
