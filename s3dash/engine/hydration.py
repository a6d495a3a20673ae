"""Lazy hydration: whether this cache leaves content in the bucket, and bringing it when asked.

The sidecar says it to the plain clients on this cache, and is believed when they say it. Our own
note stands in where the sidecar is broken or gone.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

import msgspec

from s3dash.core.cancel import CancelToken
from s3dash.core.hydration import Below, Hydration, LeftOut
from s3dash.core.paths import unmatched
from s3dash.core.plan import Change
from s3dash.core.report import Result
from s3dash.core.sidecar import LOST
from s3dash.engine.context import Context
from s3dash.engine.observe import Observation
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.engine.view import View

_FACT = "lazy"


def is_lazy(ctx: Context) -> bool:
    """Whether what is not here may have been left in the bucket."""
    if ctx.settings.hydration == "lazy":
        return True
    sidecar = ctx.sidecar.read()
    if sidecar is LOST:
        return bool(ctx.state.facts(_FACT))
    return sidecar.lazyPullActive


def begin(ctx: Context, seen: Observation) -> None:
    """Say that this cache is lazy, before anything is left out: whoever comes later must know."""
    if not seen.lazy:
        return
    if not ctx.state.facts(_FACT):
        ctx.state.set(_FACT, "1")
    _say(ctx, lazy=True)


def looked(ctx: Context) -> None:
    """A cache that the configuration makes lazy says so from the first look on, should the
    configuration say otherwise one day; one that was never synced has nobody to tell."""
    if ctx.settings.hydration == "lazy" and ctx.sidecar.exists() and not ctx.state.facts(_FACT):
        ctx.state.set(_FACT, "1")
        _say(ctx, lazy=True)


def settle(ctx: Context, seen: Observation, *, wanted: Hydration | None) -> None:
    """After a pull that was to bring all there is: nothing is left out any more.

    To hydrate everything does not end it: content that is taken away then stays no deletion.
    """
    if wanted == "full" and ctx.settings.hydration == "full" and seen.lazy and not seen.skipped:
        _say(ctx, lazy=False)
        ctx.state.unset(_FACT)


def _say(ctx: Context, *, lazy: bool) -> None:
    ctx.sidecar.update(lambda now: msgspec.structs.replace(now, lazyPullActive=lazy))


def wanted_changes(
    seen: Observation, wanted: Hydration | None, selection: Collection[str]
) -> list[Change]:
    """What a plan is made of. Raises UsageError where «only» is for paths that nobody knows."""
    if wanted == "only":
        _need_known(seen, selection)
        return list(seen.skipped.values())
    whole = wanted in ("full", "below")
    return [*seen.changes, *seen.skipped.values()] if whole else seen.changes


def _need_known(seen: Observation, selection: Collection[str]) -> None:
    """Each path must name something, here or in the bucket: a mistyped one hydrates nothing."""
    rest = unmatched(selection, seen.remote.entries, seen.local.scan.files)
    if rest:
        raise UsageError(
            f"{rest[0]} is neither in the index nor here",
            hint="paths are relative to the cache; `s3dash pull --dry-run` lists what there is",
        )


class Pull(Protocol):
    """`Engine.pull`."""

    def __call__(
        self,
        selection: Collection[str],
        *,
        hydration: Hydration,
        dry_run: bool,
        cancel: CancelToken | None,
    ) -> Result: ...


class Hydrating:
    """On the facade: the content that a lazy cache left in the bucket."""

    def __init__(self, view: "View", pull: Pull) -> None:
        self._view = view
        self._pull = pull
        self._known: dict[str, Change] = view.skipped
        self._left_out = LeftOut({})

    def hydrate(
        self,
        selection: Collection[str] = (),
        *,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result:
        """Bring what was left out below these paths; nothing selected is all.

        As any pull: verified, atomic, side by side. What is here already stays as it is, so that
        one that was broken off goes on where it was. Raises UsageError for a path that names
        nothing.
        """
        return self._pull(selection, hydration="only", dry_run=dry_run, cancel=cancel)

    def below(self, start: str, *, most: int = 20) -> Below:
        """What hydrating this path would bring, and how it may go on. From memory, as it was last
        seen; a path that is only begun brings nothing, but has names."""
        skipped = self._view.skipped
        if self._known is not skipped:
            self._known, self._left_out = skipped, LeftOut({r: c.size for r, c in skipped.items()})
        return self._left_out.below(start, most=most)
