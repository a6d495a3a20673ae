"""What the pictures show: every view, and the dialogs that a user meets every day."""

from typing import Any

from msgspec.structs import replace

from s3dash.core.diff import Verdict
from s3dash.core.endpoint import Finding, OpenUploads, Proof, UploadRow
from s3dash.core.progress import Rate, TransferState
from s3dash.core.report import TrashItem
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import HistoryRow
from s3dash.core.tenants import Survey, Tenant
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.blobs import sri
from s3dash.stores.kv import ipfs
from s3dash.tui.shelves import Shelves
from tests.tui.driver import Stage
from tests.tui.fake_engine import FakeEngine, ago, busy, change, idle, lock, moving, transfer
from tests.tui.pictures import Scene
from tests.tui.shelves import Buckets, endless, store

MIB = 1 << 20


def world() -> tuple[FakeEngine, ...]:
    """Two datastores: one with something of everything, one that is at rest."""
    states: tuple[TransferState, ...] = ("active", "active", "queued", "paused", "failed", "done")
    rows = [transfer(n, s, MIB * n // 6, MIB) for n, s in enumerate(states, 1)]
    first = FakeEngine(busy(progress=moving(rows, Rate(3 * MIB, 0))))
    first.rows = [
        HistoryRow(ago(7200), "push", "info", "pushed 12 files, 3.4 MiB, commit 17"),
        HistoryRow(ago(600), "pull", "info", "pulled 2 files, 18 KiB"),
        HistoryRow(ago(30), "endpoint", "warning", "503 SlowDown; trying again"),
        HistoryRow(ago(9), "transfer", "error", "data/file-5.bin: 503 SlowDown"),
    ]
    first.changes = [
        change("data/old.json", Verdict.LOCAL_DELETED),
        change("data/report.json", Verdict.LOCAL_MODIFIED, 48_000),
        change("logs/2026-03-14.log", Verdict.LOCAL_ADDED, 2_400_000),
        change("files/both.txt", Verdict.BOTH_MODIFIED),
    ]
    first.census.survey = Survey(
        state="asked",
        rows=(
            _tenant("infra", mine=True, objects=318, size=64 * MIB, held=48 * MIB),
            _tenant("web", objects=12_400, size=900 * MIB, held=0),
            Tenant(slug="old", in_bucket=False, read=True, left_files=7, left_size=41_000),
        ),
        read=3,
        total=3,
    )
    first.endpoint.finding = Finding(
        at=ago(3600),
        locking="safe",
        checks=(
            Proof("create", True, "If-None-Match:* refuses a second one"),
            Proof("checksums", False, "a wrong SHA-256 is accepted"),
        ),
    )
    first.endpoint.open = OpenUploads(rows=(_upload("data/big.bin"),), at=ago(5))
    first.contents.bodies = {
        ("files/both.txt", "base"): b"one\ntwo\nthree\n",
        ("files/both.txt", "local"): b"one\ntwo, here\nthree\n",
        ("files/both.txt", "remote"): b"one\ntwo, there\nthree\nfour\n",
    }
    return first, FakeEngine(idle("archive", None, latency_ms=12.0))


def trashed() -> tuple[FakeEngine, ...]:
    engine = FakeEngine(idle())
    engine.bin.items = [
        TrashItem("t1", "files/both.txt", "a" * 64, 2048, ago(300), "conflict", True),
        TrashItem("t2", "logs/old.log", "b" * 64, 18_000, ago(9000), "deleted", False),
    ]
    return (engine,)


def offline() -> tuple[FakeEngine, ...]:
    told = "cannot reach 127.0.0.1:9000: connection refused"
    snap = busy(
        healthy=False, state="offline", message=told, offline_since=ago(95), next_look_s=25.0
    )
    return (FakeEngine(snap),)


def nothing() -> tuple[FakeEngine, ...]:
    return (FakeEngine(idle()),)


def stale() -> tuple[FakeEngine, ...]:
    return (FakeEngine(idle(locks=(lock("bob@old", stale=True),))),)


def _tenant(slug: str, **fields: Any) -> Tenant:
    given: dict[str, Any] = {
        "read": True,
        "registered": True,
        "repo_id": f"repo-{slug}",
        "registered_at": ago(90 * 86_400),
        "index_at": ago(3600),
        "counted_at": ago(60),
    }
    return replace(Tenant(slug=slug), **{**given, **fields})


def _upload(key: str) -> UploadRow:
    return UploadRow(key=key, upload_id="u1", started=ago(90_000), age_s=90_000.0, quiet_s=80_000.0,
                     parts=3, size=15 * MIB, ours=True)  # fmt: skip


def _dialog(stage: Stage) -> bool:
    return not stage.at_home


def _examined(stage: Stage) -> bool:
    return "checks hold" in stage.text() and _asked(stage)


def _asked(stage: Stage) -> bool:
    """Who we are to the endpoint."""
    return "not asked yet" not in stage.text()


def _known(stage: Stage) -> bool:
    """Who wrote the versions stands in the detail, where there is room for one."""
    return stage.app.size.width < 100 or "me@desk" in stage.text()


def _filled(stage: Stage) -> bool:
    """The plan is there."""
    return "Comparing" not in stage.text() and _dialog(stage)


def _seen(stage: Stage) -> bool:
    """The row under the cursor was looked into, and that is on the screen."""
    return stage.app.exploring.looked is not None and "reading …" not in stage.text()


def _filling(stage: Stage) -> bool:
    """Three pages are on the screen; the clock stands, so that nothing paints them by itself."""
    stage.main.show()
    return "3,000" in stage.text() and _seen(stage)


def _counted(stage: Stage) -> bool:
    """What a deletion would take is listed, and below the dialog the work has ended, too."""
    return "Delete " in stage.text() and "▶" not in stage.text() and _dialog(stage)


def shelved() -> Shelves:
    """A shared cache, files, keys and blobs."""
    body = b'{"name": "ann", "roles": ["ops", "oncall"], "since": "2026-03-12"}'
    blocks = (b"hello", b"hello world", b"a block of IPFS")
    keys = {ipfs.block_key(block): block for block in blocks}
    keys[ipfs.block_key(b"lost")] = b"other bytes than the name says"
    blobs = {blob_keys.encode(sri.of(b)): b for b in (b"module.exports = pad\n", bytes(40))}
    blobs[blob_keys.encode(sri.of(b"once"))] = b"tampered"
    held: dict[Datastore, dict[str, bytes]] = {
        store("team-cache", "cache", namespace="infra"): {"infra/README.md": b"# infra"},
        store("docs", "files"): {
            "archive/": b"",
            "drafts/people.json": body,
            "drafts/2026-03-14 notes [v2].md": b"# Notes\n\n- call the plumber\n",
            "drafts/logo.bin": bytes(range(256)),
            "README.md": b"# Docs\n",
        },
        store("blocks", "keys"): keys,
        store("packages", "blobs"): blobs,
    }
    return Buckets(held).shelves()


SCENES = [
    Scene("overview", ("1",), world),
    Scene("dirty", ("2",), world),
    Scene("transfers", ("3",), world),
    Scene("locks", ("4",), world),
    Scene("namespaces", ("5",), world, lambda s: "12,400" in s.text()),
    Scene("conflicts", ("6",), world, _known),
    Scene("endpoints", ("7", "c"), world, _examined),
    Scene("explorer", ("8",), world, shelves=shelved),
    Scene("explorer-files", ("8", "j", "enter", "j", "enter", "G"), world, _seen, shelved),
    Scene("explorer-keys", ("8", "j", "j", "enter", "a", "v"), world, _seen, shelved),
    Scene("explorer-blobs", ("8", "G", "enter", "a", "v"), world, _seen, shelved),
    Scene("explorer-empty", ("8", "j", "enter", "enter"), world, shelves=shelved),
    Scene("explorer-filling", ("8", "enter"), world, _filling, endless),
    Scene("explorer-delete", ("8", "j", "enter", "d"), world, _counted, shelved),
    Scene("log", ("9",), world),
    Scene("plan", ("s",), world, _filled),
    Scene("diff", ("6", "d"), world, lambda s: "there" in s.text()),
    Scene("decide", ("6", "l"), world, _dialog),
    Scene("release", ("4", "F"), stale, lambda s: "silent" in s.text()),
    Scene(
        "uploads", ("7", "M"), world, lambda s: "big.bin" in s.text() and _dialog(s) and _asked(s)
    ),
    Scene("trash", ("Z",), trashed, lambda s: "old.log" in s.text()),
    Scene("export", ("2", "E"), world, _dialog),
    Scene("help", ("3", "question_mark"), world, _dialog),
    Scene("empty", ("2",), nothing),
    Scene("offline", ("1",), offline),
]
