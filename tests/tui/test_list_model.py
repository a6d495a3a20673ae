from collections.abc import Callable, Sequence
from typing import overload

from s3dash.tui.widgets.list_model import SLICE, LineModel

MILLION = 1_000_000


class Counted(Sequence[str]):
    """A million rows that count how often one is looked at."""

    def __init__(self) -> None:
        self.looks = 0

    def __len__(self) -> int:
        return MILLION

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        assert isinstance(index, int)
        self.looks += 1
        if not 0 <= index < MILLION:
            raise IndexError
        return f"path/{index}"


def model(*rows: str) -> LineModel[str]:
    made: LineModel[str] = LineModel(str)
    made.set_rows(rows)
    return made


def shown(of: LineModel[str]) -> list[str]:
    return [of.row(line) for line in range(len(of))]


def test_loading_a_million_rows_looks_at_none_of_them() -> None:
    rows, made = Counted(), model()
    made.set_rows(rows)
    assert len(made) == MILLION
    assert rows.looks == 0


def test_moving_among_a_million_rows_looks_at_one() -> None:
    rows, made = Counted(), model()
    made.set_rows(rows)
    made.move(MILLION)
    assert made.current == f"path/{MILLION - 1}"
    assert rows.looks == 1


def test_new_rows_are_searched_for_the_old_one_nearby_first() -> None:
    made = model()
    made.set_rows(Counted())
    made.move(500_000)
    fresh = Counted()
    made.set_rows(fresh)
    assert made.current == "path/500000"
    assert fresh.looks < 10


def test_a_filter_works_in_slices() -> None:
    rows, made = Counted(), model()
    made.set_rows(rows)
    made.set_filter(lambda row: row.endswith("7"))
    assert rows.looks <= 20_001
    assert made.filtering
    while made.filter_some(300_000):
        assert made.filtering
    assert len(made) == MILLION // 10
    assert not made.filtering


def test_the_same_rows_are_not_taken_twice() -> None:
    rows = ("a", "b")
    made = model()
    assert made.set_rows(rows)
    assert not made.set_rows(rows)
    assert made.set_rows(rows, force=True)


def test_the_cursor_follows_its_row() -> None:
    made = model("a", "b", "c")
    made.move(1)
    made.set_rows(("0", "1", "2", "a", "b", "c"))
    assert made.current == "b"


def test_the_cursor_follows_its_row_from_afar() -> None:
    made = model("a", "b", "c")
    made.move(1)
    made.set_rows((*(str(n) for n in range(500)), "b"))
    assert made.current == "b"


def test_the_cursor_stays_on_its_line_when_the_row_is_gone() -> None:
    made = model("a", "b", "c")
    made.move(1)
    made.set_rows(("a", "c"))
    assert made.current == "c"


def test_without_rows_there_is_no_current_one() -> None:
    made = model()
    made.move(5)
    assert made.cursor == 0
    assert made.current is None


def test_moving_stops_at_the_ends() -> None:
    made = model("a", "b")
    assert made.move(-3) == 0
    assert made.move(9) == 1


def test_a_filter_hides_rows_and_keeps_the_cursor_on_its_own() -> None:
    made = model("apple", "bean", "apricot")
    made.move(2)
    made.set_filter(lambda row: row.startswith("a"))
    assert shown(made) == ["apple", "apricot"]
    assert made.current == "apricot"
    assert made.total == 3
    made.set_filter(None)
    assert made.current == "apricot"
    assert len(made) == 3


def test_an_order_sorts_what_the_filter_shows() -> None:
    made: LineModel[str] = LineModel(str, order=lambda row: -len(row))
    made.set_rows(("a", "ccc", "bb"))
    assert shown(made) == ["ccc", "bb", "a"]
    made.set_filter(lambda row: row != "bb")
    assert shown(made) == ["ccc", "a"]


def test_marks_follow_their_rows_and_go_with_them() -> None:
    made = model("a", "b", "c")
    assert made.toggle(1)
    made.set_rows(("c", "b"))
    assert made.is_marked(1)
    made.set_rows(("c",))
    assert made.marks == set()


def test_a_second_toggle_takes_the_mark_away() -> None:
    made = model("a")
    assert made.toggle(0)
    assert not made.toggle(0)
    assert not made.is_marked(0)


def test_a_range_goes_from_the_last_mark_in_either_direction() -> None:
    made = model("a", "b", "c", "d")
    made.toggle(2)
    made.mark_range(0)
    assert made.marks == {"a", "b", "c"}
    made.mark_none()
    made.mark_range(3)
    assert made.marks == {"d"}


def test_all_marks_what_the_filter_shows() -> None:
    made = model("apple", "bean")
    made.set_filter(lambda row: row == "bean")
    made.mark_all()
    assert made.marks == {"bean"}


def test_taking_a_filter_away_keeps_the_cursor_without_a_search() -> None:
    rows, made = Counted(), model()
    made.set_rows(rows)
    made.set_filter(lambda row: row == "path/15000")
    made.filter_some(MILLION)
    rows.looks = 0
    made.set_filter(None)
    assert made.current == "path/15000"
    assert rows.looks == 1


def test_an_ordered_list_keeps_its_cursor_through_a_filter() -> None:
    made: LineModel[str] = LineModel(str, order=lambda row: -len(row))
    made.set_rows(("a", "ccc", "bb"))
    made.move(2)
    made.set_filter(lambda row: row != "bb")
    assert made.current == "a"


def test_a_narrower_filter_looks_only_at_what_had_passed_and_at_the_rest() -> None:
    looked: list[int] = []

    def passes(factor: int) -> Callable[[int], bool]:
        def test(row: int) -> bool:
            looked.append(row)
            return row % factor == 0

        return test

    model: LineModel[int] = LineModel(str)
    model.set_rows(range(SLICE * 3))
    model.set_filter(passes(5))
    assert len(looked) == SLICE
    looked.clear()
    model.set_filter(passes(10), narrower=True)
    while model.filter_some():
        pass
    assert [model.row(line) for line in range(len(model))] == list(range(0, SLICE * 3, 10))
    assert len(looked) == SLICE // 5 + SLICE * 2
    looked.clear()
    model.set_filter(passes(5))
    while model.filter_some():
        pass
    assert len(looked) == model.total
    assert len(model) == SLICE * 3 // 5
    assert not model.filtering


def test_a_list_that_shrinks_below_a_cursor_far_down_keeps_it_on_a_row() -> None:
    model: LineModel[str] = LineModel(str)
    model.set_rows([f"{n}" for n in range(300)])
    model.move(250)
    model.set_rows([f"other {n}" for n in range(10)])
    assert model.current == "other 9"
    model.set_rows([])
    assert model.current is None
