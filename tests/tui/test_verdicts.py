"""What verifying found, and for how long it holds."""

from s3dash.stores.explore.entry import Entry, Verdict
from s3dash.tui.verdicts import Verdicts

GOOD, BAD = Verdict(outcome="verified"), Verdict(outcome="damaged")


def entry(key: str, etag: str = "1") -> Entry:
    return Entry(key=key, name=key, kind="dir" if key.endswith("/") else "file", etag=etag)


def test_a_verdict_is_of_one_version() -> None:
    found = Verdicts()
    found.add(entry("a"), GOOD)
    assert found.of(entry("a")) is GOOD
    assert found.of(entry("a", "2")) is None
    assert found.of(entry("b")) is None


def test_damage_is_seen_from_all_directories_above_until_it_is_gone() -> None:
    found = Verdicts()
    found.add(entry("d/e/f"), BAD)
    found.add(entry("d/x"), GOOD)
    assert [found.has_damage(entry(one)) for one in ("d/", "d/e/", "e/", "")] == [
        True,
        True,
        False,
        False,
    ]
    assert found.damaged == 1
    found.add(entry("d/e/f", "2"), GOOD)
    assert (found.damaged, found.has_damage(entry("d/"))) == (0, False)
    found.add(entry("d/x"), BAD)
    found.forget(["d/x"])
    assert (found.damaged, found.has_damage(entry("d/"))) == (0, False)
    assert found.of(entry("d/x")) is None
