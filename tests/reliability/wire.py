"""The faults: each takes an exchange, and does to it what a bad line or a bad server does."""

import gzip
import itertools
import threading

from tests.reliability.proxy import Answer, Exchange, Fault

HTML = b"<html><head><title>Hotel</title></head><body>please <b>log in</b></body></html>"
NO_KEYS = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/'
    b'2006-03-01/"><Name>b</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>'
    b"<IsTruncated>false</IsTruncated></ListBucketResult>"
)
SLOW_DRIP_S = 0.03
AWAY_S = 0.2


def refusal(status: int, code: str, **headers: str) -> Answer:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code>'
        f"<Message>told by the proxy</Message><RequestId>1</RequestId></Error>"
    ).encode()
    return Answer(status, code, [("Content-Type", "application/xml")], body).with_headers(**headers)


def _said(answer: Answer) -> Fault:
    return lambda exchange: exchange.send(answer)


def _named(name: str, fault: Fault) -> Fault:
    fault.__name__ = name
    return fault


def _applied_then(answer: Answer) -> Fault:
    def fault(exchange: Exchange) -> None:
        exchange.forward()
        exchange.send(answer)

    return fault


def reset_before(exchange: Exchange) -> None:
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.reset()


def closed_before(exchange: Exchange) -> None:
    exchange.finish()


def truncated(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.with_body(answer.body[: len(answer.body) // 2]))
    exchange.finish()


def one_byte_short(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.with_body(answer.body[:-1]))
    exchange.finish()


def flipped(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.with_body(flip(answer.body)))


def flipped_on_the_way_up(exchange: Exchange) -> None:
    exchange.send(exchange.forward(flip(exchange.asked.body)))


_flips = itertools.count()


def flip(body: bytes) -> bytes:
    """One bit, where a name or a value is rather than a bracket; another one each time."""
    if not body:
        return body
    at = (len(body) // 2 + 37 * next(_flips)) % len(body)
    while at < len(body) - 1 and not chr(body[at]).isalnum():
        at += 1
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def length_too_small(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.with_headers(content_length=str(len(answer.body) // 2)))
    exchange.finish()


def stalled_before(exchange: Exchange) -> None:
    exchange.hold()
    exchange.reset()


def stalled_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.hold()
    exchange.reset()


def stalled_in_the_body(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.with_body(answer.body[: len(answer.body) // 2]))
    exchange.hold()
    exchange.reset()


def slow_drip(exchange: Exchange) -> None:
    """Slow, but never silent for long: it arrives."""
    answer = exchange.forward()
    step = max(1, len(answer.body) // 6)
    exchange.send(answer.with_body(b""))
    if exchange.asked.method != "HEAD":
        for at in range(0, len(answer.body), step):
            exchange.hold(SLOW_DRIP_S)
            exchange.raw(answer.body[at : at + step])


def login_page(exchange: Exchange) -> None:
    exchange.send(Answer(200, "OK", [("Content-Type", "text/html")], HTML))


def login_page_with_etag(exchange: Exchange) -> None:
    exchange.send(Answer(200, "OK", [("Content-Type", "text/html"), ("ETag", '"cafe"')], HTML))


def no_keys(exchange: Exchange) -> None:
    exchange.send(Answer(200, "OK", [("Content-Type", "application/xml")], NO_KEYS))


def empty_success(exchange: Exchange) -> None:
    exchange.send(Answer(200, "OK"))


def error_in_a_success(exchange: Exchange) -> None:
    exchange.send(Answer(200, "OK", refusal(500, "x").headers, refusal(500, "InternalError").body))


def error_in_a_success_after(exchange: Exchange) -> None:
    exchange.forward()
    error_in_a_success(exchange)


def cut_xml(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.with_body(answer.body[: len(answer.body) * 2 // 3]).sized())


def without_an_end(exchange: Exchange) -> None:
    answer = exchange.forward()
    body = answer.body.replace(b"<IsTruncated>false</IsTruncated>", b"")
    exchange.send(answer.with_body(body).sized())


def without_etag(exchange: Exchange) -> None:
    answer = exchange.forward()
    kept = [(n, v) for n, v in answer.headers if n.lower() != "etag"]
    exchange.send(Answer(answer.status, answer.reason, kept, answer.body))


def gzipped(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(
        answer.with_body(gzip.compress(answer.body)).sized().with_headers(content_encoding="gzip")
    )


def chunked(exchange: Exchange) -> None:
    answer = exchange.forward()
    if not answer.body or exchange.asked.method == "HEAD":
        exchange.send(answer)
        return
    half = len(answer.body) // 2
    pieces = [p for p in (answer.body[:half], answer.body[half:]) if p]
    body = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    kept = [(n, v) for n, v in answer.headers if n.lower() != "content-length"]
    exchange.send(
        Answer(answer.status, answer.reason, [*kept, ("Transfer-Encoding", "chunked")], body)
    )


def http_1_0(exchange: Exchange) -> None:
    exchange.send(exchange.forward(), version="HTTP/1.0")
    exchange.finish()


def garbage(exchange: Exchange) -> None:
    exchange.raw(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03SSH-2.0-none of your business\r\n\r\n"
    )
    exchange.finish()


def away(exchange: Exchange) -> None:
    """The server is gone for a moment: connections are refused, those that were open break."""
    proxy = exchange.proxy
    proxy.refuse()
    exchange.reset()
    timer = threading.Timer(AWAY_S, proxy.listen_again)
    timer.daemon = True
    timer.start()


def _faults() -> dict[str, Fault]:
    answers = {
        "500": refusal(500, "InternalError"),
        "500 with a checksum": refusal(500, "InternalError", x_amz_checksum_crc32="AAAAAA=="),
        "500 without a body": Answer(500, "Internal Server Error"),
        "502 from a proxy": Answer(502, "Bad Gateway", [("Content-Type", "text/html")], HTML),
        "503 SlowDown": refusal(503, "SlowDown"),
        "503 with Retry-After": refusal(503, "ServiceUnavailable", retry_after="7"),
        "429 with Retry-After": refusal(429, "TooManyRequests", retry_after="3"),
        "416": refusal(416, "InvalidRange"),
        "403 AccessDenied": refusal(403, "AccessDenied"),
        "403 ExpiredToken": refusal(403, "ExpiredToken"),
        "400 ExpiredToken": refusal(400, "ExpiredToken"),
        "403 RequestTimeTooSkewed": refusal(403, "RequestTimeTooSkewed"),
        "400 RequestTimeout": refusal(400, "RequestTimeout"),
        "409 conflict": refusal(409, "ConditionalRequestConflict"),
        "301": refusal(301, "PermanentRedirect", location="http://127.0.0.1:9/elsewhere"),
        "307": refusal(307, "TemporaryRedirect", location="http://127.0.0.1:9/elsewhere"),
    }
    found = {name: _named(name, _said(answer)) for name, answer in answers.items()}
    for name in ("500", "503 SlowDown"):
        found[f"{name} after"] = _named(f"{name} after", _applied_then(answers[name]))
    for fault in (
        reset_before, reset_after, closed_before, truncated, one_byte_short, flipped,
        flipped_on_the_way_up, length_too_small, stalled_before, stalled_after,
        stalled_in_the_body, slow_drip, login_page, login_page_with_etag, no_keys, empty_success,
        error_in_a_success, error_in_a_success_after, cut_xml, without_an_end, without_etag,
        gzipped, chunked, http_1_0, garbage, away,
    ):  # fmt: skip
        found[fault.__name__.replace("_", " ")] = fault
    return found


FAULTS = _faults()
STALLS = ("stalled before", "stalled after", "stalled in the body")
PASSING = ("500", "503 SlowDown", "429 with Retry-After", "reset before", "reset after",
           "500 after", "truncated", "closed before")  # fmt: skip
"""What a storm is made of: faults that come and go."""
