"""`namespaces catalog`, `namespaces search` and `fetch`: what they ask, print, and end with."""

import io
from pathlib import Path

import pytest

from s3dash.cli.main import run
from s3dash.core.catalog import Unread
from s3dash.errors import Integrity, NotFound, UsageError
from tests.cli.fakes import FakeEngine, FakeServices, cli
from tests.fake_catalogs import SHA, TIME, FakeCatalogs


def test_without_a_name_our_own_is_exported() -> None:
    known = FakeCatalogs()
    done = cli("namespaces", "catalog", "--json", engine=FakeEngine(known=known))
    assert done.code == 0
    assert done.document == {
        "namespace": "infra",
        "key": "infra/.catalog-export.json",
        "entries": 2,
        "size": 300,
        "sha256": SHA,
        "written": False,
        "etag": "e-1",
    }
    human = cli("namespaces", "catalog", "--force", engine=FakeEngine(known=known))
    assert human.out == "exported the catalog of infra, 2 entries, 300 B\n"
    assert known.calls == [("export", False), ("export", True)]
    kept = cli("namespaces", "catalog")
    assert kept.out == "the bucket has it already: the catalog of infra, 2 entries, 300 B\n"


def test_a_catalog_is_printed() -> None:
    done = cli("namespaces", "catalog", "infra", "--json")
    assert done.code == 0
    found = done.document
    assert (found["namespace"], found["source"], found["etag"]) == ("infra", "catalog", "e-1")
    assert found["entries"][0] == {
        "path": "files/notes.txt",
        "size": 14,
        "last_modified": TIME,
        "sha256": SHA,
        "here": True,
    }
    assert found["entries"][1]["sha256"] is None
    assert (found["left_out"], found["blocked"]) == (
        1,
        [{"path": "../x", "reason": "path segment '..'"}],
    )
    human = cli("namespaces", "catalog", "infra").out
    assert "     14 B  2026-01-02T03:04:05  here  files/notes.txt\n" in human
    assert "files/[/x]\\x1b[31m.txt\n" in human
    assert "\x1b" not in human
    assert "2 files, 19 B, by its catalog\n" in human
    assert "Left out: no files here (1)" in human
    web = cli("namespaces", "catalog", "web")
    assert "by its index\nit has no catalog: read by its index\n" in web.out


def test_all_of_them_with_what_could_not_be_read() -> None:
    done = cli("namespaces", "catalog", "--all", "--json")
    assert done.code == 0
    assert [c["namespace"] for c in done.document["catalogs"]] == ["infra", "web"]
    broken = FakeCatalogs(unread=(Unread(namespace="ops", problem="no rights"),))
    partly = cli("namespaces", "catalog", "--all", "--json", engine=FakeEngine(known=broken))
    assert partly.code == 5
    assert partly.document["unread"] == [{"namespace": "ops", "problem": "no rights", "hint": ""}]
    human = cli("namespaces", "catalog", "--all", engine=FakeEngine(known=broken))
    assert (human.code, "Could not be read (1)" in human.out) == (5, True)


@pytest.mark.parametrize(
    "arguments", [("infra", "--force"), ("--all", "--force"), ("infra", "--all")], ids=str
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    assert cli("namespaces", "catalog", *arguments).code == 2


def test_a_refusal_is_a_document() -> None:
    known = FakeCatalogs(error=NotFound("there is no namespace x", hint="there is y"))
    done = cli("namespaces", "catalog", "x", "--json", engine=FakeEngine(known=known))
    assert done.code == 1
    assert done.document["error"] == {
        "type": "NotFound",
        "message": "there is no namespace x",
        "hint": "there is y",
    }


def test_search_goes_over_all_catalogs() -> None:
    done = cli("namespaces", "search", "FILES", "notes", "--json")
    assert done.code == 0
    assert done.document == {
        "text": "FILES notes",
        "matches": [
            {
                "namespace": "infra",
                "path": "files/notes.txt",
                "size": 14,
                "last_modified": TIME,
                "sha256": SHA,
                "here": True,
            }
        ],
        "catalogs": [
            {"namespace": "infra", "source": "catalog", "entries": 2, "note": ""},
            {
                "namespace": "web",
                "source": "index",
                "entries": 1,
                "note": "it has no catalog: read by its index",
            },
        ],
        "unread": [],
    }
    human = cli("namespaces", "search", "app.log").out
    assert human.splitlines()[0] == " 2.00 KiB  2026-01-02T03:04:05        web  logs/app.log"
    assert cli("namespaces", "search", "nowhere").out == "nothing found\n"
    assert cli("namespaces", "search", " ").code == 2
    assert cli("namespaces", "search").code == 2


def test_search_says_what_it_could_not_look_at() -> None:
    broken = FakeCatalogs(unread=(Unread(namespace="ops", problem="no rights"),))
    done = cli("namespaces", "search", "x", engine=FakeEngine(known=broken))
    assert (done.code, "ops  no rights" in done.out) == (5, True)


# --- fetch -------------------------------------------------------------------------------


def test_a_file_is_fetched_into_the_current_directory(tmp_path: Path) -> None:
    known = FakeCatalogs()
    engine = FakeEngine(known=known)
    done = cli("fetch", "web", "logs/app.log", "--json", engine=engine, cwd=tmp_path)
    assert done.code == 0
    assert done.document == {
        "namespace": "web",
        "path": "logs/app.log",
        "to": str(tmp_path / "app.log"),
        "size": 9,
        "sha256": SHA,
        "verified": True,
        "written": True,
    }
    assert (tmp_path / "app.log").read_bytes() == b"the bytes"
    human = cli("fetch", "web", "logs/app.log", "--to", "x", "--force", engine=engine, cwd=tmp_path)
    assert human.out == f"fetched web/logs/app.log as {tmp_path / 'x'}, 9 B, verified\n"
    assert known.calls == [
        ("fetch", ("web", "logs/app.log", str(tmp_path / "app.log"), False)),
        ("fetch", ("web", "logs/app.log", str(tmp_path / "x"), True)),
    ]


@pytest.mark.parametrize("path", ["logs/", ""])
def test_a_directory_is_no_file(path: str) -> None:
    done = cli("fetch", "web", path)
    assert (done.code, "is no file" in done.err) == (2, True)


def test_what_nobody_vouches_for_is_said_so(tmp_path: Path) -> None:
    engine = FakeEngine(known=FakeCatalogs(verified=False, written=False))
    done = cli("fetch", "web", "a", engine=engine, cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith("there already, and the same: web/a as ")
    assert done.out.endswith(", 9 B, not verified\n")
    assert "web/a is not verified" in done.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("web has no file a", hint="there is b/a"), 1),
        (UsageError("x is there already"), 2),
        (Integrity("not the version"), 1),
    ],
)
def test_a_refused_fetch(error: Exception, code: int, tmp_path: Path) -> None:
    known = FakeCatalogs(error=error)  # type: ignore[arg-type] # all of them are ours
    done = cli("fetch", "web", "a", engine=FakeEngine(known=known), cwd=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert str(error) in done.err


def to_stdout(*arguments: str, known: FakeCatalogs) -> tuple[int, bytes, str]:
    raw, err = io.BytesIO(), io.StringIO()
    out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    services = FakeServices(FakeEngine(known=known))
    code = run(arguments, services=services, stdout=out, stderr=err, environ={}, cwd=Path("/"))
    return code, raw.getvalue(), err.getvalue()


def test_standard_output_gets_the_bytes_and_nothing_else() -> None:
    known = FakeCatalogs(fetched=b"\x00\xff\x1b[31m\n")
    code, out, err = to_stdout("fetch", "web", "a", "--to", "-", known=known)
    assert (code, out, err) == (0, b"\x00\xff\x1b[31m\n", "")
    ((_, asked),) = known.calls
    assert not Path(asked[2]).parent.exists()


def test_what_fails_writes_nothing_to_standard_output() -> None:
    known = FakeCatalogs(error=Integrity("damaged"))
    code, out, err = to_stdout("fetch", "web", "a", "--to", "-", known=known)
    assert (code, out) == (1, b"")
    assert "damaged" in err


def test_standard_output_takes_one_of_both() -> None:
    done = cli("fetch", "web", "a", "--to", "-", "--json")
    assert (done.code, done.document["error"]["type"]) == (2, "UsageError")
    terminal = cli("fetch", "web", "a", "--to", "-", terminal=True)
    assert (terminal.code, "obeys" in terminal.err) == (2, True)
