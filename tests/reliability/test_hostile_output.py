"""What reaches a terminal: nothing that it obeys and no secret, whatever is in the bucket."""

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.cli.output import Output
from s3dash.core.diff import Verdict
from s3dash.core.events import Noted
from s3dash.core.report import Blocked, Failed, PathChange, Result, TrashItem
from s3dash.core.settings import Credentials, Datastore
from s3dash.core.snapshot import HistoryRow
from s3dash.core.text import MAX_MARKS, safe
from s3dash.errors import IndexCorrupt, S3DashError
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.s3 import S3Store
from tests.cli import fakes
from tests.cli.fakes import cli
from tests.cli.real import plain_run
from tests.engine.world import Machine
from tests.reliability.echo import ANSWERS, echo
from tests.reliability.mutate import NAMES
from tests.reliability.test_hostile_config import shows
from tests.servers import Server, free_port
from tests.tally import Effort
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, ago, busy, conflict, dirty, lock, transfer

HOSTILE = (
    "\x1b[2J\x1b[31mred", "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJm\x07", "\x9b2J\x9d0;t\x9c",
    "a\x07b\x08c\x7f", "one\rtwo\nthree\ttab", "\u202egpj.exe", "\u2066x\u2069\u200f",
    "zero\u200bwidth\ufeff\u2060",
    "e" + "\u0301" * 500, "o\u20dd\u0489" * 3, "x" * 10_000, "\x85\u2028\u2029", "\udc80\ud800",
    "[/red][bold]x[/]", "\U000e0041tag",
    "\u3164\u2800\u034f", "%s{0}$HOME`id`", "\u0600\u06dd", "\uffff\ufdd0",
    "\U0001f468\u200d\U0001f469", "A\u0336B\u0336", "\0",
)  # fmt: skip
SGR = re.compile(r"\x1b\[[0-9;]*m")


def harmless(text: str) -> str:
    """What is wrong with a text that goes to a terminal, apart from our own colours; or nothing."""
    marks = 0
    for char in SGR.sub("", text):
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if char != "\n" and not char.isprintable():
            return f"control: {char!a}"
        if marks > MAX_MARKS:
            return "a storm of marks"
    text.encode()
    return ""


def odd_texts(effort: Effort, count: int) -> Iterator[str]:
    """The known ones first, then whatever the dice give from all of Unicode."""
    yield from HOSTILE
    yield from NAMES
    dice = effort.dice()
    planes = (
        0x00,
        0x80,
        0x300,
        0x600,
        0x2000,
        0x2060,
        0x3000,
        0xD800,
        0xE000,
        0xFE00,
        0x1F300,
        0xE0000,
    )
    for _ in range(count):
        yield "".join(chr(dice.choice(planes) + dice.randrange(0x80)) for _ in range(12))


def test_no_text_is_left_with_a_character_that_a_terminal_obeys(effort: Effort) -> None:
    tries = effort.pick(2_000, 200_000)
    for text in odd_texts(effort, tries):
        shown = safe(text)
        assert "\n" not in shown
        assert not harmless(shown), ascii(text)
        stream = io.StringIO()
        Output(stream, as_json=True).document({text: [text]})
        assert stream.getvalue().removesuffix("\n").isascii()
        assert stream.getvalue().removesuffix("\n").isprintable()
        assert json.loads(stream.getvalue()) == {text: [text]}
    effort.count("inputs tried", tries)


# --- the command line -------------------------------------------------------------------


def hostile_engine(text: str) -> fakes.FakeEngine:
    """Everything that can come from a bucket or a cache says `text`."""
    found = replace_lock(text)
    status = fakes.STATUS
    fields = {name: getattr(status, name) for name in status.__struct_fields__}
    change = PathChange(text, "added", 1)
    fields |= {
        "namespace": text,
        "message": text,
        "conflicts": [conflict(text)],
        "blocked": [Blocked(text, text)],
        "locks": [found],
        "local": type(status.local)(1, [change], bulk_dirty=True, lazy=True),
        "remote": type(status.remote)([change]),
    }
    result = Result(action="push", conflicts=[conflict(text)])
    result.blocked, result.failed = [Blocked(text, text)], [Failed(text, text)]
    changes = [replace(c, path=text) for c in fakes.changes(*Verdict)]
    return fakes.FakeEngine(
        answer=type(status)(**fields),
        result=result,
        changes=changes,
        found_locks=[found],
        trashed=[TrashItem(**{**trash_fields(), "path": text})],
        rows=[HistoryRow(text, text, "error", text)],
    )


def replace_lock(text: str) -> Any:
    names = ("key", "namespace", "model", "hostname", "acquired_at", "nonce")
    told: dict[str, Any] = dict.fromkeys(names, text)
    return lock(text, scope="model", **told)


def trash_fields() -> dict[str, Any]:
    return {
        "id": "1", "path": "x", "size": 1, "sha256": "a" * 64, "at": ago(5), "reason": "r",
    "expires": True,
    }  # fmt: skip


COMMANDS = (
    ("status",), ("diff",), ("push",), ("pull",), ("sync", "--dry-run"), ("sync",),
    ("conflicts",), ("locks",),
    ("namespaces",), ("history",), ("trash",), ("config", "check"), ("config", "show"),
    ("doctor",), ("-v", "status"),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_writes_what_a_terminal_obeys(command: tuple[str, ...], effort: Effort) -> None:
    texts = (
        HOSTILE if effort.full else ("".join(HOSTILE[:9]), *HOSTILE[9:12], "".join(HOSTILE[12:]))
    )
    for text in texts:
        engine = hostile_engine(text)
        for options in ((), ("--json",)):
            done = cli(*command, *options, engine=engine)
            assert not harmless(done.out), ascii(text)
            assert not harmless(done.err), ascii(text)
        shown = cli(*command, engine=engine, terminal=True)
        assert not harmless(shown.out), ascii(text)


def test_no_error_writes_what_a_terminal_obeys() -> None:
    for text in HOSTILE:
        engine = fakes.FakeEngine(error=IndexCorrupt(text, hint=text))
        for options in ((), ("--json",), ("-v",)):
            done = cli("push", text, *options, engine=engine)
            assert done.code == 1
            assert not harmless(done.out + done.err), ascii(text)
        done = cli("push", f"--{text}", engine=engine)
        assert done.code == 2
        assert not harmless(done.out + done.err), ascii(text)


# --- the screen -------------------------------------------------------------------------


def hostile_screen(*texts: str) -> FakeEngine:
    """Every list of the screen has a row for every text; single fields have all of them."""
    whole = "".join(texts)
    snap = busy(detail=whole, message=whole, read_only=whole)
    locks = tuple(replace_lock(text) for text in texts)
    failed = [replace(transfer(n, "failed"), path=text, error=text) for n, text in enumerate(texts)]
    engine = FakeEngine(
        replace(
            snap,
            dirty=(*(dirty(text) for text in texts), *snap.dirty),
            behind=tuple(PathChange(text, "added", 1) for text in texts),
            conflicts=tuple(conflict(text) for text in texts),
            blocked=tuple(Blocked(text, text) for text in texts),
            locks=locks,
            progress=replace(snap.progress, transfers=failed),
        )
    )
    engine.names = [*texts, "web"]
    engine.found = list(locks)
    engine.rows = [HistoryRow(ago(9), text, "error", text) for text in texts]
    engine.changes = [replace(c, path=t) for t in texts for c in fakes.changes(*Verdict)]
    return engine


def look_everywhere(*texts: str) -> None:
    """Every view, the first row of each opened, an event, and a plan."""
    engine = hostile_screen(*texts)

    async def look(stage: Stage) -> None:
        for number in range(1, 10):
            await stage.press(str(number), "enter")
            assert not harmless(stage.text()), f"view {number}"
            await stage.press("escape")
        for text in ("".join(texts), texts[0]):
            engine.boxes[0].events.append(
                Noted(at=ago(1), datastore="x", level="error", operation=text, text=text)
            )
            await stage.settle()
            assert not harmless(stage.text())
        await stage.press("p")
        assert not harmless(stage.text())

    play(look, engine)


def test_no_view_shows_what_a_terminal_obeys(effort: Effort) -> None:
    look_everywhere(*HOSTILE)
    for text in HOSTILE if effort.full else ():
        look_everywhere(text)


# --- secrets ----------------------------------------------------------------------------

KEY, SECRET, TOKEN = (
    "AKIACANARYKEY1234567",
    "canary/S3cr3t+KEY/abcdefghijklmn",
    "canary-T0ken/xyz==",
)
SECRETS = (SECRET, TOKEN)


def leaks(*texts: str) -> list[str]:
    """Secrets that occur, as they are or as a URL or XML would write them; and the access key."""
    quoted = [s.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D") for s in SECRETS]
    return [s for s in (KEY, *SECRETS, *quoted) if any(s in text for text in texts)]


def remains(*roots: Path) -> list[str]:
    """Everything that was written to disk, names included."""
    found = [path for root in roots for path in root.rglob("*")]
    return [str(p) for p in found] + [
        p.read_bytes().decode("latin-1") for p in found if p.is_file()
    ]


def store_at(url: str, home: Path) -> ObjectStore:
    settings = Datastore(
        name="x",
        bucket="bucket",
        cache=home / "cache",
        state_dir=home / "state",
        region="us-east-1",
        endpoint=url,
        force_path_style=True,
        request_timeout_ms=1000,
    )
    return S3Store(settings, Credentials(KEY, SECRET, TOKEN))


@contextmanager
def raised() -> Iterator[list[str]]:
    """Collects what an error of ours carries, with all that it came from."""
    told: list[str] = []
    try:
        yield told
    except S3DashError as error:
        told.append(shows(error))


SLOW = frozenset({"internal", "broken", "busy"})
"""Answers that are tried again for a quarter of a minute."""


@pytest.mark.parametrize("answer", sorted(ANSWERS.keys() - SLOW))
def test_no_error_carries_what_the_server_repeats(
    answer: str, tmp_path: Path, effort: Effort
) -> None:
    check_errors(answer, tmp_path, ("push", "status", "pull", "locks")[: effort.pick(1, 4)])


def test_no_error_that_lasts_carries_what_the_server_repeats(
    tmp_path: Path, effort: Effort
) -> None:
    for answer in sorted(SLOW) if effort.full else ():
        check_errors(answer, tmp_path, ("push",))


def check_errors(answer: str, home: Path, operations: tuple[str, ...]) -> None:
    """What an engine and a store raise, with all that it came from, and what they leave on disk."""
    (home / "file").write_text("x")
    with echo(answer) as url:
        machine = Machine(home / "ada", lambda: store_at(url, home))
        machine.write("files/a", "a")
        for operation in operations:
            with raised() as told:
                told.append(str(getattr(machine, operation)()))
            assert told
            assert not leaks(*told), operation
        store = store_at(url, home)
        with raised() as told:
            store.upload("key", home / "file")
        with raised() as more, (home / "sink").open("wb") as sink:
            store.download("key", sink)
        store.close()
    assert told
    assert more
    assert not leaks(*told, *more)
    assert not leaks(*remains(home / "ada"))


def desk(home: Path, endpoint: str, **environ: str) -> dict[str, str]:
    """A configuration that takes its secrets from the environment and from a file."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "s3dash.toml").write_text(
        f'[datastores.desk]\nbucket = "bucket"\nendpoint = "{endpoint}"\nregion = "us-east-1"\n'
        'force_path_style = true\ncache = "cache"\nrequest_timeout_ms = 1000\n'
        'credentials = {access_key_id = "env:K", secret_access_key = "file:../secret", '
        'session_token = "env:T"}\n'
    )
    (home.parent / "secret").write_text(SECRET)
    return {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "K": KEY,
        "T": TOKEN,
        **environ,
    }


REAL = (
    ("push",), ("sync", "--json"), ("doctor",), ("history",), ("status",), ("pull",), ("diff",),
    ("locks",),
    ("namespaces",), ("config", "show"), ("config", "check"), ("trash",), ("conflicts", "--json"),
)  # fmt: skip


@pytest.mark.parametrize("where", ["signature", "code", "wrong key"])
def test_no_command_tells_a_secret(
    where: str, tmp_path: Path, weed: Server, effort: Effort
) -> None:
    with echo(where) if where in ANSWERS else echo("page") as url:
        environ = desk(tmp_path / "home", weed.endpoint if where == "wrong key" else url)
        (tmp_path / "home/cache/files").mkdir(parents=True)
        (tmp_path / "home/cache/files/a").write_text("a")
        for command in REAL[: effort.pick(4, len(REAL))]:
            done = plain_run("-v", *command, environ=environ, cwd=tmp_path / "home")
            assert not leaks(done.out, done.err), command
            assert not harmless(done.out + done.err), command
    assert not leaks(*remains(tmp_path / "home"))


def test_an_endpoint_with_a_password_in_it_is_never_shown(tmp_path: Path) -> None:
    environ = desk(tmp_path / "home", f"http://{KEY}:canary@127.0.0.1:{free_port()}")
    for command in REAL:
        done = plain_run("-v", *command, environ=environ, cwd=tmp_path / "home")
        assert done.code == 2
        assert not leaks(done.out, done.err)
        assert "canary" not in done.out + done.err
        assert "must not carry a user or password" in done.out + done.err
