"""Proofs 13 and 14: how the bucket is reached, and what it does to objects by itself."""

from collections.abc import Sequence

from s3dash.errors import NotImplementedByEndpoint
from s3dash.objectstore.abandoned import abandoned, sentence
from s3dash.objectstore.examination import Rule
from s3dash.objectstore.probe_base import NO_ENDPOINT, ROOT, Broken, Probe, need


def addressing(probe: Probe) -> str:
    """Probe 13: path or virtual-hosted style, and whether the region is the bucket's own."""
    examination = probe.examination
    if examination is None:
        return NO_ENDPOINT
    style = examination.style()
    other = f"{style.other} too" if style.works else f"{style.other} not ({style.why})"
    signed, named = examination.regions()
    need(
        named in ("", signed) or signed == "auto",
        f'the bucket is in {named}, requests are signed for {signed}: set `region` to "{named}"',
    )
    whose = "as the bucket says" if named == signed else "which the endpoint takes"
    return f"{style.configured} style works, {other}; region {signed}, {whose}"


def versioning(probe: Probe) -> str:
    """Probe 14: whether a version that somebody overwrites can be had back."""
    examination = probe.examination
    if examination is None:
        return NO_ENDPOINT
    try:
        found = examination.versioning()
    except NotImplementedByEndpoint:
        return "the endpoint knows no versions; what another client overwrites is gone there"
    if found == "Enabled":
        return "on: what another client overwrites can be had back from the bucket"
    return f"{found.lower()}: what another client overwrites is gone from the bucket for good"


def lifecycle(probe: Probe, *, prefix: str) -> str:
    """Probe 14: rules that would take our objects away, or uploads that rest.

    `prefix` is the store's own, with its slash: rules name whole keys.
    """
    examination = probe.examination
    if examination is None:
        return NO_ENDPOINT
    try:
        rules = [r for r in examination.lifecycle() if touches(r.prefix, prefix)]
    except NotImplementedByEndpoint:
        return "the endpoint has no lifecycle rules: nothing goes by itself"
    harmful = [_harm(rule) for rule in rules if rule.expires or rule.cold]
    if harmful:
        raise Broken("; ".join(harmful))
    return ", ".join(["nothing of ours expires", *_old_versions(rules), _uploads(rules)])


def unfinished(probe: Probe) -> str:
    """Uploads in parts that somebody began long ago; those of a proof under way are none."""
    found = [one for one in abandoned(probe.store) if not one.key.startswith(ROOT)]
    need(not found, sentence(found))
    return "nobody left an upload unfinished for more than 7 days"


def touches(rule: str, ours: str) -> bool:
    """Whether a rule for the prefix `rule` meets keys below the prefix `ours`."""
    return rule.startswith(ours) or ours.startswith(rule)


def _harm(rule: Rule) -> str:
    what = "deletes objects" if rule.expires else "moves objects where they cannot be read at once"
    some = ", of some tag or size" if rule.narrowed else ""
    return f"rule {rule.name!r} {what} below {rule.prefix or 'the whole bucket'!r}{some}"


def _old_versions(rules: Sequence[Rule]) -> list[str]:
    days = [rule.old_versions_days for rule in rules if rule.old_versions_days]
    return [f"old versions go after {min(days)} days"] if days else []


def _uploads(rules: Sequence[Rule]) -> str:
    days = [rule.abort_days for rule in rules if rule.abort_days]
    if not days:
        return "no rule aborts unfinished uploads: what they hold is paid for until it is aborted"
    return f"unfinished uploads go after {min(days)} days: a push resumed later starts anew"
