"""What every part of an engine shares: the two sides, the state, and the means to tell."""

import os
import socket
import uuid
from collections.abc import Callable
from functools import partial
from getpass import getuser
from importlib.metadata import version

import msgspec

from s3dash.clock import Clock, iso
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Level, Noted
from s3dash.core.keys import Keys
from s3dash.core.progress import Transfer
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import HistoryRow
from s3dash.engine.accounting import Accounting
from s3dash.engine.bus import Bus
from s3dash.engine.excludes import Excludes
from s3dash.engine.lease import USUAL, Identity, Timing
from s3dash.engine.remote import IndexReader
from s3dash.engine.stage import Stage
from s3dash.engine.throttle import Throttle
from s3dash.engine.traffic import Traffic
from s3dash.local.atomic import CacheDir
from s3dash.local.sidecar import SidecarFile
from s3dash.local.state import State
from s3dash.local.trash import Trash
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore


def new_nonce() -> str:
    return str(uuid.uuid4())


class Context(msgspec.Struct, frozen=True):
    """One datastore, one namespace, one cache. Built once, by the engine.

    `nonce` makes a name that nobody had before, for each lock and commit. `timing` is that of
    the lock; how long to wait, and for how long a request, the settings say.
    """

    settings: Datastore
    keys: Keys
    store: ObjectStore
    reader: IndexReader
    state: State
    cache: CacheDir
    sidecar: SidecarFile
    trash: Trash
    clock: Clock
    bus: Bus
    accounting: Accounting
    stage: Stage
    throttle: Throttle
    traffic: Traffic
    patience: Patience
    identity: Identity
    excludes: Excludes
    cancel: CancelToken = msgspec.field(default_factory=CancelToken)
    nonce: Callable[[], str] = new_nonce
    timing: Timing = USUAL

    def with_cancel(self, cancel: CancelToken) -> "Context":
        """The same, for an operation that is stopped by a token of its own."""
        return Context(
            **{name: getattr(self, name) for name in self.__struct_fields__ if name != "cancel"},
            cancel=cancel,
        )

    @property
    def key_prefix_bytes(self) -> int:
        """The length of what stands before a path in its object's key."""
        prefix = f"{self.settings.prefix}/" if self.settings.prefix else ""
        return len((prefix + self.keys.root).encode())

    def now(self) -> str:
        return iso(self.clock.now())

    def note(self, level: Level, operation: str, text: str) -> None:
        """A line for the log: kept in the history, told to subscribers."""
        at = self.now()
        self.state.note(HistoryRow(at, operation, level, text))
        self.bus.publish(
            Noted(at=at, datastore=self.settings.name, level=level, operation=operation, text=text)
        )

    def moved(self, row: Transfer, count: int) -> None:
        """Bytes of a transfer went by: counted, limited, and stopped when somebody wants that.

        Raises TransferPaused, TransferCancelled; Cancelled when it is the whole operation.
        """
        self.accounting.moved(row, count)
        self.throttle.draw(count, self.cancel, check=partial(self.traffic.check, row))

    def save_docs(self) -> None:
        """Keep the index documents that are new, so that the next start fetches only changes."""
        have = self.state.doc_etags()
        docs = self.reader.docs()
        moved = {k: d for k, d in docs.items() if have.get(k) != d.etag}
        fresh = {k: (d.etag, d.body) for k, d in moved.items() if d.at_hand}
        gone = have.keys() - docs.keys()
        if fresh:
            self.state.save_docs(fresh)
        if gone:
            self.state.drop_docs(gone)


def identify() -> Identity:
    """This process as other clients see it in a lock."""
    host = socket.gethostname()
    return Identity(
        holder=f"{getuser()}@{host}",
        hostname=host,
        pid=os.getpid(),
        client=f"s3dash/{version('s3dash')}",
    )
