"""A tree that goes up while some of it cannot be read, or goes away."""

from pathlib import Path

from s3dash.stores.files.transfer import Copied, upload_tree
from tests.reliability.apart import apart, give_up_rights
from tests.stores.files.conftest import place_in_memory


def tree(root: Path) -> Path:
    for rel in ("a/one", "b/deep/two", "c/three", "four"):
        path = root / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rel)
    return root


def test_what_cannot_be_read_stops_nothing_else(tmp_path: Path) -> None:
    files, source = place_in_memory(tmp_path).files(), tree(tmp_path / "tree")
    (source / "b/deep").chmod(0o000)
    (source / "c").chmod(0o400)  # its names can be listed, and not looked at

    def run() -> Copied:
        give_up_rights()
        return upload_tree(files, source, "up", on_piece=lambda *_: None)

    done = apart(run)
    assert (done.files, done.bytes, done.blocked) == (2, 9, [])
    assert sorted((one.path, one.error.split(": ")[-1]) for one in done.failed) == [
        ("b/deep", "permission denied"),
        ("c/three", "permission denied"),
    ]
    assert [one.key for one in files.store.list("up/")] == ["up/", "up/a/one", "up/four"]


def test_what_goes_away_meanwhile_is_left_out(tmp_path: Path) -> None:
    files, source = place_in_memory(tmp_path).files(), tree(tmp_path / "tree")
    for number in range(200):
        (source / f"z{number:03d}").write_text("z")

    def gone(_count: int, _path: str) -> None:
        (source / "z199").unlink(missing_ok=True)

    done = upload_tree(files, source, "up", on_piece=gone)
    assert {one.path for one in done.failed} <= {"z199"}
    assert done.files == 203
