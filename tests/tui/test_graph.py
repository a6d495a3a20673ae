from s3dash.tui.cells import plain, width
from s3dash.tui.look import Look, Site
from s3dash.tui.widgets import graph
from tests.tui.fake_engine import NOW, idle, settings


def test_a_graph_has_its_size_whatever_the_number_of_values() -> None:
    for count in (0, 3, 20, 500):
        lines = graph.rows([1.0] * count, 20, 4, 1.0)
        assert [len(line) for line in lines] == [20] * 4


def test_full_and_half_columns() -> None:
    assert graph.rows([0, 8, 16], 3, 2, 16.0) == ["  █", "▁██"]


def test_the_newest_value_stands_at_the_right() -> None:
    assert graph.rows([0, 0, 0, 9], 2, 1, 9.0) == ["▁█"]


def test_whatever_moves_stands_out_of_the_base_line() -> None:
    assert graph.rows([0, 1], 2, 1, 1e9) == ["▁▂"]


def test_both_directions_stand_side_by_side_with_their_peaks() -> None:
    site = Site(settings=settings(), snapshot=idle(), up=(0.0, 2048.0), down=(0.0, 0.0))
    lines = graph.throughput(Look(sites=(site,), current=0, now=NOW, mono=0.0), 80, 5)
    assert len(lines) == 5
    assert all(width(line) <= 80 for line in lines)
    assert "peak 2.00 KiB/s" in plain(lines[0])
    assert graph.throughput(Look(sites=(site,), current=0, now=NOW, mono=0.0), 12, 5) == []
