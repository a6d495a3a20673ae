"""The service's state as OpenMetrics, or as Prometheus' older text for who does not ask for it.

Everything comes from memory at the moment of the scrape: nothing waits for the engine.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from s3dash.clock import from_iso
from s3dash.core.snapshot import Snapshot
from s3dash.service.tally import Tally

Encoder = Callable[[Collector], bytes]
Samples = Mapping[tuple[str, ...], float]
LABELS = ("datastore", "namespace")


class Metrics(Collector):
    """`look` gives the engine's state, `is_well` whether the service does its work."""

    def __init__(
        self, look: Callable[[], Snapshot], tally: Tally, *, is_well: Callable[[], bool]
    ) -> None:
        self._look = look
        self._tally = tally
        self._is_well = is_well
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def page(self, accept: str) -> tuple[str, bytes]:
        """Content type and body, in the best form that the `Accept` header allows."""
        encode, content_type = _encoder(accept)
        return content_type, encode(self._registry)

    def collect(self) -> Iterator[Metric]:
        now = self._look()
        family = _Family((now.datastore, now.namespace or ""))
        yield InfoMetricFamily(
            "s3dash_build", "the program that serves this", {"version": version("s3dash")}
        )
        yield family.gauge(
            "s3dash_healthy", "1 while it does its work and the endpoint answers", self._is_well()
        )
        yield from _differences(now, family)
        yield from _locks(now, family)
        yield from _auto(now, family)
        yield from _traffic(now, family)
        yield from self._counted(family)

    def _counted(self, family: "_Family") -> Iterator[Metric]:
        tally = self._tally
        yield family.counter(
            "s3dash_syncs", "operations by outcome", tally.syncs, labels=("operation", "outcome")
        )
        files: Samples = {(what,): n for what, n in tally.files.items()}
        yield family.counter(
            "s3dash_files", "files by what became of them", files, labels=("what",)
        )
        errors: Samples = {(kind,): n for kind, n in tally.errors.items()}
        yield family.counter("s3dash_errors", "errors by class", errors, labels=("class",))
        yield family.counter(
            "s3dash_hooks", "runs of the hook by result", tally.hooks, labels=("event", "result")
        )


def _encoder(accept: str) -> tuple[Encoder, str]:
    """The library stumbles over versions that are no numbers: such a wish is none."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):
        return choose_encoder("")


class _Family:
    """Makes metrics that carry the datastore's labels before their own."""

    def __init__(self, place: tuple[str, str]) -> None:
        self._place = place

    def gauge(self, name: str, about: str, value: float, *, unit: str = "") -> Metric:
        return self.gauges(name, about, {(): value}, unit=unit)

    def gauges(
        self,
        name: str,
        about: str,
        samples: Samples,
        *,
        labels: tuple[str, ...] = (),
        unit: str = "",
    ) -> Metric:
        metric = GaugeMetricFamily(name, about, labels=(*LABELS, *labels), unit=unit)
        for own, value in samples.items():
            metric.add_metric((*self._place, *own), float(value))
        return metric

    def counter(
        self, name: str, about: str, samples: Samples, *, labels: tuple[str, ...] = ()
    ) -> Metric:
        metric = CounterMetricFamily(name, about, labels=(*LABELS, *labels))
        for own, value in samples.items():
            metric.add_metric((*self._place, *own), float(value))
        return metric


def _differences(now: Snapshot, family: _Family) -> Iterator[Metric]:
    numbers = (
        ("dirty", "files here that the bucket does not have as they are", len(now.dirty)),
        ("behind", "files in the bucket that are not here as they are", len(now.behind)),
        ("conflicts", "files that both sides changed", len(now.conflicts)),
        ("blocked", "files that cannot be on both sides", len(now.blocked)),
        ("local_files", "files in the cache", now.files),
        ("remote_entries", "entries of the index", now.index.entries),
    )
    for name, about, value in numbers:
        yield family.gauge(f"s3dash_{name}", about, value)
    if now.index.commit_seq is not None:
        yield family.gauge("s3dash_commit_seq", "the index' last commit", now.index.commit_seq)
    yield family.gauge(
        "s3dash_hydrated",
        "the share of what the bucket has that is here",
        hydrated(now),
        unit="ratio",
    )


def hydrated(now: Snapshot) -> float:
    """Of the bytes where they were counted, else of the files; 0 to 1."""
    mine = next((t for t in now.tenants.rows if t.mine and t.hydrated is not None), None)
    if mine is not None and mine.hydrated is not None:
        return mine.hydrated
    entries = now.index.entries
    if now.lazy:
        return min(1.0, now.files / entries) if entries else 1.0
    return 1.0 - sum(row.change == "added" for row in now.behind) / max(1, entries)


def _locks(now: Snapshot, family: _Family) -> Iterator[Metric]:
    ours = "namespace" if now.namespace else "global"
    ages: dict[tuple[str, ...], float] = {(ours, now.namespace or ""): 0.0}
    for lock in now.locks:
        key = (lock.scope, lock.namespace or "")
        ages[key] = max(ages.get(key, 0.0), lock.age_s)
    yield family.gauges(
        "s3dash_lock_age",
        "since the last heartbeat of the oldest lock, as seen last; 0: nobody has it",
        ages,
        labels=("scope", "lock_namespace"),
        unit="seconds",
    )
    stale = sum(lock.stale for lock in now.locks)
    yield family.gauge("s3dash_stale_locks", "locks whose holder seems dead", stale)
    held = now.lock_held_s
    yield family.gauge("s3dash_lock_held", "1 while the lock is ours", held is not None)
    yield family.gauge("s3dash_lock_held", "for how long it is", held or 0.0, unit="seconds")


def _auto(now: Snapshot, family: _Family) -> Iterator[Metric]:
    auto = now.auto
    yield family.gauge("s3dash_auto_enabled", "1 while it syncs by itself", auto.enabled)
    suspended = bool(auto.suspended)
    yield family.gauge("s3dash_auto_suspended", "1 while it holds something back", suspended)
    yield family.gauge("s3dash_deletions_waiting", "deletions nobody agreed to", auto.deletions)
    yield family.gauge("s3dash_failed_rounds", "rounds in a row that failed", auto.failures)
    times = (("look", now.checked_at), ("push", now.last_push), ("pull", now.last_pull))
    known: Samples = {(what,): _timestamp(at) for what, at in times if at}
    yield family.gauges(
        "s3dash_last_success_timestamp",
        "when one last went through",
        known,
        labels=("operation",),
        unit="seconds",
    )


def _timestamp(at: str) -> float:
    moment = from_iso(at)
    return moment.timestamp() if moment is not None else 0.0


def _traffic(now: Snapshot, family: _Family) -> Iterator[Metric]:
    moved: Samples = {("up",): now.progress.bytes_up, ("down",): now.progress.bytes_down}
    yield family.counter("s3dash_bytes", "bytes of files", moved, labels=("direction",))
    yield family.counter("s3dash_requests", "requests to the endpoint", {(): now.progress.requests})
    rate, counts = now.progress.rate, now.progress.counts
    yield family.gauges(
        "s3dash_rate_bytes_per_second",
        "over the last seconds",
        {("up",): rate.up, ("down",): rate.down},
        labels=("direction",),
    )
    yield family.gauge("s3dash_transfers", "files on their way", counts.unfinished)
    if now.latency_ms is not None:
        latency_s = now.latency_ms / 1000
        yield family.gauge("s3dash_latency", "of the last small request", latency_s, unit="seconds")
    yield family.counter("s3dash_events_dropped", "events nobody took", {(): now.events_dropped})
