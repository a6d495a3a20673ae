"""Asking the service over HTTP, as a scraper does."""

import http.client
from dataclasses import dataclass

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

OPEN = "application/openmetrics-text; version=1.0.0"


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: str


def ask(address: str, path: str, *, accept: str = "", method: str = "GET") -> Answer:
    link = http.client.HTTPConnection(address, timeout=30)
    try:
        link.request(method, path, headers={"Accept": accept} if accept else {})
        answer = link.getresponse()
        return Answer(answer.status, answer.headers["Content-Type"], answer.read().decode())
    finally:
        link.close()


def samples(text: str, *, accept: str = OPEN) -> dict[tuple[str, frozenset[str]], float]:
    """By name and label values, by the library's own parser."""
    parse = open_families if accept == OPEN else plain_families
    return {
        (s.name, frozenset(s.labels.values()) - {"", "team"}): s.value
        for family in parse(text)
        for s in family.samples
    }
