"""`namespaces` and its commands, and operations in several at once, against fakes."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from s3dash.cli.options import Options, names_of
from s3dash.cli.several import WORST_FIRST, worst
from s3dash.core.report import ConflictInfo, Failed, Leftover, Result
from s3dash.errors import Cancelled, LockHeld, NamespaceTaken, S3DashError, Unreachable
from tests.cli.fakes import SETTINGS, STATUS, FakeEngine, FakeServices, cli
from tests.fake_registry import FakeRegistry


@dataclass
class Shops(FakeServices):
    """An engine for each namespace that is asked for; `made` has them by name."""

    results: dict[str, Result | S3DashError] = field(default_factory=dict)
    made: dict[str | None, FakeEngine] = field(default_factory=dict)

    def engine(self, options: Options) -> FakeEngine:
        self.seen.append(options)
        name = options.namespace
        outcome = self.results.get(name or "", Result(action="push", pushed=1))
        engine = FakeEngine(settings=replace(SETTINGS, namespace=name))
        if isinstance(outcome, Result):
            engine.result = outcome
        else:
            engine.error = outcome
        self.made[name] = engine
        return engine


# --- list ---------------------------------------------------------------------------------


def test_the_list_stays_as_it_was() -> None:
    document = cli("namespaces", "--json").document
    assert document == {"namespaces": ["infra", "web"], "current": None}


def test_long_tells_whose_each_is_and_its_last_commit() -> None:
    engine = FakeEngine(settings=replace(SETTINGS, namespace="infra"))
    document = cli("namespaces", "--long", "--json", engine=engine).document
    assert (document["namespaces"], document["current"]) == (["infra", "odd"], "infra")
    infra, odd, web = document["details"]
    assert infra == {
        "namespace": "infra",
        "registered": True,
        "repo_id": "repo-infra",
        "registered_at": "2026-03-14T14:00:00.000Z",
        "index_version": 2,
        "commit_seq": 17,
        "last_commit": {"at": "2026-03-14T14:00:00.000Z", "by": "ann@ci"},
        "problem": "",
    }
    assert (odd["problem"], web["registered"]) == ("its manifest cannot be read", False)
    told = cli("namespaces", "-l", engine=engine).out
    for words in ("infra", "in use", "repo-infra", "version 2, commit 17", "ann@ci",
                  "its manifest cannot be read", "not registered", "version 1"):  # fmt: skip
        assert words in told


# --- register -----------------------------------------------------------------------------


def test_register_tells_who_it_belongs_to() -> None:
    calls: list[tuple[object, ...]] = []
    engine = FakeEngine(register=FakeRegistry(lambda *call: calls.append(call)))
    done = cli("namespaces", "register", "web", "--repo-id", "r-1", "--json", engine=engine)
    assert done.code == 0
    assert done.document == {
        "namespace": "web",
        "repo_id": "r-1",
        "registered_at": "2026-03-14T14:00:00.000Z",
        "created": True,
    }
    assert calls == [("registry.register", "web", "r-1")]
    cli("namespaces", "register", engine=engine)
    assert calls[1] == ("registry.register", None, "")
    engine.register.done = replace(engine.register.done, created=False)
    told = cli("namespaces", "register", "web", engine=engine).out
    assert "web is registered already, since 2026-03-14" in told


def test_register_refused_names_the_other_repository() -> None:
    registry = FakeRegistry()
    registry.error = NamespaceTaken("namespace web belongs to repository r-2", hint="another name")
    done = cli("namespaces", "register", "web", "--json", engine=FakeEngine(register=registry))
    assert done.code == 1
    assert done.document["error"]["type"] == "NamespaceTaken"
    assert "r-2" in done.document["error"]["message"]
    human = cli("namespaces", "register", "web", engine=FakeEngine(register=registry))
    assert (human.code, human.out) == (1, "")
    assert "belongs to repository r-2" in human.err


# --- several ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["infra,web"], ("infra", "web")),
        (["infra", "web"], ("infra", "web")),
        (["infra , web", "api,infra"], ("infra", "web", "api")),
        ([], ()),
    ],
)
def test_several_namespaces_in_either_form(given: list[str], names: tuple[str, ...]) -> None:
    assert names_of(given) == names


@pytest.mark.parametrize(
    "arguments",
    [
        ["push", "--namespace", "infra,web"],
        ["push", "--namespace", "infra", "--namespace", "web"],
        ["--namespace=infra", "push", "--namespace=web"],
        ["namespaces", "push", "infra", "web"],
        ["namespaces", "push", "infra,web"],
        ["namespaces", "push", "--namespace", "infra,web"],
    ],
)
def test_an_operation_in_several_is_a_result_each(arguments: list[str]) -> None:
    services = Shops()
    done = cli(*arguments, "--dry-run", "--json", services=services)
    assert done.code == 0
    assert [row["namespace"] for row in done.document["results"]] == ["infra", "web"]
    assert all(row["pushed"] == 1 for row in done.document["results"])
    assert [(o.namespace, o.namespaces) for o in services.seen] == [
        ("infra", ("infra",)),
        ("web", ("web",)),
    ]
    for engine in services.made.values():
        ((name, options),) = engine.calls
        assert (name, options["dry_run"], engine.stops) == ("push", True, 1)


@pytest.mark.parametrize(
    "arguments", [["push", "--namespace", "web"], ["namespaces", "push", "web"]]
)
def test_with_one_the_result_stays_as_it_was(arguments: list[str]) -> None:
    services = Shops()
    done = cli(*arguments, "--json", services=services)
    assert done.document == Result(action="push", pushed=1).document()
    assert [o.namespace for o in services.seen] == ["web"]
    refused = Shops(results={"web": LockHeld("held by carl")})
    done = cli(*arguments, "--json", services=refused)
    assert (done.code, done.document["error"]["type"]) == (4, "LockHeld")


def test_one_that_fails_stops_no_other_and_the_worst_code_counts() -> None:
    services = Shops(
        results={
            "api": LockHeld("held by carl@vm", hint="wait"),
            "infra": Unreachable("no answer"),
            "web": Result(action="push", failed=[Failed("files/a", "denied")]),
        }
    )
    arguments = ("push", "--namespace", "api,infra,web,own")
    done = cli(*arguments, "--json", services=services)
    assert done.code == 1
    api, infra, web, own = done.document["results"]
    assert api == {
        "namespace": "api",
        "error": {"type": "LockHeld", "message": "held by carl@vm", "hint": "wait"},
    }
    assert infra["error"]["type"] == "Unreachable"
    assert web["failed"] == [{"path": "files/a", "error": "denied"}]
    assert own["pushed"] == 1
    human = cli(*arguments, services=services)
    assert human.code == 1
    for words in ("api\nheld by carl@vm\nwait", "infra\nno answer", "1 pushed"):
        assert words in human.out


def test_an_interrupted_one_is_the_last() -> None:
    services = Shops(results={"infra": Cancelled("stopped")})
    done = cli("sync", "--namespace", "api,infra,web", "--json", services=services)
    assert done.code == 130
    assert [row["namespace"] for row in done.document["results"]] == ["api", "infra"]


def test_the_order_of_exit_codes() -> None:
    assert worst([0, 3, 5]) == 5
    assert worst([4, 1]) == 1
    assert worst([3, 4]) == 4
    assert worst([0, 0]) == 0
    assert worst([]) == 0
    assert worst([1, 2, 130]) == 130
    clash = Result(action="sync", conflicts=[ConflictInfo("a", None, None)])
    assert {clash.exit_code, S3DashError.exit_code, Cancelled.exit_code} < set(WORST_FIRST)


@pytest.mark.parametrize(
    "arguments",
    [
        ["diff"],
        ["locks"],
        ["conflicts"],
        ["trash"],
        ["history"],
        ["doctor"],
        ["namespaces"],
        ["namespaces", "--long"],
        ["namespaces", "register"],
        ["namespaces", "catalog"],
        ["config", "show"],
        [],
    ],
)
def test_what_works_in_one_namespace_refuses_several(arguments: list[str]) -> None:
    done = cli(*arguments, "--namespace", "infra,web", "--json")
    assert done.code == 2
    assert done.document["error"]["type"] == "UsageError"
    assert "one namespace at a time, not in infra, web" in done.document["error"]["message"]


def test_scoped_operations_want_names() -> None:
    for name in ("push", "pull", "sync"):
        done = cli("namespaces", name, "--json")
        assert done.code == 2
        assert "which namespaces" in done.document["error"]["message"]


def test_the_options_are_carried_on() -> None:
    assert Options(namespace="a", namespaces=("a", "b")).arguments() == ["--namespace=a,b"]
    assert Options(namespace="a").arguments() == ["--namespace=a"]
    assert Options(namespace="a", namespaces=("a", "b")).within(None).arguments() == []


# --- status -------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["namespaces", "status"], ["status", "--all-namespaces"]])
def test_status_of_all_has_the_names_of_the_status_document(arguments: list[str]) -> None:
    registry = FakeRegistry()
    registry.left = [Leftover(name="solo", kind="solo", files=2, size=2048)]
    done = cli(*arguments, "--json", engine=FakeEngine(register=registry))
    assert done.code == 1, "one of them cannot be read"
    assert set(done.document) == {"namespaces", "leftovers"}
    rows: dict[str, Any] = {row["namespace"]: row for row in done.document["namespaces"]}
    assert list(rows) == ["api", "infra", "odd", "web"]
    infra = rows["infra"]
    for name in ("index", "local", "remote", "conflicts", "blocked", "locks", "message"):
        assert name in msgspec.to_builtins(STATUS)
        assert name in infra
    assert infra["local"]["dirty"] == [{"path": "files/a", "change": "modified", "size": 3}]
    assert [c["path"] for c in infra["remote"]["changed"]] == ["files/b", "files/c"]
    assert infra["index"] == {"version": 2, "commit_seq": 17, "entries": 4}
    assert (infra["current"], infra["here"], rows["api"]["here"]) == (True, True, False)
    assert (rows["odd"]["healthy"], rows["odd"]["message"]) == (False, "odd is no index")
    assert rows["web"]["locks"][0]["holder"] == "carl@vm"
    told = cli(*arguments, engine=FakeEngine(register=registry)).out
    state = "1 in conflict, 1 not pushed, 2 not pulled"
    left = "2 files (2.00 KiB) of the layout"
    for words in ("not here", state, "odd is no index", "LIVE carl@vm", "not registered", left):
        assert words in told


def test_status_of_several_named_ones_tells_those() -> None:
    services = FakeServices()
    done = cli("status", "--namespace", "infra,web", "--json", services=services)
    assert [row["namespace"] for row in done.document["namespaces"]] == ["infra", "web"]
    assert done.code == 0
    assert [o.namespaces for o in services.seen] == [()]
    done = cli("status", "--namespace", "web,nope", "--json")
    assert [row["namespace"] for row in done.document["namespaces"]] == ["web", "nope"]
    assert (done.code, done.document["namespaces"][1]["healthy"]) == (1, False)


def test_status_of_all_fails_as_a_whole_when_nothing_answers() -> None:
    registry = FakeRegistry()
    registry.error = Unreachable("no answer")
    done = cli("namespaces", "status", "--json", engine=FakeEngine(register=registry))
    assert (done.code, done.document["error"]["type"]) == (1, "Unreachable")


def test_a_plain_status_says_that_its_namespace_is_not_registered() -> None:
    left = [Leftover(name="web", kind="namespace", files=1, size=1)]
    answer = msgspec.structs.replace(STATUS, namespace="infra", registered=False, leftovers=left)
    told = cli("status", engine=FakeEngine(answer=answer)).out
    assert "infra is not registered: `s3dash namespaces register`" in told
    assert "left alone: 1 file (1 B) of namespace web" in told
    fine = msgspec.structs.replace(STATUS, namespace="infra", registered=True)
    assert "registered" not in cli("status", engine=FakeEngine(answer=fine)).out
    document = cli("status", "--json", engine=FakeEngine(answer=answer)).document
    assert (document["registered"], document["leftovers"][0]["name"]) == (False, "web")
