"""A command on a cache that another process owns."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.attach.borrowed import borrowed
from s3dash.attach.lender import Borrowed
from s3dash.engine.open import open_engine
from tests.engine.desks import PATIENCE_S, Desk, Gate, in_thread
from tests.engine.world import Machine


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.machine.write("files/a", "a")
    made.machine.push()
    try:
        yield made
    finally:
        made.close()


def test_a_command_goes_through_the_owner(desk: Desk) -> None:
    desk.screen("watch")
    desk.machine.write("files/b", "b")
    command = desk.command()
    assert isinstance(command, Borrowed)
    assert [change.path for change in command.status().local.dirty] == ["files/b"]
    assert command.push().pushed == 1
    assert command.settings == desk.machine.settings
    assert command.snapshot().dirty == (), "a command needs no rows"
    command.stop()
    assert desk.command().push().pushed == 0


def test_status_waits_for_no_push_of_the_owner(desk: Desk) -> None:
    first = desk.screen()
    gate = desk.hold = Gate("put", "upload")
    desk.machine.write("files/b", "b")
    pushing, pushed = in_thread(first.push)
    assert gate.reached.wait(PATIENCE_S)
    command = desk.command()
    assert [change.path for change in command.status().local.dirty] == ["files/b"]
    gate.opened.set()
    pushing.join(PATIENCE_S)
    assert pushed[0].pushed == 1


def test_without_an_owner_a_command_works_on_its_own(desk: Desk) -> None:
    desk.machine.write("files/b", "b")
    command = desk.command()
    assert not isinstance(command, Borrowed)
    assert command.push().pushed == 1


def test_a_foreign_file_is_fetched_by_the_command_itself(desk: Desk, tmp_path: Path) -> None:
    owner = desk.screen("watch", namespace="infra")
    theirs = Machine(tmp_path / "eve", desk.store, namespace="web")
    theirs.write("files/b", "theirs")
    theirs.push()
    manifest = b'{"namespace":"web","repoId":"w","registeredAt":"2026-01-01T00:00:00.000Z"}'
    desk.store().put("web/.namespace.json", manifest)
    settings = replace(desk.machine.settings, namespace="infra")
    command = borrowed(settings, lambda: open_engine(settings, store=desk.store()))
    assert isinstance(command, Borrowed)
    target = tmp_path / "fetched"
    command.catalogs.fetch("web", "files/b", to=str(target))
    assert target.read_bytes() == b"theirs"
    assert command.snapshot().read_only, "by an engine of its own"
    command.stop()
    assert owner.snapshot().read_only == ""
