"""What is proved of an endpoint when: uploads in parts and copies where there are any."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from s3dash.engine.addresses import state_file
from s3dash.local.state import State
from s3dash.objectstore.s3 import S3Store
from tests.contract.gate import Gate, gated
from tests.engine.world import Machine
from tests.servers import Server

PART = 5 << 20
BIG = bytes(PART + 1)


def machine(gate: Gate, server: Server, home: Path) -> Machine:
    settings = gate.server.settings(server.make_bucket(), home)

    def store() -> S3Store:
        return S3Store(settings, server.credentials, multipart_above=PART, part_size=PART)

    return Machine(home, store)


def probed(gate: Gate) -> set[str]:
    """What the proofs were about since the last call, by the names of their keys."""
    paths = [urlsplit(asked.path).path for asked in gate.endpoint.asked]
    gate.endpoint.asked.clear()
    found = {path.rpartition("/")[2] for path in paths if "/s3dash/probe/" in path}
    return {name.partition("-")[0] for name in found}


def known(ada: Machine) -> dict[str, object]:
    state = State(state_file(ada.settings), read_only=True)
    try:
        text = state.get(f"endpoint:{ada.settings.address}/{ada.settings.bucket}")
    finally:
        state.close()
    assert text is not None
    found: dict[str, object] = msgspec.json.decode(text)
    return found


@pytest.mark.parametrize("server_name", ["weed", "moto"])
def test_uploads_in_parts_are_asked_about_once_and_when_one_is_due(
    request: pytest.FixtureRequest, server_name: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(server_name)
    with gated(server) as gate:
        ada = machine(gate, server, tmp_path / "ada")
        ada.write("files/a", "small")
        assert ada.push().pushed == 1
        assert probed(gate) == {
            "first",
            "create",
            "replace",
            "absent",
            "delete",
            "race",
            "clock",
        }
        before = known(ada)
        assert before["also"] == []
        ada.write("files/big", BIG)
        assert ada.push().pushed == 1
        assert probed(gate) == {"parts"}
        after = known(ada)
        assert (after["also"], after["at"]) == (["complete"], before["at"])
        can = after["can"]
        assert isinstance(can, dict)
        assert can["complete"] is (server_name == "weed")
        ada.write("files/big", BIG + b"more")
        assert ada.push().pushed == 1
        assert probed(gate) == set()


def test_a_first_push_with_a_large_file_asks_all(weed: Server, tmp_path: Path) -> None:
    with gated(weed) as gate:
        ada = machine(gate, weed, tmp_path / "ada")
        ada.write("files/big", BIG)
        assert ada.push().pushed == 1
        assert probed(gate) >= {"create", "race", "parts"}
        assert known(ada)["also"] == ["complete"]


@pytest.mark.parametrize("server_name", ["weed", "moto"])
def test_copies_are_asked_about_once_and_when_a_file_was_renamed(
    request: pytest.FixtureRequest, server_name: str, tmp_path: Path
) -> None:
    """Where they heed conditions a renamed file costs two requests, else three: a claim first."""
    server: Server = request.getfixturevalue(server_name)
    with gated(server) as gate:
        ada = machine(gate, server, tmp_path / "ada")
        for n in range(4):
            ada.write(f"files/{n}", f"content {n}")
        ada.push()
        probed(gate)
        (ada.cache / "files").rename(ada.cache / "moved")
        assert ada.push().copied == 4
        assert probed(gate) == {"copy"}
        assert known(ada)["also"] == ["copies"]
        (ada.cache / "moved").rename(ada.cache / "again")
        assert ada.push().copied == 4
        claims = 0 if server_name == "weed" else 4
        asked = [a for a in gate.endpoint.asked if re.search(r"/(moved|again)/\d$", a.path)]
        kinds = Counter((a.method, "x-amz-copy-source" in a.headers) for a in asked)
        assert probed(gate) == set()
        assert kinds == Counter({("PUT", True): 4, ("DELETE", False): 4, ("PUT", False): claims})


def test_nothing_is_left_of_the_proofs(weed: Server, tmp_path: Path) -> None:
    with gated(weed) as gate:
        ada = machine(gate, weed, tmp_path / "ada")
        ada.write("files/a", "small")
        ada.push()
        ada.write("files/big", BIG)
        ada.push()
        store = ada.store()
        assert list(store.list("_control/s3dash/probe/")) == []
        assert list(store.list_uploads()) == []
        store.close()


def test_what_a_killed_proof_began_goes_with_the_next_one(weed: Server, tmp_path: Path) -> None:
    """Its uploads too, though they are not an hour old."""
    with gated(weed) as gate:
        ada = machine(gate, weed, tmp_path / "ada")
        ada.write("files/a", "small")
        ada.pull()  # the state file is there
        state = State(state_file(ada.settings))
        state.set("probing", "dead deader")
        state.close()
        store = ada.store()
        store.put("_control/s3dash/probe/dead/create", b"1")
        store.put("_control/s3dash/probe/stranger/create", b"1")
        assert isinstance(store, S3Store)
        store.examination().begin_upload("_control/s3dash/probe/deader-again/parts")
        ada.push()
        probes = [info.key for info in store.list("_control/s3dash/probe/")]
        assert probes == ["_control/s3dash/probe/stranger/create"], "another machine's, and fresh"
        assert list(store.list_uploads()) == []
        store.close()
        state = State(state_file(ada.settings), read_only=True)
        assert state.get("probing") is None
        state.close()


def test_a_push_of_one_model_asks_once(weed: Server, tmp_path: Path) -> None:
    """Its lock needs the answer before the files do."""
    with gated(weed) as gate:
        ada = machine(gate, weed, tmp_path / "ada")
        ada.write("data/acme/vm/one/config/1/raw", "x")
        assert ada.push(models=("acme/vm/one",)).pushed == 1
        keys = [urlsplit(asked.path).path for asked in gate.endpoint.asked]
        assert len({key for key in keys if key.endswith("/clock")}) == 1
