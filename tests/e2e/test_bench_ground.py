"""The benchmark's own tools against a real server: nothing counts that was not done."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import contents, limit
from benchmarks.cold import Pulling, Pushing
from benchmarks.ground import Ground
from benchmarks.kept import Changed, Nothing, Renamed
from benchmarks.load import FORMS
from benchmarks.peers import Peer, Spot, peers
from benchmarks.runs import Command, RunFailed, run
from benchmarks.standing import Counted
from benchmarks.works import GOALS, Task, Work
from tests.servers import Server

SIZE = 5120
COPIER = """
import sys
from pathlib import Path
import obstore
from obstore.store import S3Store
endpoint, key, secret, bucket, files, skipped = sys.argv[1:]
store = S3Store(bucket, endpoint=endpoint, access_key_id=key, secret_access_key=secret,
    region="us-east-1", virtual_hosted_style_request=False, client_options={"allow_http": True})
root = Path(files)
for path in sorted(root.rglob("*.bin"))[int(skipped):]:
    obstore.put(store, path.relative_to(root).as_posix(), path)
"""


def copier(tmp_path: Path, skipped: int = 0) -> Peer:
    """A peer that sends everything anew, without the first few files."""
    script = tmp_path / "copier.py"
    script.write_text(COPIER)
    words = f"{script} {{endpoint}} {{key}} {{secret}} {{bucket}} {{files}}"
    given = {"all": f"{words} 0", "some": f"{words} {skipped}"}
    return Peer("copier", Path(sys.executable), "--version", (), dict.fromkeys(Work, given), {}, {})


def ground(
    server: Server, tmp_path: Path, work: Work, *, peer: Peer | None = None, count: int = 3
) -> Ground:
    task = Task(name=str(work), work=work, count=count, size=SIZE, goal=GOALS[work])
    return Ground(server, tmp_path, [peer] if peer else [], task)


# --- runs -----------------------------------------------------------------------------------


def test_a_run_costs_what_the_program_costs_and_not_what_we_do(tmp_path: Path) -> None:
    ours = bytearray(200_000_000)
    programs = {"small": "pass", "large": "b = bytearray(100_000_000)"}
    found = {}
    for name, program in programs.items():
        command = Command(
            argv=[sys.executable, "-I", "-S", "-c", program], environ={}, cwd=tmp_path
        )
        found[name] = run(command, tmp_path / "log")
    assert len(ours) > found["large"].peak_mb * 1e6 > 100_000_000
    assert found["small"].peak_mb < 60
    assert 0 < found["small"].processor_s <= found["small"].seconds * 2


def test_a_program_that_fails_ends_the_work_with_its_words(tmp_path: Path) -> None:
    program = "import sys; print('what it says'); sys.exit(3)"
    command = Command(argv=[sys.executable, "-c", program], environ={}, cwd=tmp_path)
    with pytest.raises(RunFailed, match=r"ended with 3:\nwhat it says"):
        run(command, tmp_path / "log")


# --- the bare generator ---------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_the_bare_generator_does_the_work(weed: Server, tmp_path: Path, form: str) -> None:
    place = ground(weed, tmp_path, Work.PUSH, count=70)
    bucket, keys = place.bucket(), list(place.wanted)
    place.bare(limit.puts(weed, bucket, keys, SIZE), form)
    first = contents.of_bucket(weed, bucket)
    assert set(first) == set(keys)
    place.bare(limit.gets(weed, bucket, keys), form)
    place.bare(limit.pieces(weed, bucket, keys, SIZE, 2048), form)
    place.bare(limit.listing(weed, bucket, "data/"), form)
    pairs = [(key, f"moved/{key}") for key in keys]
    place.bare(limit.moves(weed, bucket, pairs, bulk=form == "threads"), form)
    assert contents.of_bucket(weed, bucket) == {new: first[old] for old, new in pairs}


@pytest.mark.parametrize("form", FORMS)
def test_the_bare_generator_takes_no_refusal_for_an_answer(
    weed: Server, tmp_path: Path, form: str
) -> None:
    place = ground(weed, tmp_path, Work.PUSH)
    keys = [f"nowhere-{number}" for number in range(4)]
    with pytest.raises(RunFailed, match="the bare generator"):
        place.bare(limit.gets(weed, place.bucket(), keys), form)


def test_large_bodies_arrive_whole(weed: Server, tmp_path: Path) -> None:
    place = ground(weed, tmp_path, Work.PUSH)
    bucket, size = place.bucket(), 3 << 20
    place.bare(limit.puts(weed, bucket, ["large", "other"], size), "threads")
    place.bare(limit.gets(weed, bucket, ["large", "other"]), "threads")
    sizes = {entry["size"] for entry in contents.listed(contents.store_of(weed, bucket))}
    assert sizes == {size}


# --- what is looked at after every run ------------------------------------------------------


@pytest.mark.parametrize("stage", [Pushing, Pulling])
def test_ours_and_the_bare_generator_go_over_the_whole_ground(
    weed: Server, tmp_path: Path, stage: type[Pushing] | type[Pulling]
) -> None:
    work = Work.PUSH if stage is Pushing else Work.PULL
    played = stage(ground(weed, tmp_path, work, peer=copier(tmp_path)))
    assert played.ours().seconds > 0
    assert played.bare("one loop").seconds > 0
    assert not list(played.ground.source.glob(".*"))


def test_a_peer_that_left_files_out_does_not_count(weed: Server, tmp_path: Path) -> None:
    stage = Pushing(ground(weed, tmp_path, Work.PUSH, peer=copier(tmp_path, skipped=2)))
    peer = stage.ground.peers[0]
    assert stage.peer(peer, "all").seconds > 0
    with pytest.raises(RunFailed, match="copier, the bucket: 2 missing"):
        stage.peer(peer, "some")


def test_a_directory_that_is_not_the_source_is_told(tmp_path: Path) -> None:
    contents.fill(tmp_path / "a", 3, SIZE)
    contents.fill(tmp_path / "b", 4, SIZE, seed=2)
    one, other = contents.of_directory(tmp_path / "a"), contents.of_directory(tmp_path / "b")
    with pytest.raises(RunFailed, match=r"here: 1 missing \(.*3.bin\); 3 different"):
        contents.same(one, other, "here")
    with pytest.raises(RunFailed, match="1 too many"):
        contents.same(other, dict(list(other.items())[1:]), "here")
    contents.same(one, dict(one), "here")


def test_nothing_to_do_is_nothing_written(weed: Server, tmp_path: Path) -> None:
    stage = Nothing(ground(weed, tmp_path, Work.NOTHING, peer=copier(tmp_path)))
    stage.ours()
    assert stage.counted().requests in (1, 2)
    assert stage.bare("one loop").seconds > 0
    before = {key: (key, datetime.now(UTC)) for key in ("a", "b")}
    with pytest.raises(RunFailed, match="though nothing had changed"):
        stage.compared("s3dash", before, {**before, "b": ("z", datetime.now(UTC))})


def test_one_change_is_one_object_of_ours(weed: Server, tmp_path: Path) -> None:
    stage = Changed(ground(weed, tmp_path, Work.CHANGED, peer=copier(tmp_path)))
    stage.ours()
    stage.peer(stage.ground.peers[0], "all")
    assert stage.counted() == Counted()  # no goal bounds it
    with pytest.raises(RunFailed, match="s3dash wrote 0 objects"):
        stage.compared("s3dash", {}, {})


def test_a_rename_sends_no_file_and_comes_back(weed: Server, tmp_path: Path) -> None:
    stage = Renamed(ground(weed, tmp_path, Work.RENAME, peer=copier(tmp_path)))
    stage.ours()
    for form in stage.forms:
        stage.bare(form)
    assert stage.counted().uploaded == 0
    with pytest.raises(RunFailed, match="copier, the bucket: 3 too many"):
        stage.peer(stage.ground.peers[0], "all")


# --- the peers ------------------------------------------------------------------------------


def test_every_peer_knows_every_work_and_shows_no_secret(weed: Server, tmp_path: Path) -> None:
    (tmp_path / "lib" / "python3.11").mkdir(parents=True)
    spot = Spot(bucket="the-bucket", files=tmp_path / "files", home=tmp_path / "home")
    for peer in peers(tmp_path):
        for work in Work:
            for way in peer.ways[work]:
                command = peer.command(work, way, weed, spot)
                assert "the-bucket" in " ".join(command.argv)
                assert not [word for word in command.argv if "{" in word]
                assert weed.secret_key not in command.argv
