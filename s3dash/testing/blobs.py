"""The contract of a store of blobs, as tests: subclass `BlobStoreTests` and give a store.

    class TestMine(BlobStoreTests):
        @pytest.fixture
        def blobs(self) -> Iterator[BlobStore]:
            with open_an_empty_one() as opened:
                yield BlobStore(opened)

Numbers in the names are those of the scenarios that s3dash builds. What lies in the bucket is
looked at and bent through `blobs.opened.store`.
"""

import hashlib
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from s3dash.errors import Integrity, NotFound, UsageError
from s3dash.stores.blobs import keys, sri
from s3dash.stores.blobs.store import BlobStore

BODY = b"hello world"
WRONG = b"hello worle"
SIZES = (0, 1, (8 << 20) + 1, (16 << 20) + 1)
"""Nothing, a little, and enough to be staged on disk, and to be sent in parts."""


class BlobStoreTests:
    """Every test has an empty store of its own from the fixture `blobs`."""

    @pytest.fixture
    def many(self) -> int:
        """Blobs of the test that needs several pages of a listing."""
        return 2500

    # --- keys ---------------------------------------------------------------------------

    def test_bl_01_a_blob_lies_under_its_integrity_in_hex(self, blobs: BlobStore) -> None:
        put = blobs.put(BODY)
        assert put.key == f"{blobs.prefix}/{put.integrity.encode().hex()}"
        assert blobs.opened.store.head(put.key).size == len(BODY)

    @pytest.mark.parametrize("algorithm", sri.ALGORITHMS)
    def test_bl_03_every_algorithm_names_a_blob(
        self, blobs: BlobStore, algorithm: sri.Algorithm
    ) -> None:
        put = blobs.put(BODY, algorithm=algorithm)
        assert put.integrity == sri.of(BODY, algorithm)
        assert blobs.get(put.integrity) == BODY

    def test_bl_03_of_alternatives_the_strongest_is_compared(self, blobs: BlobStore) -> None:
        both = f"{sri.of(WRONG, 'sha256')} {sri.of(BODY, 'sha384')}"
        blobs.put(BODY, both)
        assert blobs.get(both) == BODY
        with pytest.raises(Integrity):
            blobs.put(BODY, f"{sri.of(BODY, 'sha256')} {sri.of(WRONG, 'sha384')}")

    @pytest.mark.parametrize("name", ["", "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=", "sha512-AbC+/def=="])
    def test_bl_03_a_strict_put_refuses_what_is_no_digest(
        self, blobs: BlobStore, name: str
    ) -> None:
        with pytest.raises(UsageError):
            blobs.put(BODY, name)
        assert list(blobs.list()) == []

    def test_bl_03_an_opaque_put_keeps_a_separate_sha256(self, blobs: BlobStore) -> None:
        blobs.put(BODY, "left-pad@1.3.0", opaque=True)
        assert blobs.get("left-pad@1.3.0") == BODY
        found = blobs.look("left-pad@1.3.0")
        assert found is not None
        assert dict(found.metadata)["sha256"] == hashlib.sha256(BODY).hexdigest()
        blobs.opened.store.put(found.key, WRONG, metadata=dict(found.metadata))
        with pytest.raises(Integrity):
            blobs.get("left-pad@1.3.0")

    def test_bl_03_an_opaque_name_stands_for_one_content(self, blobs: BlobStore) -> None:
        blobs.put(BODY, "left-pad@1.3.0", opaque=True)
        with pytest.raises(Integrity):
            blobs.put(WRONG, "left-pad@1.3.0", opaque=True)
        assert blobs.get("left-pad@1.3.0") == BODY

    # --- putting ------------------------------------------------------------------------

    def test_bl_04_put_twice_makes_one_object(self, blobs: BlobStore) -> None:
        first, second = blobs.put(BODY), blobs.put(BODY)
        assert (first.outcome, second.outcome) == ("created", "there")
        assert [one.key for one in blobs.opened.store.list()] == [first.key]

    def test_bl_04_many_puts_at_once_make_one_object(self, blobs: BlobStore) -> None:
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: blobs.put(BODY), range(16)))
        assert {one.outcome for one in done} <= {"created", "there"}
        assert [one.key for one in blobs.opened.store.list()] == [done[0].key]
        assert blobs.get(done[0].integrity) == BODY

    def test_bl_04_the_wrong_bytes_are_refused_before_anything_is_sent(
        self, blobs: BlobStore, tmp_path: Path
    ) -> None:
        before = blobs.opened.store.usage.requests
        (tmp_path / "f").write_bytes(WRONG)
        puts: tuple[Callable[[], object], ...] = (
            lambda: blobs.put(WRONG, sri.of(BODY)),
            lambda: blobs.put_file(tmp_path / "f", sri.of(BODY)),
            lambda: blobs.put_stream(io.BytesIO(WRONG), sri.of(BODY)),
        )
        for put in puts:
            with pytest.raises(Integrity) as caught:
                put()
            assert (caught.value.expected, caught.value.actual) == (sri.of(BODY), sri.of(WRONG))
        assert blobs.opened.store.usage.requests == before

    def test_bl_04_a_damaged_blob_is_mended_by_the_next_put(self, blobs: BlobStore) -> None:
        for wrong in (WRONG, b"short"):
            key = blobs.key(sri.of(BODY))
            blobs.opened.store.put(key, wrong)
            assert blobs.put(BODY).outcome == "healed"
            assert blobs.get(sri.of(BODY)) == BODY

    @pytest.mark.parametrize("size", SIZES)
    def test_bl_04_files_and_streams_of_any_size_round_trip(
        self, blobs: BlobStore, tmp_path: Path, size: int
    ) -> None:
        source, target, body = tmp_path / "source", tmp_path / "target", os.urandom(size)
        source.write_bytes(body)
        sent, came = list[int](), list[int]()
        put = blobs.put_file(source, on_bytes=sent.append)
        assert (put.integrity, put.size, put.outcome) == (sri.of(body), size, "created")
        assert blobs.put_stream(io.BytesIO(body)).outcome == "there"
        assert blobs.save(put.integrity, target, on_bytes=came.append).size == size
        assert target.read_bytes() == body
        assert sum(sent) == sum(came) == size
        with blobs.open(put.integrity) as file:
            assert file.read() == body

    # --- getting ------------------------------------------------------------------------

    def test_bl_05_a_missing_blob_is_none_in_one_request(self, blobs: BlobStore) -> None:
        blobs.put(BODY)
        before = blobs.opened.store.usage.requests
        assert blobs.get(sri.of(WRONG)) is None
        assert blobs.opened.store.usage.requests == before + 1

    def test_bl_05_as_a_mapping_it_raises_key_error(self, blobs: BlobStore) -> None:
        name = sri.of(BODY)
        with pytest.raises(KeyError):
            blobs[name]
        with pytest.raises(KeyError):
            del blobs[name]
        blobs[name] = BODY
        assert blobs[name] == BODY
        assert name in blobs
        assert (list(blobs), len(blobs)) == ([name], 1)
        del blobs[name]
        assert name not in blobs
        with pytest.raises(NotFound), blobs.open(name):
            pass

    def test_bl_06_tampered_bytes_raise_with_expected_and_actual(
        self, blobs: BlobStore, tmp_path: Path
    ) -> None:
        put = blobs.put(BODY)
        blobs.opened.store.put(put.key, WRONG)
        target = tmp_path / "target"
        target.write_bytes(b"what was there")

        def opens() -> None:
            with blobs.open(put.integrity):
                raise AssertionError("bytes were handed out that were not verified")

        for read in (
            lambda: blobs.get(put.integrity),
            lambda: blobs[put.integrity],
            lambda: blobs.save(put.integrity, target),
            opens,
        ):
            with pytest.raises(Integrity) as caught:
                read()
            assert (caught.value.expected, caught.value.actual) == (put.integrity, sri.of(WRONG))
        assert target.read_bytes() == b"what was there"
        assert [path.name for path in tmp_path.iterdir()] == ["target"]

    def test_bl_06_nobody_bends_a_digest_by_metadata(self, blobs: BlobStore) -> None:
        put = blobs.put(BODY)
        bent = {"sha256": hashlib.sha256(WRONG).hexdigest()}
        blobs.opened.store.put(put.key, WRONG, metadata=bent)
        with pytest.raises(Integrity):
            blobs.get(put.integrity)

    # --- deleting and listing -----------------------------------------------------------

    def test_bl_07_deleting_a_missing_blob_is_fine(self, blobs: BlobStore) -> None:
        blobs.delete(sri.of(BODY))
        put = blobs.put(BODY)
        blobs.delete(put.integrity)
        blobs.delete(put.integrity)
        assert not blobs.has(put.integrity)

    def test_bl_07_a_listing_skips_what_is_no_blob(self, blobs: BlobStore) -> None:
        put = blobs.put(BODY)
        start = keys.below(blobs.prefix)
        for odd in (f"{start}zzz", f"{start}abc", f"{start}ff", f"{start}a/b", "elsewhere/6161"):
            blobs.opened.store.put(odd, b"x")
        (found,) = blobs.list()
        assert (found.integrity, found.key, found.size) == (put.integrity, put.key, len(BODY))

    def test_bl_07_many_blobs_are_listed_page_by_page(self, blobs: BlobStore, many: int) -> None:
        names = {sri.of(str(number).encode(), "sha256") for number in range(many)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: blobs.opened.store.put(blobs.key(name), b""), names))
        found = [blob.integrity for blob in blobs.list()]
        assert len(found) == many
        assert set(found) == names
