"""Looking up what was left out, below a path or one that is only begun."""

from hypothesis import given
from hypothesis import strategies as st

from s3dash.core.hydration import Below, Hydrated, LeftOut
from s3dash.core.paths import covers

FOUND = LeftOut({"data/a/1/raw": 1, "data/a/2/raw": 20, "data/a.b/raw": 300, "data/b/raw": 4000})
SEGMENT = st.sampled_from(["a", "a.b", "a-", "b", "é", "data", "raw"])
PATHS = st.dictionaries(
    st.lists(SEGMENT, min_size=1, max_size=4).map("/".join), st.integers(0, 100), max_size=30
)


def test_a_path_brings_all_below_it() -> None:
    assert FOUND.below("", most=9) == Below(4, 4321, ("data/",))
    assert FOUND.below("data/a", most=9) == Below(2, 21, ("data/a.b/", "data/a/"))
    assert FOUND.below("data/a/", most=9) == Below(2, 21, ("data/a/1/", "data/a/2/"))
    assert FOUND.below("data/a/1/raw", most=9) == Below(1, 1, ("data/a/1/raw",))
    assert FOUND.below("/data/b", most=9).bytes == 4000


def test_a_path_that_is_only_begun_has_names() -> None:
    assert FOUND.below("da", most=9) == Below(0, 0, ("data/",))
    assert FOUND.below("data/a/", most=1).names == ("data/a/1/",)
    assert FOUND.below("logs", most=9) == Below()
    assert LeftOut({}).below("", most=9) == Below()


@given(PATHS, st.lists(SEGMENT, max_size=3).map("/".join))
def test_it_is_what_covers_says(sizes: dict[str, int], path: str) -> None:
    below = LeftOut(sizes).below(path, most=1000)
    wanted = {rel: n for rel, n in sizes.items() if not path or covers({path}, rel)}
    assert (below.files, below.bytes) == (len(wanted), sum(wanted.values()))
    begun = {rel for rel in sizes if rel.startswith(path)}
    assert all(any(rel.startswith(name) for rel in begun) for name in below.names)
    assert all(any(rel.startswith(name) for name in below.names) for rel in begun)
    assert len(set(below.names)) == len(below.names)


def test_a_share_is_by_bytes() -> None:
    assert Hydrated(1, 4, 25, 100).share == 0.25
    assert Hydrated().share == 1.0
