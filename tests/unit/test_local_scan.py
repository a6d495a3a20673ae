"""The walk over a cache: what it finds, what it refuses to guess, and when a hash must be taken."""

import base64
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.paths import blocked_reason, is_data
from s3dash.errors import Cancelled, ConfigError, LocalChanged, LocalError
from s3dash.local.scan import (
    FileStat,
    hash_file,
    is_settled,
    load_excludes,
    scan,
    scan_paths,
)

GOLDEN = Path(__file__).parents[1] / "golden"
CACHES: dict[str, dict[str, dict[str, str]]] = json.loads((GOLDEN / "caches.json").read_text())
VECTORS = json.loads((GOLDEN / "path_vectors.json").read_text())


def put(root: Path, rel: str, content: bytes = b"x") -> Path:
    path = root / rel
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lay_out(root: Path, name: str) -> dict[str, bytes]:
    """Put a cache of a real client on disk; its files."""
    files = {
        rel: base64.b64decode(one["base64"]) if "base64" in one else one["text"].encode()
        for rel, one in CACHES[name].items()
    }
    for rel, content in files.items():
        put(root, rel, content)
    return files


# --- a whole walk -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CACHES if "-ns-" not in name])
def test_a_solo_cache_of_a_real_client_shows_its_data_files(tmp_path: Path, name: str) -> None:
    files = lay_out(tmp_path, name)
    found = scan(tmp_path)
    assert set(found.files) == {rel for rel in files if is_data(rel)}
    assert all(found.files[rel].size == len(files[rel]) for rel in found.files)
    assert (found.special, found.unknown, found.foreign, found.missing) == ({}, set(), [], set())


@pytest.mark.parametrize("namespace", ["infra", "web"])
def test_a_namespace_is_walked_by_its_own_paths(tmp_path: Path, namespace: str) -> None:
    files = lay_out(tmp_path, f"gold-ns-{namespace}")
    put(tmp_path, "stale/left.txt")
    found = scan(tmp_path / namespace, solo=False)
    inside = f"{namespace}/"
    assert set(found.files) == {r.removeprefix(inside) for r in files if r.startswith(inside)}
    assert found.foreign == ["stale"]


def test_every_path_that_a_client_calls_internal_is_left_out(tmp_path: Path) -> None:
    possible = [v for v in VECTORS if blocked_reason(v["rel"]) is None]
    assert sum(v["internal"] for v in possible) >= 10
    for number, vector in enumerate(possible):
        rel, root = vector["rel"], tmp_path / str(number)
        put(root, rel)
        assert set(scan(root).files) == ({rel} if is_data(rel) else set()), rel


def test_the_stat_of_a_file_is_the_one_on_disk(tmp_path: Path) -> None:
    path = put(tmp_path, "a/b", b"four")
    assert scan(tmp_path).files["a/b"] == FileStat.of(path.stat())


def test_directories_of_other_namespaces_are_foreign_in_a_solo_cache(tmp_path: Path) -> None:
    put(tmp_path, "web/.namespace.json", b"{}")
    put(tmp_path, "web/data/x")
    put(tmp_path, "mine/deep/.namespace.json", b"{}")
    put(tmp_path, "mine/deep/y")
    found = scan(tmp_path)
    assert set(found.files) == {"mine/deep/y"}
    assert found.foreign == ["web"]
    assert found.is_unknown("web/data/x")
    assert not found.is_unknown("mine/deep/y")


def test_symlinks_are_special_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put(outside, "secret")
    cache = tmp_path / "cache"
    put(cache, "real")
    (cache / "link").symlink_to(outside / "secret")
    (cache / "dir").symlink_to(outside)
    (cache / "dangling").symlink_to("nowhere")
    found = scan(cache)
    assert set(found.files) == {"real"}
    assert found.special == {"link": "symlink", "dir": "symlink", "dangling": "symlink"}
    assert found.is_unknown("dir/secret"), "what was below is not deleted"


def test_fifos_and_sockets_are_special(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock")
        found = scan(tmp_path)
    assert found.special == {"pipe": "FIFO", "sock": "socket"}
    assert found.is_unknown("pipe")


def test_a_device_is_special() -> None:
    assert scan_paths(Path("/dev"), ["null"]).special == {"null": "device"}


def test_names_that_cannot_be_keys_are_told_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path, "a/bell\x07")
    put(tmp_path, "dir\n/inside")
    put(tmp_path, "ünïcode ok")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff")).write_bytes(b"x")
    found = scan(tmp_path)
    assert set(found.files) == {"ünïcode ok"}
    assert set(found.special) == {"a/bell\x07", "dir\n", "bad\\xff"}
    assert all(why.startswith("name cannot be synced: ") for why in found.special.values())
    json.dumps(found.special).encode()


def test_a_key_that_is_too_long_with_its_prefix_is_told(tmp_path: Path) -> None:
    rel = "/".join(["d" * 200] * 5)  # 1004 bytes
    put(tmp_path, rel)
    assert set(scan(tmp_path, key_prefix_bytes=20).files) == {rel}
    found = scan(tmp_path, key_prefix_bytes=21)
    assert "key longer than" in found.special[rel]


def test_excluded_files_are_not_seen_whatever_they_are(tmp_path: Path) -> None:
    put(tmp_path, "build/out")
    put(tmp_path, "a.tmp")
    put(tmp_path, "keep.tmp")
    put(tmp_path, "b.txt")
    (tmp_path / "link.tmp").symlink_to("b.txt")
    excluded = load_excludes(("*.tmp", "!keep.tmp", "build/"))
    found = scan(tmp_path, excluded=excluded)
    assert set(found.files) == {"b.txt", "keep.tmp"}
    assert found.special == {}
    assert set(scan_paths(tmp_path, ["a.tmp", "b.txt"], excluded=excluded).files) == {"b.txt"}


def test_a_pattern_that_is_none_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="exclude"):
        load_excludes(("!",))


def test_a_deep_tree_is_walked_without_recursion(tmp_path: Path) -> None:
    rel = "/".join(["d"] * 500) + "/leaf"
    put(tmp_path, rel)
    assert set(scan(tmp_path).files) == {rel}


def test_a_cancelled_walk_ends(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        scan(tmp_path, cancel=cancel)


# --- what cannot be read is unknown, not gone -------------------------------------------


def test_a_missing_root_is_unknown_altogether(tmp_path: Path) -> None:
    for found in (scan(tmp_path / "no"), scan_paths(tmp_path / "no", ["a"])):
        assert found.files == {}
        assert found.unknown == {""}
        assert found.is_unknown("any/thing")


def test_a_root_that_is_a_file_is_unknown(tmp_path: Path) -> None:
    assert scan(put(tmp_path, "file")).is_unknown("x")


def test_a_directory_that_may_not_be_read_is_unknown_with_all_below(tmp_path: Path) -> None:
    put(tmp_path, "closed/deep/x")
    put(tmp_path, "open/y")

    def scandir(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        if path.endswith("/closed"):
            raise PermissionError(13, "Permission denied")
        return os.scandir(path)

    found = scan(tmp_path, scandir=scandir)
    assert set(found.files) == {"open/y"}
    assert found.unknown == {"closed"}
    assert found.is_unknown("closed")
    assert found.is_unknown("closed/deep/x")
    assert not found.is_unknown("closed-not/x")
    assert not found.is_unknown("open/gone")


def test_a_directory_that_goes_during_the_walk_is_unknown(tmp_path: Path) -> None:
    put(tmp_path, "going/x")

    def scandir(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        if path.endswith("/going"):
            shutil.rmtree(path)
        return os.scandir(path)

    assert scan(tmp_path, scandir=scandir).unknown == {"going"}


def test_a_file_that_goes_during_the_walk_is_unknown(tmp_path: Path) -> None:
    put(tmp_path, "going")
    put(tmp_path, "staying")

    @contextmanager
    def scandir(path: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        with os.scandir(path) as entries:
            read = list(entries)
        (tmp_path / "going").unlink()
        yield iter(read)

    found = scan(tmp_path, scandir=scandir)
    assert set(found.files) == {"staying"}
    assert found.unknown == {"going"}


# --- single paths -----------------------------------------------------------------------


def test_single_paths_are_found_walked_or_missing(tmp_path: Path) -> None:
    for rel in ("a", "dir/x", "dir/sub/y", "other/z"):
        put(tmp_path, rel)
    found = scan_paths(tmp_path, {"a", "dir", "gone", "gone/deep", "a/below"})
    assert set(found.files) == {"a", "dir/x", "dir/sub/y"}
    assert found.missing == {"gone", "gone/deep", "a/below"}
    assert not found.is_unknown("gone")


def test_the_empty_path_is_everything(tmp_path: Path) -> None:
    put(tmp_path, "dir/x")
    assert set(scan_paths(tmp_path, [""]).files) == {"dir/x"}


def test_single_paths_behind_a_symlink_are_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "outside/deep/secret")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/link").symlink_to(tmp_path / "outside")
    found = scan_paths(tmp_path / "cache", ["link/deep/secret", "link"])
    assert found.files == {}
    assert found.special == {"link": "symlink"}
    assert found.is_unknown("link/deep/secret")
    assert not found.missing


@pytest.mark.parametrize("rel", ["../outside", "/etc/passwd", "a//b", "a/./b"])
def test_single_paths_that_escape_are_blocked(tmp_path: Path, rel: str) -> None:
    put(tmp_path, "outside")
    (tmp_path / "cache").mkdir()
    found = scan_paths(tmp_path / "cache", [rel])
    assert found.files == {}
    assert set(found.special) == {rel}


def test_single_paths_of_other_namespaces_and_of_ours_alone_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "web/.namespace.json", b"{}")
    put(tmp_path, "web/x")
    put(tmp_path, "_control/y")
    found = scan_paths(tmp_path, ["web/x", "web", "_control/y"])
    assert found.files == {}
    assert found.foreign == ["web"]
    assert found.missing == set()


# --- content ----------------------------------------------------------------------------


def test_a_hash_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom(3 << 20)
    path = put(tmp_path, "big", content)
    assert hash_file(path) == (hashlib.sha256(content).hexdigest(), FileStat.of(path.stat()))


def test_a_file_that_changes_while_it_is_read_has_no_hash(tmp_path: Path) -> None:
    path = put(tmp_path, "a", b"before")

    class Writer(CancelToken):
        def check(self) -> None:
            with path.open("ab") as end:
                end.write(b"!")

    with pytest.raises(LocalChanged):
        hash_file(path, cancel=Writer())


def test_a_file_that_is_gone_has_changed(tmp_path: Path) -> None:
    with pytest.raises(LocalChanged):
        hash_file(tmp_path / "gone")


def test_only_regular_files_have_a_hash(tmp_path: Path) -> None:
    put(tmp_path, "real")
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "."):
        with pytest.raises(LocalError):
            hash_file(tmp_path / name)


def test_hashing_can_be_cancelled(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        hash_file(put(tmp_path, "a"), cancel=cancel)


NOW = 1_790_000_000_123_456_789
MS = 1_000_000


@pytest.mark.parametrize(
    ("mtime_ns", "ctime_ns", "settled"),
    [
        (NOW - 20 * MS, NOW - 20 * MS, True),
        (NOW - 19 * MS, NOW - 3600_000 * MS, False),
        (NOW - 3600_000 * MS, NOW - 19 * MS, False),
        (NOW, NOW, False),
        (NOW + 365 * 86400_000 * MS, NOW - 3600_000 * MS, False),
        (1_789_999_999_000_000_000, 1_789_999_999_000_000_000, False),
        (1_789_999_998_000_000_000, 1_789_999_998_000_000_000, True),
        (1_789_999_999_000_000_000, 1_789_999_999_000_000_001, True),
    ],
)
def test_a_stat_settles_only_when_a_later_write_must_show(
    mtime_ns: int, ctime_ns: int, settled: bool
) -> None:
    assert is_settled(FileStat(1, mtime_ns, ctime_ns, 1), NOW) is settled


def test_a_walk_tells_how_many_files_it_found_so_far(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"d{number % 3}").mkdir(exist_ok=True)
        (tmp_path / f"d{number % 3}" / f"f{number}").write_text("x")
    told: list[int] = []
    found = scan(tmp_path, on_files=told.append)
    assert told == sorted(told)
    assert told[-1] == len(found.files) == 6


def test_a_pattern_with_an_odd_bracket_warns_nobody(recwarn: pytest.WarningsRecorder) -> None:
    excluded = load_excludes(("[[a]b",))
    assert excluded("ab")
    assert not list(recwarn)
