"""The state file: what it keeps, what it does with a broken one, and who owns a cache."""

import os
import random
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from s3dash.core.diff import Base
from s3dash.core.snapshot import HistoryRow
from s3dash.errors import LocalError
from s3dash.local.rows import SCHEMA
from s3dash.local.scan import FileStat
from s3dash.local.state import MANY, OLDER_PER_PATH, BaseRow, JournalRow, OwnerLock, State
from s3dash.local.statefile import StateFile
from s3dash.local.together import Together

STAT = FileStat(5, 1_700_000_000_000_000_001, 1_700_000_000_000_000_002, (1 << 64) - 3)


def row(rel: str, *, sha256: str = "a" * 64, stat: FileStat | None = STAT) -> BaseRow:
    return BaseRow(rel, sha256, 5, "tag", '"etag"', stat, 42)


def step(rel: str, action: str = "upload", commit: str = "c1") -> JournalRow:
    return JournalRow(commit, rel, action, "b" * 64, 7, None, "c" * 64, "2026-11-21T10:00:00.000Z")


def said(text: str) -> HistoryRow:
    return HistoryRow("2026-11-21T10:00:00.000Z", "push", "warning", text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "state.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    state = State(path)
    yield state
    state.close()


def test_everything_is_there_after_a_restart(path: Path) -> None:
    state = State(path)
    rows = [row("a/ünï"), BaseRow("b", "", 0, "?0:", None, None, 0)]
    state.save_base(rows)
    state.save_docs({"_index/a.json": ('"1"', b"\x00\xff{}"), "_index/b.json": ('"2"', b"")})
    state.journal_add([step("x"), step("y", "delete")])
    state.note(said("one"))
    state.set("k", "v")
    state.close()

    state = State(path)
    assert state.recovered is None
    assert state.base_rows() == {"a/ünï": rows[0], "b": rows[1]}
    assert state.base_rows()["a/ünï"].base == Base("a" * 64, 5, "tag", '"etag"')
    assert state.docs() == {"_index/a.json": ('"1"', b"\x00\xff{}"), "_index/b.json": ('"2"', b"")}
    assert state.journal() == [step("x"), step("y", "delete")]
    assert state.history(10) == [said("one")]
    assert (state.get("k"), state.get("other")) == ("v", None)
    state.close()


def test_base_rows_are_replaced_dropped_and_looked_at_again(state: State) -> None:
    state.save_base([row("a"), row("b"), row("c")])
    state.apply(save=[row("a", sha256="d" * 64), row("new")], drop=["b", "absent", "new"])
    state.restat([("c", FileStat(1, 2, 3, 4), 99), ("absent", STAT, 1)])
    assert set(state.base_rows()) == {"a", "c", "new"}
    assert state.base_rows()["a"].sha256 == "d" * 64
    assert state.base_rows()["c"] == BaseRow(
        "c", "a" * 64, 5, "tag", '"etag"', FileStat(1, 2, 3, 4), 99
    )
    state.drop_base(["a"])
    assert set(state.base_rows()) == {"c", "new"}


def test_a_write_that_fails_half_way_leaves_nothing(state: State) -> None:
    state.save_base([row("a"), row("b")])

    def rows() -> Iterable[BaseRow]:
        yield row("c")
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        state.apply(save=rows(), drop=["a"])
    assert set(state.base_rows()) == {"a", "b"}
    state.set("still", "usable")
    assert state.get("still") == "usable"


def test_docs_are_dropped_by_key(state: State) -> None:
    state.save_docs({"a": ("1", b"x"), "b": ("2", b"y")})
    state.save_docs({"a": ("3", b"z")})
    state.drop_docs(["b", "absent"])
    assert state.docs() == {"a": ("3", b"z")}


def test_the_journal_has_one_row_per_path_in_order(state: State) -> None:
    state.journal_add([step("x"), step("y")])
    state.journal_add([step("x", "delete", "c2")])
    assert state.journal() == [step("y"), step("x", "delete", "c2")]
    state.journal_clear(["y", "absent"])
    assert state.journal() == [step("x", "delete", "c2")]


def test_the_history_keeps_the_latest_rows_only(path: Path) -> None:
    state = State(path, history_rows=3)
    for number in range(5):
        state.note(said(str(number)))
    assert [h.text for h in state.history(10)] == ["2", "3", "4"]
    assert [h.text for h in state.history(2)] == ["3", "4"]
    state.close()


def test_many_threads_may_write_at_once(state: State) -> None:
    def write(number: int) -> None:
        for turn in range(20):
            state.save_base([row(f"{number}/{turn}")])
            state.base_rows()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(state.base_rows()) == 80


def test_a_closed_state_says_so(path: Path) -> None:
    state = State(path)
    state.close()
    state.close()
    with pytest.raises(LocalError, match="state file"):
        state.base_rows()


# --- broken files -----------------------------------------------------------------------


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()


def newer(path: Path) -> None:
    State(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(5000))


def damaged(path: Path) -> None:
    state = State(path)
    state.save_base([row(f"some/long/path/{n}") for n in range(500)])
    state.close()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 3))


def cut_off(path: Path) -> None:
    state = State(path)
    state.save_base([row(f"some/long/path/{n}") for n in range(500)])
    state.close()
    with path.open("r+b") as file:
        file.truncate(4096 * 5)


BROKEN = [foreign, newer, garbage, damaged, cut_off]


@pytest.mark.parametrize("breaks", BROKEN)
def test_a_broken_state_is_moved_aside_and_started_afresh(path: Path, breaks: object) -> None:
    path.parent.mkdir()
    assert callable(breaks)
    breaks(path)
    was = path.read_bytes()
    state = State(path)
    assert state.recovered is not None
    assert state.base_rows() == {}
    state.save_base([row("a")])
    state.close()
    (aside,) = path.parent.glob("state.db.corrupt-*")
    assert aside.name in state.recovered
    assert aside.read_bytes() == was

    again = State(path)
    assert again.recovered is None
    assert set(again.base_rows()) == {"a"}
    again.close()


@pytest.mark.parametrize("breaks", BROKEN)
def test_a_reader_takes_a_broken_state_as_empty_and_leaves_it(path: Path, breaks: object) -> None:
    path.parent.mkdir()
    assert callable(breaks)
    breaks(path)
    was = path.read_bytes()
    state = State(path, read_only=True)
    assert state.recovered is not None
    assert state.base_rows() == {}
    state.close()
    assert path.read_bytes() == was
    assert not list(path.parent.glob("*.corrupt-*"))


def test_an_empty_file_is_a_fresh_state(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    state = State(path)
    assert state.recovered is None
    state.close()


def test_a_directory_in_the_way_is_an_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LocalError, match="cannot be opened"):
        State(path)


def test_a_file_where_the_directory_should_be_is_an_error(path: Path) -> None:
    path.parent.touch()
    with pytest.raises(LocalError, match="cannot be made"):
        State(path)


# --- readers ----------------------------------------------------------------------------


def test_a_reader_sees_what_the_owner_writes(state: State, path: Path) -> None:
    reader = State(path, read_only=True)
    state.save_base([row("a")])
    assert set(reader.base_rows()) == {"a"}
    state.drop_base(["a"])
    assert reader.base_rows() == {}
    reader.close()


def test_a_reader_of_nothing_makes_no_file(path: Path) -> None:
    reader = State(path, read_only=True)
    assert (reader.base_rows(), reader.journal(), reader.history(5)) == ({}, [], [])
    reader.close()
    assert not path.parent.exists()


def test_a_reader_drops_what_is_a_mere_cache_and_refuses_the_rest(state: State, path: Path) -> None:
    state.save_base([row("a")])
    state.save_docs({"k": ("e", b"b")})
    reader = State(path, read_only=True)
    reader.restat([("a", FileStat(0, 0, 0, 0), 1)])
    reader.save_docs({"other": ("e", b"b")})
    reader.drop_docs(["k"])
    reader.note(said("x"))
    reader.set("k", "v")
    with pytest.raises(LocalError, match="reading only"):
        reader.save_base([row("b")])
    with pytest.raises(LocalError, match="reading only"):
        reader.journal_add([step("b")])
    with pytest.raises(LocalError, match="reading only"):
        reader.journal_clear(["b"])
    reader.close()
    assert state.base_rows() == {"a": row("a")}
    assert set(state.docs()) == {"k"}
    assert (state.history(5), state.get("k")) == ([], None)


# --- one owner --------------------------------------------------------------------------


def test_a_cache_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first, second = OwnerLock(tmp_path / "s"), OwnerLock(tmp_path / "s")
    assert second.owner() == ""
    assert first.acquire()
    assert first.acquire(), "ours already"
    assert not second.acquire()
    assert second.owner().startswith(f"pid {os.getpid()} on ")
    first.release()
    first.release()
    assert second.owner() == ""
    assert second.acquire()
    assert not first.acquire()
    second.release()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from s3dash.local.state import OwnerLock\n"
        "assert OwnerLock(Path(sys.argv[1])).acquire(); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == 9
    lock = OwnerLock(tmp_path)
    assert lock.owner().startswith("pid "), "the last owner, who is dead"
    assert lock.acquire()
    assert lock.owner().startswith(f"pid {os.getpid()} ")
    lock.release()


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match=r"owner\.lock"):
        OwnerLock(tmp_path / "file").acquire()


def test_what_the_base_left_behind_is_known_as_older(state: State) -> None:
    first, second = (BaseRow("a", sha, 1, sha, None, None, 0) for sha in ("x", "y"))
    state.save_base([first])
    assert state.older(["a"]) == {}
    state.save_base([second])
    assert state.older(["a", "b"]) == {"a": {"x"}}
    state.drop_base(["a"])
    assert state.older(["a"]) == {"a": {"x", "y"}}
    state.apply(older=[("b", "z")])
    assert state.older(["b"]) == {"b": {"z"}}


def test_of_many_paths_the_older_versions_are_those_of_each(state: State) -> None:
    rels = [f"files/{n}" for n in range(MANY + 1)]
    state.apply(older=[(rels[0], "x"), (rels[0], "y"), (rels[-1], "z"), ("other", "x")])
    assert state.older(rels) == {rels[0]: {"x", "y"}, rels[-1]: {"z"}}
    assert state.older(rels[:2]) == {rels[0]: {"x", "y"}}


def test_of_one_path_the_latest_older_versions_are_known(state: State) -> None:
    versions = [str(n) for n in range(OLDER_PER_PATH + 10)]
    for sha in [*versions, "0"]:  # the first one once more: it is left behind late
        state.save_base([BaseRow("a", sha, 1, sha, None, None, 0)])
        state.save_base([BaseRow("a", "now", 1, "now", None, None, 0)])
    assert state.older(["a"]) == {"a": {*versions[-OLDER_PER_PATH + 2 :], "0", "now"}}
    state.apply(older=(("b", sha) for sha in versions))
    assert len(state.older(["b"])["b"]) == OLDER_PER_PATH


def test_of_all_paths_the_latest_older_versions_are_known(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite", older_rows=10)
    for n in range(30):
        state.apply(older=[(f"files/{n}", "x")])
    assert len(state.older(f"files/{n}" for n in range(30))) == 10
    assert state.older(["files/29"]) == {"files/29": {"x"}}
    state.close()


def test_what_is_forgotten_leaves_no_older_version(state: State) -> None:
    state.save_base([BaseRow("a", "x", 1, "x", None, None, 0)])
    state.forget(["a"])
    assert (state.base_rows(), state.older(["a"])) == ({}, {})


# --- damage that shows late, other failures ---------------------------------------------


def with_one_row(path: Path) -> None:
    state = State(path)
    state.save_base([row("some/path")])
    state.close()


def broken_text(path: Path) -> None:
    """A text that is no UTF-8: SQLite does not mind until it is read."""
    with_one_row(path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE base SET sha256 = CAST(x'ff00ff' AS TEXT)")
    db.close()


def wrong_type(path: Path) -> None:
    with_one_row(path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE base SET tag = x'616263'")
    db.close()


def half_a_stat(path: Path) -> None:
    with_one_row(path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE base SET inode = NULL")
    db.close()


def lost_column(path: Path) -> None:
    State(path).close()
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE journal RENAME COLUMN etag TO etaf")
    db.close()


def torn_schema(path: Path) -> None:
    """SQLite quotes a name of it in its complaint, and that is no UTF-8."""
    State(path).close()
    body = path.read_bytes()
    path.write_bytes(body.replace(b"CREATE TABLE history", b"CREATE TABLE \xffistory"))


@pytest.mark.parametrize("breaks", [wrong_type, half_a_stat, lost_column, torn_schema])
def test_rows_that_make_no_sense_are_a_broken_state(path: Path, breaks: object) -> None:
    assert callable(breaks)
    breaks(path)
    state = State(path)
    assert state.recovered is not None
    assert state.base_rows() == {}
    state.close()


def test_damage_that_is_met_later_ends_one_operation_and_no_other(path: Path) -> None:
    broken_text(path)
    state = State(path)
    assert state.recovered is None
    with pytest.raises(LocalError, match="moved aside") as caught:
        state.base_rows()
    assert "nothing was lost" in caught.value.hint
    assert state.recovered is not None
    assert state.base_rows() == {}
    state.save_base([row("a")])
    state.close()
    assert len(list(path.parent.glob("state.db.corrupt-*"))) == 1
    again = State(path)
    assert set(again.base_rows()) == {"a"}
    again.close()


def test_a_reader_leaves_what_it_cannot_read(path: Path) -> None:
    broken_text(path)
    was = path.read_bytes()
    reader = State(path, read_only=True)
    with pytest.raises(LocalError):
        reader.base_rows()
    reader.close()
    assert path.read_bytes() == was


def test_a_document_with_a_flipped_bit_is_fetched_again(path: Path) -> None:
    state = State(path)
    state.save_docs({"a": ("1", b'{"entries":{}}'), "b": ("2", b"intact")})
    with sqlite3.connect(path) as db:
        db.execute(
            "UPDATE docs SET body = CAST(substr(body, 1, 20) || x'00' AS BLOB) WHERE key = 'a'"
        )
    db.close()
    assert state.doc("a", "1") is None
    assert state.docs() == {"b": ("2", b"intact")}
    assert state.doc_etags() == {"b": "2"}, "what is damaged is to be kept again"
    assert (state.doc("b", "2"), state.doc("b", "1"), state.doc("c", "1")) == (
        b"intact",
        None,
        None,
    )
    with sqlite3.connect(path) as db:
        db.execute("UPDATE docs SET etag = '3' WHERE key = 'b'")
    db.close()
    assert state.docs() == {}
    state.close()


def test_a_state_that_another_process_locks_is_told(state: State, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    second = State(path, busy_s=0.05)
    with pytest.raises(LocalError, match="locked"):
        second.save_base([row("a")])
    other.execute("ROLLBACK")
    other.close()
    second.save_base([row("a")])
    second.close()
    assert set(state.base_rows()) == {"a"}


def test_a_full_disk_is_told_and_what_was_saved_stays(state: State, path: Path) -> None:
    state.save_base([row("a")])
    most = path.with_name(path.name + "-wal").stat().st_size + 4096
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(LocalError, match=r"full|disk") as caught:
            state.save_base([row(f"some/long/path/{n}") for n in range(2000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.hint
    assert set(state.base_rows()) == {"a"}
    state.save_base([row("b")])
    assert set(state.base_rows()) == {"a", "b"}


def test_a_disk_that_is_read_only_now_is_told_and_the_file_stays(path: Path) -> None:
    file = StateFile(path, SCHEMA)
    file.rows("PRAGMA query_only=ON")  # SQLite then answers as on such a disk
    with pytest.raises(LocalError, match="readonly"), file.write() as db:
        db.execute("INSERT INTO facts VALUES ('a', 'b')")
    assert file.recovered is None
    file.close()
    assert not list(path.parent.glob("*.corrupt-*"))


def test_a_commit_is_on_the_disk_before_it_returns(path: Path) -> None:
    """`synchronous=FULL`: SQLite itself tells what it was asked for."""
    file = StateFile(path, SCHEMA)
    assert file.rows("PRAGMA synchronous") == [(2,)]
    assert file.rows("PRAGMA journal_mode") == [("wal",)]
    file.close()


# --- many journal rows at once ----------------------------------------------------------


def test_writers_that_come_at_once_share_a_write() -> None:
    first, go = threading.Event(), threading.Event()
    written: list[list[int]] = []

    def write(rows: list[int]) -> None:
        first.set()
        go.wait()
        written.append(rows)

    together: Together[int] = Together(write)
    threads = [threading.Thread(target=together.add, args=([n],)) for n in range(8)]
    threads[0].start()
    first.wait()
    for thread in threads[1:]:
        thread.start()
    while together.waiting < 7:
        go.wait(0.001)
    go.set()
    for thread in threads:
        thread.join()
    assert written[0] == [0]
    assert sorted(written[1]) == list(range(1, 8))
    assert len(written) == 2


def test_a_write_that_fails_fails_for_each_of_them() -> None:
    def write(rows: list[int]) -> None:
        raise LocalError("the disk is full")

    together: Together[int] = Together(write)
    for _ in range(2):
        with pytest.raises(LocalError, match="full"):
            together.add([1])


def test_all_rows_are_those_of_the_file_whoever_wrote_to_it(tmp_path: Path) -> None:
    """They are held between two askings, and must never be those of before."""
    path = tmp_path / "state.sqlite"
    state, other = State(path), State(path)
    first, second = (BaseRow(rel, "a" * 64, 5, "tag", None, STAT, 1) for rel in ("a", "b"))
    state.save_base([first])
    state.base_rows().clear()  # whoever asked may do with it as it likes
    assert state.base_rows() == {"a": first}
    other.save_base([second])
    assert state.base_rows() == {"a": first, "b": second}
    state.restat([("a", None, 0)])
    assert state.base_rows()["a"].stat is None
    state.forget(["a"])
    assert state.base_rows() == {"b": second} == other.base_rows()
    state.close()
    other.close()


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_are_held_move_as_the_file_does(path: Path, seed: int) -> None:
    """Also where a move fails, and where another connection moved the file before."""
    dice, state, other = random.Random(seed), State(path), State(path)
    for _ in range(40):
        _move(state if dice.random() < 0.8 else other, dice)
        seen = State(path)
        assert state.base_rows() == seen.base_rows()
        seen.close()
    state.close()
    other.close()


def _move(state: State, dice: random.Random) -> None:
    rels = dice.sample("abcdef", dice.randint(0, 4))
    rows = [row(rel, sha256=dice.choice("ab") * 64, stat=dice.choice([STAT, None])) for rel in rels]
    match dice.randrange(5):
        case 0:
            state.apply(save=rows, drop=dice.sample("abcdef", 2))
        case 1:
            state.drop_base(rels)
        case 2:
            state.forget(iter(rels))
        case 3:
            state.restat((r.rel, r.stat, dice.randint(0, 9)) for r in rows)
        case _:
            _fails(state, rows)


def _fails(state: State, rows: list[BaseRow]) -> None:
    """A move that SQLite refuses half way."""
    unfit = BaseRow("unfit", "a" * 64, 1 << 70, "tag", None, None, 0)
    with pytest.raises(OverflowError):
        state.save_base([*rows, unfit])


def test_a_word_about_the_base_holds_until_it_moves(path: Path, state: State) -> None:
    state.save_base([row("a")])
    moves: dict[str, Callable[[], None]] = {
        "save": lambda: state.save_base([row("b")]),
        "drop": lambda: state.drop_base(["b"]),
        "restat": lambda: state.restat([("a", None, 43)]),
        "forget": lambda: state.forget(["a"]),
    }
    for name, move in moves.items():
        state.say_about_base(name, moves=state.moves)
        other = State(path)
        assert (state.about_base(), other.about_base()) == (name, name)
        other.close()
        move()
        assert state.about_base() is None


def test_a_word_about_the_base_holds_though_files_were_read_again(state: State) -> None:
    state.save_base([row("a")])
    state.say_about_base("it", moves=state.moves)
    state.base_rows()
    state.restat([("a", STAT, 43), ("gone", None, 43)])
    assert (state.about_base(), state.base_rows()["a"].verified_ns) == ("it", 43)


def test_a_word_about_a_base_that_moved_meanwhile_is_not_kept(state: State) -> None:
    before = state.moves
    state.save_base([row("a")])
    state.say_about_base("as it was", moves=before)
    assert state.about_base() is None
