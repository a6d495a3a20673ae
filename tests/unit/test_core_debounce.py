"""A burst ends when it is quiet for a while, or has lasted long enough."""

from s3dash.core.debounce import Debounce


def test_nothing_is_never_due() -> None:
    debounce = Debounce()
    assert debounce.due_in(0.0) is None
    assert debounce.take(1e9) == set()


def test_a_burst_is_due_when_it_has_been_quiet() -> None:
    debounce = Debounce(quiet_s=0.5, longest_s=10.0)
    debounce.add("a", 100.0)
    debounce.add("b", 100.25)
    debounce.add("a", 100.25)
    assert debounce.due_in(100.25) == 0.5
    assert debounce.take(100.5) == set()
    assert debounce.due_in(100.75) == 0.0
    assert debounce.take(100.75) == {"a", "b"}
    assert debounce.due_in(100.75) is None


def test_every_event_puts_it_off_but_not_beyond_the_longest_wait() -> None:
    debounce = Debounce(quiet_s=0.5, longest_s=2.0)
    for tenth in range(19):
        debounce.add(str(tenth), 100.0 + tenth / 10)
        assert debounce.take(100.0 + tenth / 10) == set()
    assert debounce.take(101.99) == set()
    assert len(debounce.take(102.0)) == 19


def test_the_next_burst_begins_anew() -> None:
    debounce = Debounce(quiet_s=0.5, longest_s=2.0)
    debounce.add("a", 100.0)
    debounce.take(101.0)
    debounce.add("b", 200.0)
    assert debounce.due_in(200.0) == 0.5
    assert debounce.take(200.5) == {"b"}


def test_what_was_taken_is_the_callers_own() -> None:
    debounce = Debounce(quiet_s=0.0)
    debounce.add("a", 0.0)
    taken = debounce.take(0.0)
    debounce.add("b", 1.0)
    assert taken == {"a"}
