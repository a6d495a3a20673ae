"""The index of a datastore or namespace, looked after: on the facade as `engine.index_care`."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.index_care import IndexMigrated, Repaired, Verified
from s3dash.engine import trust
from s3dash.engine.context import Context
from s3dash.engine.index_care import migrate, repair
from s3dash.engine.index_care.verify import verify

Told = TypeVar("Told", Verified, IndexMigrated, Repaired)


class Turn(Protocol):
    """One operation at a time, stoppable by its token."""

    def __call__(
        self, cancel: CancelToken | None, *, writes: bool = False
    ) -> AbstractContextManager[Context]: ...


class IndexCare:
    """Each call is an operation like a push: one at a time, cancelled by its token.

    `changed` is told when the index in the bucket is another one now.
    """

    def __init__(self, *, turn: Turn, changed: Callable[[], None]) -> None:
        self._turn = turn
        self._changed = changed

    def verify(
        self,
        *,
        full: bool = False,
        sample: str = "",
        seed: int | None = None,
        cancel: CancelToken | None = None,
    ) -> Verified:
        """Every entry against its object; see `verify.verify`. Writes nothing, takes no lock.

        `seed` None: chance chooses the sample, and the answer says how.
        """
        chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
        with self._turn(cancel) as ctx, _measured(ctx) as measured:
            return measured(verify(ctx, full=full, sample=sample, seed=chosen))

    def migrate(self, *, dry_run: bool = False, cancel: CancelToken | None = None) -> IndexMigrated:
        """From version 1 to version 2, under the global lock; see `migrate.migrate`."""
        with self._turn(cancel, writes=not dry_run) as ctx, _measured(ctx) as measured:
            if dry_run:
                return measured(migrate.preview(ctx))
            done = measured(migrate.migrate(ctx, trust.capabilities(ctx)))
            self._after(ctx)
            return done

    def repair(self, *, dry_run: bool = False, cancel: CancelToken | None = None) -> Repaired:
        """Put the index right, under the global lock; see `repair.repair`."""
        with self._turn(cancel, writes=not dry_run) as ctx, _measured(ctx) as measured:
            if dry_run:
                return measured(repair.preview(ctx))
            done = measured(repair.repair(ctx, trust.capabilities(ctx)))
            self._after(ctx)
            return done

    def _after(self, ctx: Context) -> None:
        ctx.reader.load()
        ctx.save_docs()
        self._changed()


@contextmanager
def _measured(ctx: Context) -> Iterator[Callable[[Told], Told]]:
    """Gives what adds the seconds and the requests since then to an answer."""
    began, before = ctx.clock.monotonic(), ctx.store.usage.requests

    def told(answer: Told) -> Told:
        return replace(
            answer,
            seconds=round(ctx.clock.monotonic() - began, 3),
            requests=ctx.store.usage.requests - before,
        )

    yield told
