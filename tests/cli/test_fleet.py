"""`s3dash fleet`: what it tells, its JSON, its refusal, and a real bucket."""

import json
from pathlib import Path

from s3dash.core.fleet import Commit, FleetView, Place, Writer
from s3dash.errors import Unreachable
from tests.cli.fakes import LOCK, FakeEngine, cli
from tests.cli.test_real import Desk
from tests.servers import Server

COMMIT = Commit(
    namespace="infra",
    at="2026-03-14T14:02:09.000Z",
    seq=17,
    added=1,
    modified=0,
    deleted=2,
    paths=("- files/x", "- files/y", "+ files/\x1b[31m"),
)


def seen() -> FakeEngine:
    engine = FakeEngine()
    engine.fleet.seen = FleetView(
        at="2026-03-14T14:03:00.000Z",
        writers=(
            Writer(holder="ada@vm", hostname="vm", client=None, locks=(LOCK,)),
            Writer(
                holder="bob@pc",
                hostname="pc",
                client="s3dash/1.0",
                mine=True,
                namespaces=("infra",),
                commits=(COMMIT,),
            ),
            Writer(holder="", commits=(Commit(namespace=None, at="2026-01-01T00:00:00.000Z"),)),
        ),
        places=(
            Place(namespace="infra", repo_id="repo-1", seq=17, written_at=COMMIT.at),
            Place(namespace=None, written_at=COMMIT.at, by_plain=True),
            Place(namespace="web", problem="no permission"),
        ),
        skipped=3,
    )
    return engine


def test_writers_are_told_in_words() -> None:
    done = cli("fleet", engine=seen())
    assert done.code == 0
    for part in (
        "ada@vm",
        "a plain client",
        "LIVE",
        "bob@pc",
        "this user and host",
        "commit 17",
        "1 added, 2 deleted",
        "- files/x",
        "somebody",
        "what it changed is on no record",
        "repo-1",
        "last by a plain client",
        "no permission",
        "3 namespaces more were not looked at",
        "\\x1b",
    ):
        assert part in done.out
    assert "\x1b" not in done.out


def test_the_json() -> None:
    document = cli("fleet", "--json", engine=seen()).document
    assert set(document) == {"at", "writers", "namespaces", "skipped"}
    ada, bob, nobody = document["writers"]
    assert set(bob) >= {
        "holder", "hostname", "client", "namespaces", "last_commit_at", "commit_seq", "added",
        "modified", "deleted", "paths", "lock",
    }  # fmt: skip
    assert (ada["client"], ada["lock"]["holder"], ada["last_commit_at"]) == (None, "ada@vm", None)
    assert (bob["last_commit_at"], bob["commit_seq"], bob["lock"]) == (COMMIT.at, 17, None)
    assert (bob["added"], bob["modified"], bob["deleted"]) == (1, 0, 2)
    assert bob["paths"][:2] == ["files/x", "files/y"]
    assert (nobody["holder"], nobody["added"]) == ("", None)
    assert document["namespaces"][0]["commit_seq"] == 17


def test_nobody_and_an_endpoint_that_does_not_answer() -> None:
    assert "nobody has written here yet" in cli("fleet").out
    engine = FakeEngine()
    engine.fleet.error = Unreachable("connection refused")
    done = cli("fleet", "--json", engine=engine)
    assert (done.code, done.document["error"]["type"]) == (1, "Unreachable")


def test_two_desks_and_a_plain_client_on_a_real_bucket(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    ada = Desk(tmp_path / "ada", weed, bucket=bucket, namespace="infra")
    ben = Desk(tmp_path / "ben", weed, bucket=bucket, namespace="web")
    for desk in (ada, ben):
        desk.write(f"{'infra' if desk is ada else 'web'}/files/a", "a")
        assert desk("push").code == 0
    body = {"holder": "cyd@vm", "hostname": "vm", "pid": 7, "ttlMs": 300000, "nonce": "n"}
    weed.client().put_object(Bucket=bucket, Key=".datastore.lock", Body=json.dumps(body).encode())
    document = ada("fleet", "--json").document
    cyd, ours = document["writers"]
    assert (cyd["holder"], cyd["client"], cyd["lock"]["scope"]) == ("cyd@vm", None, "global")
    assert (ours["mine"], ours["namespaces"], ours["added"]) == (True, ["infra", "web"], 1)
    assert {p["namespace"] for p in document["namespaces"]} == {"infra", "web"}
    assert ada("fleet", "--readonly").code == 0
