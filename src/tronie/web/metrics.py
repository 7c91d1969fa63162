"""/metrics: figures for Prometheus, of this server and of the queue that it shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.types import Scope

from tronie.service.job_table import JobTable

LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
QUANTILES = (0.5, 0.95, 1.0)
__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]


class Metrics:
    """A registry of its own, so that several apps may live in one process."""

    def __init__(self, table: JobTable, warm: Callable[[], int], streams: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self.latency = Histogram(
            "tronie_request_seconds",
            "Until an answer began.",
            ("route", "method", "status"),
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.refused = Counter("tronie_uploads_refused", "Files that were refused.", ("kind",), registry=self.registry)
        self.received = Counter("tronie_uploads_bytes", "Bytes of files that were taken.", registry=self.registry)
        Gauge("tronie_streams", "Open streams of events.", registry=self.registry).set_function(streams)
        self.registry.register(_Queue(table, warm))

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """An answer has begun."""
        # The template of the path, so that ids are in no label; what led to no route is one kind of its own.
        route = getattr(scope.get("route"), "path", None) or "none"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "DELETE") else "other"
        self.latency.labels(route, method, str(status)).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Queue(Collector):
    """What the table says when it is asked."""

    def __init__(self, table: JobTable, warm: Callable[[], int]) -> None:
        self.table, self.warm = table, warm

    def describe(self) -> Iterator[Metric]:
        return iter(())  # nothing is asked before the first scrape

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("tronie_jobs", "Jobs that are kept.", labels=["state"])
        for state, number in self.table.counts().items():
            jobs.add_metric([state], number)
        yield jobs
        yield GaugeMetricFamily("tronie_workers_ready", "Workers that are warm.", self.warm())
        yield GaugeMetricFamily("tronie_stored_bytes", "Of uploads and results.", self.table.stored_bytes())
        kept = self.table.durations()
        for what, text, values in (
            ("waited", "Seconds that the jobs that are done and kept waited.", [each[0] for each in kept]),
            ("worked", "Seconds that the jobs that are done and kept took.", [each[1] for each in kept]),
        ):
            family = GaugeMetricFamily(f"tronie_job_{what}_seconds", text, labels=["quantile"])
            for share in QUANTILES if values else ():
                family.add_metric([str(share)], sorted(values)[round(share * (len(values) - 1))])
            yield family
