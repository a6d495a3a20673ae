"""An editor that saves in the microseconds of an exchange: the save wins, whoever is first."""

import threading
from pathlib import Path

from s3dash.clock import SystemClock
from s3dash.errors import LocalChanged
from s3dash.local import renameat2
from s3dash.local.atomic import CacheDir
from s3dash.local.scan import FileStat
from s3dash.local.trash import Trash
from tests.tally import Effort


class Editor:
    """A thread that saves once for each time that it is told to, after a random while."""

    def __init__(self, home: Path, path: Path, spins: list[int]) -> None:
        self._editing = home / "editing"
        self._path = path
        self._spins = spins
        self.ready = threading.Barrier(2)
        self.go = threading.Event()
        self.saved = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def exchange(self, one: Path, other: Path) -> bool:
        """As `renameat2.exchange`, while the editor saves."""
        self.go.set()
        return renameat2.exchange(one, other)

    def end(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        for number, spins in enumerate(self._spins):
            self._editing.write_bytes(b"save %d" % number)
            self.ready.wait()
            self.go.wait()
            for _ in range(spins):
                continue
            self._editing.replace(self._path)
            self.saved.set()


def test_a_save_is_never_replaced_by_a_pull(tmp_path: Path, effort: Effort) -> None:
    """One save and one install at once; at the end the save is there."""
    dice = effort.dice()
    (tmp_path / "cache").mkdir()
    path = tmp_path / "cache/a"
    trash = Trash(tmp_path / "trash", SystemClock())
    rounds = effort.pick(400, 20_000)
    editor = Editor(tmp_path, path, [dice.randrange(400) for _ in range(rounds)])
    cache = CacheDir(tmp_path / "cache", namespace=None, exchange=editor.exchange)
    lost = []
    for number in range(rounds):
        path.write_bytes(b"old %d" % number)
        seen = FileStat.of(path.lstat())
        editor.ready.wait()
        try:
            with cache.staging() as temp:
                temp.write(b"new %d" % number)
                cache.install(Path(temp.name), "a", expected=seen, trash=trash)
            effort.count("saves just after an exchange")
        except LocalChanged:
            effort.count("saves just before an exchange")
        editor.saved.wait()
        editor.saved.clear()
        editor.go.clear()
        if path.read_bytes() != b"save %d" % number:
            lost.append(number)
        for trashed in trash.list():
            trash.drop(trashed.id)
    editor.end()
    effort.lost(lost, f"seed {effort.seed}")
