"""What a migration and a repair plan and report, as values."""

import msgspec
import pytest

from s3dash.core.foreign import Facts, Foreign, ForeignReport, decide
from s3dash.core.moves import (
    Kept,
    Migrated,
    MigrationPlan,
    Record,
    decode_record,
    encode_record,
    place_name,
)
from s3dash.core.report import PlanRow

RECORD = Record(phase="copying", to="web", by="ann@ci", at="2026-01-01T00:00:00.000Z")
ROW = PlanRow("files/a", "copy", "to namespace web", 3)
PLAN = MigrationPlan(namespace="web", to_solo=False, rows=(ROW,), cache_files=1)
REPORT = ForeignReport(
    namespace="infra",
    applied=True,
    foreign=(Foreign(path="infra/web/x", home="web/x", action="keep", reason="odd", size=1),),
)


def test_a_record_is_what_it_was() -> None:
    assert decode_record(encode_record(RECORD)) == RECORD
    assert RECORD.target == "web"
    assert Record(phase="done", to="", by="", at="").target is None


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"phase":"gone","to":"","by":"","at":""}', b"\xff"]
)
def test_what_is_no_record_is_none(raw: bytes) -> None:
    assert decode_record(raw) is None


def test_unknown_fields_of_a_record_are_no_obstacle() -> None:
    later = encode_record(RECORD).replace(b'"version"', b'"later": 1, "version"')
    assert decode_record(later) == RECORD


@pytest.mark.parametrize("value", [PLAN, REPORT, Migrated(namespace="web", to_solo=True)])
def test_values_can_be_sent_as_they_are(value: object) -> None:
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value


def test_a_plan_counts_what_is_copied_alone() -> None:
    rows = (ROW, PlanRow("files/b", "delete", "the same is there", 100))
    assert MigrationPlan(namespace="web", to_solo=False, rows=rows).size == 3
    assert MigrationPlan(namespace="web", to_solo=False).nothing
    assert not PLAN.nothing


def test_a_dry_run_is_told_as_one() -> None:
    document = PLAN.as_result().document()
    assert (document["action"], document["dry_run"], document["cache_files"]) == (
        "migrate",
        True,
        1,
    )
    assert list(document["plan"]) == [
        {"path": "files/a", "action": "copy", "reason": "to namespace web", "size": 3}
    ]


def test_what_stays_is_exit_code_3_but_not_in_a_plan() -> None:
    kept = (Kept(path="files/a", reason="odd"),)
    assert Migrated(namespace="web", to_solo=False, kept=kept).exit_code == 3
    assert Migrated(namespace="web", to_solo=False).exit_code == 0
    plan = MigrationPlan(namespace="web", to_solo=False, kept=kept)
    assert plan.as_result().exit_code == 0
    assert REPORT.exit_code == 3
    assert ForeignReport(namespace="web", applied=False, foreign=REPORT.foreign).exit_code == 0


def test_places_have_names() -> None:
    assert (place_name(None), place_name("web")) == ("the solo layout", "namespace web")


@pytest.mark.parametrize(
    ("rel", "facts", "action"),
    [
        ("web/files/x", Facts(there=True, same=True), "drop"),
        ("web/files/x", Facts(there=True, same=True, indexed=True, entry_there=True), "drop"),
        ("web/files/x", Facts(there=True, same=True, indexed=True), "move"),
        ("web/files/x", Facts(there=True, same=True, indexed=True, withdrawn=True), "keep"),
        ("web/files/x", Facts(there=True), "keep"),
        ("web/files/x", Facts(is_object=False), "drop"),
        ("web/files/x", Facts(indexed=True), "move"),
        ("web/files/x", Facts(indexed=True, withdrawn=True), "keep"),
        ("web/files/x", Facts(indexed=True, entry_there=True), "keep"),
        ("web/files/x", Facts(), "keep"),
        ("web/odd/x", Facts(indexed=True), "keep"),
        ("web/_index/files.json", Facts(indexed=True), "keep"),
        ("web/data/t/id/.lock", Facts(indexed=True), "keep"),
        (".locks/web.lock", Facts(alive=True), "keep"),
        (".datastore.lock", Facts(), "set-aside"),
    ],
)
def test_nothing_that_is_nowhere_else_is_dropped(rel: str, facts: Facts, action: str) -> None:
    assert decide(rel, facts)[0] == action
