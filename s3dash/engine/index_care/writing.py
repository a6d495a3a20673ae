"""Writing documents of an index under the global lock: by compare-and-swap, copies kept."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import msgspec

from s3dash.core.index import encode_meta
from s3dash.engine import intents
from s3dash.engine.cas import Cas
from s3dash.engine.context import Context
from s3dash.engine.docs import Doc
from s3dash.engine.index_care.picture import Picture, key_of
from s3dash.engine.jobs import each
from s3dash.engine.lease import Lease
from s3dash.errors import PreconditionFailed, S3DashError


class Pen(msgspec.Struct):
    """Writes while the lease holds. `kept` is where the replaced documents are, once one is.

    Every method raises LockLost and what the store raises.
    """

    ctx: Context
    lease: Lease
    nonce: str
    kept: str = ""
    _announced: bool = False
    _copied: dict[str, list[str]] = msgspec.field(default_factory=dict)

    @property
    def cas(self) -> Cas:
        return Cas(self.ctx.store, self.ctx.patience, self.lease.guard)

    def announce(self, seq: int) -> None:
        """Say on record who is about to change the index, as every commit does. Once."""
        if self._announced:
            return
        ctx = self.ctx
        writer = f"{ctx.identity.client} {self.nonce}"
        intent = intents.Intent(seq=seq, writer=writer, holder=ctx.identity.holder, at=ctx.now())
        intents.write(ctx, intent, self.nonce, guard=self.lease.guard)
        self._announced = True

    def keep(self, keys: Collection[str], picture: Picture) -> None:
        """A copy of each document, before it is replaced: below `_control/s3dash/repairs/`."""
        ctx = self.ctx
        due = [key for key in sorted(keys) if self._is_new(key, picture)]
        if due and not self.kept:
            stamp = ctx.clock.now().strftime("%Y%m%dT%H%M%SZ")
            self.kept = f"{ctx.keys.control}repairs/{stamp}-{self.nonce[:8]}/"
        self._all([(self._copy_of(key, picture), picture.docs[key].body) for key in due])

    def _is_new(self, key: str, picture: Picture) -> bool:
        return key in picture.docs and picture.docs[key].etag not in self._copied.get(key, ())

    def _copy_of(self, key: str, picture: Picture) -> str:
        """A later version of the same document, should there be one, goes beside the first."""
        versions = self._copied.setdefault(key, [])
        versions.append(picture.docs[key].etag)
        rel = key.removeprefix(self.ctx.keys.root)
        return f"{self.kept}{rel}" + (f".{len(versions)}" if len(versions) > 1 else "")

    def _all(self, copies: Sequence[tuple[str, bytes]]) -> None:
        jobs = each(
            lambda copy: self.cas.put(copy[0], copy[1], version=None),
            copies,
            workers=self.ctx.settings.push_concurrency,
            cancel=self.ctx.cancel,
            name="s3dash-keep",
        )
        for _, outcome in jobs:
            if isinstance(outcome, S3DashError):
                raise outcome

    def put(self, bodies: Mapping[str, bytes], picture: Picture) -> bool:
        """Write documents (by name, see `key_of`) over what the picture has of them, side by side.

        False when one of them was changed meanwhile; `picture` then has those that were written.
        """
        jobs = each(
            partial(self._put_one, picture, bodies),
            sorted(bodies),
            workers=self.ctx.settings.push_concurrency,
            cancel=self.ctx.cancel,
            name="s3dash-index",
        )
        whole = True
        for number, (_, outcome) in enumerate(jobs, 1):
            self.ctx.stage.count(f"{number:,} of {len(bodies):,} documents written")
            if isinstance(outcome, PreconditionFailed):
                whole = False
            elif isinstance(outcome, S3DashError):
                raise outcome
        self.ctx.cancel.check()
        return whole

    def _put_one(self, picture: Picture, bodies: Mapping[str, bytes], name: str) -> None:
        key, body = key_of(self.ctx, name), bodies[name]
        old = picture.docs.get(key)
        etag = self.cas.put(key, body, version=old.etag if old else None)
        picture.docs[key] = Doc(etag, body)
        self.ctx.reader.know(key, picture.docs[key])

    def put_meta(self, picture: Picture, changes: Mapping[str, object], *, anew: bool) -> bool:
        """False when it was changed meanwhile. `anew`: what is there makes no sense, or is none."""
        key = self.ctx.keys.meta
        old = picture.docs.get(key)
        body = encode_meta(old.body if old and not anew else None, changes)
        try:
            etag = self.cas.put(key, body, version=old.etag if old else None)
        except PreconditionFailed:
            return False
        picture.docs[key] = Doc(etag, body)
        self.ctx.reader.know(key, picture.docs[key])
        return True
