"""The fsspec filesystem: what is its own, beside the suite that fsspec has for all."""

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.registry import get_filesystem_class
from upath import UPath

from s3dash.config.credentials import CredentialRefs, resolve
from s3dash.errors import BadPath, ConfigError, NotSupported, ReadOnly, Unreachable
from s3dash.stores.files.filesystem import S3DashFileSystem
from s3dash.stores.files.upath import S3DashPath
from tests.servers import Server
from tests.stores.files.conftest import Place

SECRET = "testsecret"


class Broke(Exception):
    """The program failed while it wrote."""


@pytest.fixture
def options(weed: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Storage options as a user has them."""
    monkeypatch.setenv("FILES_KEY", weed.access_key)
    monkeypatch.setenv("FILES_SECRET", SECRET)
    return {
        "endpoint_url": weed.endpoint,
        "region": "us-east-1",
        "key": "env:FILES_KEY",
        "secret": "env:FILES_SECRET",
        "skip_instance_cache": True,
    }


@pytest.fixture
def fs(memory: Place) -> S3DashFileSystem:
    return memory.filesystem()


def write_and_break(opened: Any, data: Any) -> None:
    with opened as file:
        file.write(data)
        raise Broke


def opener(fs: S3DashFileSystem, name: str) -> Any:
    """The ways to open a file for writing that wrap it in something else."""
    if name == "fsspec.open":
        return fsspec.core.OpenFile(fs, "b/f", mode="wb")
    if name == "fsspec.open text":
        return fsspec.core.OpenFile(fs, "b/f", mode="w")
    if name == "fsspec.open gzip":
        return fsspec.core.OpenFile(fs, "b/f", mode="wb", compression="gzip")
    return {
        "binary": lambda: fs.open("b/f", "wb"),
        "text": lambda: fs.open("b/f", "w"),
        "gzip": lambda: fs.open("b/f", "wb", compression="gzip"),
        "text gzip": lambda: fs.open("b/f", "wt", compression="gzip"),
    }[name]()


OPENERS = (
    "binary",
    "text",
    "gzip",
    "text gzip",
    "fsspec.open",
    "fsspec.open text",
    "fsspec.open gzip",
)


@pytest.mark.parametrize("name", OPENERS)
def test_fs_07_an_exception_leaves_nothing_however_it_was_opened(
    fs: S3DashFileSystem, name: str
) -> None:
    fs.pipe_file("b/f", b"old")
    data = "half" if "text" in name else b"half"
    with pytest.raises(Broke):
        write_and_break(opener(fs, name), data)
    assert fs.cat_file("b/f") == b"old"


@pytest.mark.parametrize("name", OPENERS)
def test_what_ends_well_is_sent_however_it_was_opened(fs: S3DashFileSystem, name: str) -> None:
    with opener(fs, name) as file:
        file.write("whole" if "text" in name else b"whole")
    packed = "gzip" if "gzip" in name else None
    with fs.open("b/f", "rb", compression=packed) as file:
        assert file.read() == b"whole"


def test_a_file_that_is_opened_and_closed_in_a_handler_is_sent(fs: S3DashFileSystem) -> None:
    """Only the block that failed discards; another exception that is under way is no matter."""
    try:
        raise Broke
    except Broke:
        file = fs.open("b/report", "wb")
        file.write(b"what happened")
        file.close()
    assert fs.cat_file("b/report") == b"what happened"


def test_a_transaction_sends_all_or_nothing(fs: S3DashFileSystem) -> None:
    with fs.transaction:
        with fs.open("b/one", "wb") as file:
            file.write(b"1")
        assert not fs.exists("b/one")
    assert fs.cat_file("b/one") == b"1"
    with pytest.raises(Broke), fs.transaction:
        write_and_break(fs.open("b/two", "wb"), b"2")
    assert not fs.exists("b/two")


def test_fs_08_ranges(fs: S3DashFileSystem) -> None:
    fs.pipe_file("b/f", b"hello world")
    for start, end, body in (
        (0, 5, b"hello"),
        (6, None, b"world"),
        (None, 5, b"hello"),
        (-5, None, b"world"),
        (0, 9999, b"hello world"),
        (100, 200, b""),
    ):
        assert fs.cat_file("b/f", start, end) == body
        assert fs.cat_file("b/f", start=start, end=end) == body
    assert fs.cat_ranges(["b/f", "b/f"], [0, 6], [5, 11]) == [b"hello", b"world"]
    assert fs.read_block("b/f", 6, 5) == b"world"
    assert (fs.head("b/f", 5), fs.tail("b/f", 5)) == (b"hello", b"world")
    with fs.open("b/f", block_size=4, cache_type="readahead") as file:
        file.seek(6)
        assert (file.size, file.read()) == (11, b"world")


@pytest.mark.parametrize("mode", ["r+b", "w+b", "ab", "a"])
def test_fs_09_what_s3_cannot_do_is_refused(fs: S3DashFileSystem, mode: str) -> None:
    fs.pipe_file("b/f", b"hello")
    with pytest.raises(NotSupported):
        fs.open("b/f", mode)
    with pytest.raises(NotSupported):
        fs.truncate("b/f", 2)


def test_fs_10_emulate_is_an_option_of_the_filesystem_or_of_one_file(memory: Place) -> None:
    fs = memory.filesystem(emulate=True)
    fs.pipe_file("b/f", b"hello")
    with fs.open("b/f", "a") as file:
        file.write(" world")
    fs.truncate("b/f", 7)
    assert fs.cat_file("b/f") == b"hello w"
    with memory.filesystem().open("b/f", "r+b", emulate=True) as file:
        file.write(b"J")
    assert fs.cat_file("b/f") == b"Jello w"


def test_names_times_and_checksums(fs: S3DashFileSystem) -> None:
    fs.pipe_file("b/d/f", b"x")
    info = fs.info("s3dash://b/d/f")
    assert (info["name"], info["type"], info["size"]) == ("b/d/f", "file", 1)
    assert info["mtime"] == int(info["mtime"]) == fs.modified("b/d/f").timestamp()
    assert fs.ls("b/d") == [info]
    assert fs.checksum("b/d/f") == fs.ukey("b/d/f") == info["etag"]
    assert fs.unstrip_protocol("b/d/f") == "s3dash://b/d/f"
    assert fs.find("b") == ["b/d/f"]
    assert sorted(fs.find("b", withdirs=True)) == ["b", "b/d", "b/d/f"]
    assert fs.find("b/d/f") == ["b/d/f"]
    assert fs.glob("b/*/f") == ["b/d/f"]
    assert [one[0] for one in fs.walk("b")] == ["b", "b/d"]
    assert fs.du("b") == 1


def test_fs_04_with_a_slash_it_is_the_directory(fs: S3DashFileSystem) -> None:
    fs.pipe({"b/x": b"file", "b/x/y": b"below"})
    assert fs.info("b/x")["type"] == "file"
    assert fs.info("b/x/")["type"] == "directory"
    assert fs.ls("b/x/", detail=False) == ["b/x/y"]
    assert fs.isdir("b/x")
    assert fs.isfile("b/x")


def test_fs_13_a_directory_is_moved(fs: S3DashFileSystem) -> None:
    fs.pipe({"b/d/a": b"1", "b/d/s/b": b"2", "b/f": b"3"})
    fs.mv("b/d", "b/e")
    assert fs.find("b") == ["b/e/a", "b/e/s/b", "b/f"]
    fs.mv("b/f", "b/e/")
    fs.mkdir("b/into")
    fs.mv("b/e", "b/into", recursive=True)
    assert fs.find("b") == ["b/into/e/a", "b/into/e/f", "b/into/e/s/b"]
    fs.mv("b/into/e/*", "b/flat/", recursive=True)
    assert fs.find("b/flat") == ["b/flat/a", "b/flat/f", "b/flat/s/b"]
    with pytest.raises(OSError, match="into itself"):
        fs.mv("b/flat", "b/flat/inside")


def test_removals(fs: S3DashFileSystem) -> None:
    fs.pipe({f"b/d/{name}": b"" for name in ("a1", "a2", "sub/b", "sub/deep/c")})
    fs.rm("b/d/a*")
    assert fs.find("b") == ["b/d/sub/b", "b/d/sub/deep/c"]
    fs.rm("b/d", recursive=True, maxdepth=2)
    assert fs.find("b") == ["b/d/sub/deep/c"]
    with pytest.raises(IsADirectoryError):
        fs.rm("b/d")
    fs.rm(["b/d/sub"], recursive=True)
    assert not fs.exists("b/d")
    with pytest.raises(FileNotFoundError):
        fs.rm("b/none")


def test_files_go_to_and_from_the_disk(fs: S3DashFileSystem, tmp_path: Path) -> None:
    told: list[int] = []

    class Callback(fsspec.callbacks.Callback):  # type: ignore[misc] # fsspec has no types
        def relative_update(self, inc: int = 1) -> None:
            told.append(inc)

    (tmp_path / "up").write_bytes(b"hello")
    fs.put_file(tmp_path / "up", "b/f", callback=Callback())
    fs.get_file("b/f", str(tmp_path / "new" / "down"), callback=Callback())
    assert (tmp_path / "new" / "down").read_bytes() == b"hello"
    assert sum(told) == 10
    with pytest.raises(FileExistsError):
        fs.put_file(tmp_path / "up", "b/f", mode="create")
    with (tmp_path / "given").open("wb") as file:
        fs.get_file("b/f", file)
    assert (tmp_path / "given").read_bytes() == b"hello"
    with pytest.raises(FileNotFoundError):
        fs.get_file("b/none", str(tmp_path / "none"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["given", "new", "up"]


def test_fs_15_hostile_keys_do_not_leave_the_directory(memory: Place, tmp_path: Path) -> None:
    store = memory.open().store
    for key in ("d/../../out", "d/good", "d//x"):
        store.put(key, b"x")
    memory.filesystem().get("b/d", str(tmp_path / "a" / "b"), recursive=True)
    here = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert here == ["a/b/good"]


@pytest.mark.parametrize("path", ["", "/key", "s3dash://", "b/../c", "b/nul\0"])
def test_fs_15_no_bucket_and_no_path(fs: S3DashFileSystem, path: str) -> None:
    for call in (fs.info, fs.ls, fs.cat_file, fs.mkdir):
        with pytest.raises(BadPath):
            call(path)
    assert not fs.exists(path)


def test_an_endpoint_that_does_not_answer_is_no_missing_file(memory: Place) -> None:
    def gone(_op: str, _key: str) -> None:
        raise Unreachable("no answer")

    fs = S3DashFileSystem(open_bucket=lambda _: memory.open(before=gone), skip_instance_cache=True)
    for call in (fs.exists, fs.isdir, fs.isfile, fs.find, fs.info):
        with pytest.raises(Unreachable):
            call("b/f")


def test_each_bucket_is_opened_once_and_late(memory: Place) -> None:
    seen: list[str] = []

    def opens(bucket: str) -> Any:
        seen.append(bucket)
        return memory.open()

    fs = S3DashFileSystem(open_bucket=opens, skip_instance_cache=True)
    assert seen == []
    fs.pipe_file("one/f", b"x")
    fs.exists("two/f")
    fs.cat_file("one/f")
    assert seen == ["one", "two"]


# --- options, credentials, entry points -----------------------------------------------------


def test_it_is_found_by_its_protocol_and_claims_no_other(
    weed: Server, options: dict[str, Any]
) -> None:
    assert get_filesystem_class("s3dash") is S3DashFileSystem
    assert S3DashFileSystem.protocol == "s3dash"
    url = f"s3dash://{weed.make_bucket()}/a/hello.txt"
    with fsspec.open(url, "w", **options) as file:
        file.write("hello")
    with fsspec.open(url, **options) as file:
        assert file.read() == b"hello"
    with pytest.raises(Broke):
        write_and_break(fsspec.open(url, "w", **options), "half")
    with fsspec.open(url, "r", **options) as file:
        assert file.read() == "hello"


def test_universal_pathlib_finds_it(weed: Server, options: dict[str, Any]) -> None:
    root = UPath(f"s3dash://{weed.make_bucket()}", **options)
    assert isinstance(root, S3DashPath)
    path = root / "d" / "hello.txt"
    path.write_text("hello")
    assert path.read_text() == "hello"
    assert [one.name for one in (root / "d").iterdir()] == ["hello.txt"]
    assert (path.stat().st_size, path.parent.is_dir(), path.exists()) == (5, True, True)
    (root / "new").mkdir()
    assert (root / "new").is_dir()
    path.unlink()
    assert not path.exists()


def test_fs_17_references_resolve_late_and_no_secret_shows(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("FILES_SECRET")
    fs = S3DashFileSystem(**options)
    with pytest.raises(ConfigError) as told:
        fs.ls("bucket")
    assert "env:FILES_SECRET" in str(told.value)
    monkeypatch.setenv("FILES_SECRET", SECRET)
    assert fs.exists("no-such-bucket/f") is False
    shown = (repr(fs), str(fs), repr(vars(fs)), repr(fs.storage_options), fs.fsid, fs.to_json())
    assert SECRET not in "".join(shown) + caplog.text
    assert SECRET not in pickle.dumps(fs).decode("latin-1")
    assert pickle.loads(pickle.dumps(fs)).storage_options == fs.storage_options


def test_fs_17_files_and_keychains_are_references(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-a-file\n")
    refs = CredentialRefs(
        where="storage options",
        base=tmp_path,
        access_key_id="keychain:s3dash/ada",
        secret_access_key="file:secret",
    )
    found = resolve(refs, {}, keychain=lambda service, account: f"{account}@{service}")
    assert found is not None
    assert (found.access_key_id, found.secret_access_key) == ("ada@s3dash", "from-a-file")


@pytest.mark.parametrize("name", ["key", "secret", "token"])
def test_fs_17_a_secret_that_is_written_out_is_refused_and_not_shown(name: str) -> None:
    options: dict[str, Any] = {name: "AKIAVERYSECRET", "skip_instance_cache": True}
    with pytest.raises(ConfigError) as told:
        S3DashFileSystem(**options)
    assert name in str(told.value)
    assert "AKIAVERYSECRET" not in str(told.value) + told.value.hint
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("options", "word"),
    [({"anon": True}, "anon"), ({"part_size": "8 MiB"}, "part_size"), ({"emulate": 1}, "emulate")],
)
def test_an_option_that_is_none_is_told(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        S3DashFileSystem(**options, skip_instance_cache=True)


def configured(weed: Server, home: Path, bucket: str, more: str = "") -> dict[str, Any]:
    (home / "s3dash.toml").write_text(
        f"[datastores.docs]\nkind = 'files'\nbucket = '{bucket}'\nprefix = 'team'\n"
        f"endpoint = '{weed.endpoint}'\nregion = 'us-east-1'\nforce_path_style = true\n"
        "credentials = {access_key_id = 'env:FILES_KEY', secret_access_key = 'env:FILES_SECRET'}\n"
        + more
    )
    return {"datastore": "docs", "config": home / "s3dash.toml", "skip_instance_cache": True}


def test_a_datastore_of_the_configuration_is_an_option(
    weed: Server, options: dict[str, Any], tmp_path: Path
) -> None:
    """Keys are whole ones; what lies outside of the datastore can only be read."""
    bucket = weed.make_bucket()
    S3DashFileSystem(**options).pipe_file(f"{bucket}/outside", b"o")
    fs = S3DashFileSystem(**configured(weed, tmp_path, bucket))
    fs.pipe_file(f"{bucket}/team/f", b"x")
    assert fs.find(bucket) == [f"{bucket}/outside", f"{bucket}/team/f"]
    writes: tuple[Callable[[], object], ...] = (
        lambda: fs.pipe_file(f"{bucket}/new", b"x"),
        lambda: fs.rm(f"{bucket}/outside"),
        lambda: fs.mv(f"{bucket}/outside", f"{bucket}/team/o"),
        lambda: fs.cp_file(f"{bucket}/outside", f"{bucket}/teams"),
        lambda: fs.open(f"{bucket}/new", "wb"),
    )
    for write in writes:
        with pytest.raises(ReadOnly):
            write()
    fs.cp_file(f"{bucket}/outside", f"{bucket}/team/o")
    shut = S3DashFileSystem(**configured(weed, tmp_path, bucket, "readonly = true\n"))
    with pytest.raises(ReadOnly):
        shut.pipe_file(f"{bucket}/team/g", b"x")


def test_it_loads_no_screen_and_nothing_of_the_command_line() -> None:
    import subprocess

    code = (
        "import sys, s3dash.stores.files.filesystem\n"
        "print([m for m in ('textual', 'typer', 'rich', 'boto3', 'obstore') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stdout.strip() == "[]"
