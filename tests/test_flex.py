"""Flex reports, downloaded from a server on this machine that answers as IB's does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ibkit import util
from ibkit.flex import FlexError, FlexReport

TOKEN = "1234567890SECRET"
RECEIPT = (
    "<FlexStatementResponse><Status>Success</Status><ReferenceCode>77</ReferenceCode><Url>{url}</Url>"
    "</FlexStatementResponse>"
)
REFUSAL = (
    "<FlexStatementResponse><Status>Fail</Status><ErrorCode>{}</ErrorCode><ErrorMessage>{}</ErrorMessage>"
    "</FlexStatementResponse>"
)
REPORT = (
    '<FlexQueryResponse queryName="q" type="AF"><FlexStatements count="1"><FlexStatement accountId="1234567">'
    '<Trade conid="265598" symbol="AAPL" quantity="-10" tradePrice="189.5" cusip="037833100" notes="" code="1"/>'
    '<Trade conid="4815747" symbol="NVDA" quantity="5" tradePrice="480" cusip="67066G104" notes="007" code="2"/>'
    "</FlexStatement></FlexStatements></FlexQueryResponse>"
)


@contextmanager
def service(*answers: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, list[str]]]]:
    """A Flex service that gives ``answers`` in turn; yields the queries it got."""
    left, queries = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            queries.append(parse_qs(urlsplit(self.path).query))
            body = left.pop(0).replace("{url}", f"{base}/get").encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("IB_FLEXREPORT_URL", f"{base}/send")
        monkeypatch.setattr(FlexReport, "RetryDelay", 0.0)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield queries
        finally:
            server.shutdown()
            thread.join()


def test_each_answer_that_says_try_again_doubles_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(util, "sleep", waited.append)
    waiting = REFUSAL.format(1019, "Statement generation in progress. Please try again shortly.")
    with service(*[waiting] * 7, RECEIPT, REPORT, monkeypatch=monkeypatch):
        monkeypatch.setattr(FlexReport, "RetryDelay", 1.0)
        FlexReport(TOKEN, 42)
    assert waited == [1, 2, 4, 8, 16, 20, 20]


def test_a_report_is_asked_for_waited_for_and_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    waiting = REFUSAL.format(1019, "Statement generation in progress. Please try again shortly.")
    busy = REFUSAL.format(1018, "Too many requests have been made from this token.")
    with service(busy, RECEIPT, waiting, waiting, REPORT, monkeypatch=monkeypatch) as queries:
        report = FlexReport(TOKEN, 42)
    assert [query["q"] for query in queries] == [["42"], ["42"], ["77"], ["77"], ["77"]]
    assert all(query["t"] == [TOKEN] for query in queries)
    assert report.topics() == {"FlexQueryResponse", "FlexStatements", "FlexStatement", "Trade"}
    assert TOKEN not in caplog.text + repr(report)


def test_numbers_are_read_by_column_and_names_stay_texts() -> None:
    """ib_async makes numbers of account ids and codes, row by row."""
    report = FlexReport()
    report._take(REPORT.encode())
    first, second = report.extract("Trade")
    assert (first.conid, first.quantity, second.quantity) == (265598, -10, 5)
    assert (first.tradePrice, second.tradePrice) == (189.5, 480.0)
    assert isinstance(second.tradePrice, float)
    assert (first.cusip, first.notes, second.notes, first.code) == ("037833100", "", "007", "1")
    assert report.extract("FlexStatement")[0].accountId == "1234567"
    assert report.extract("Trade", parseNumbers=False)[0].conid == "265598"
    assert report.extract("Nothing") == []
    assert repr(first).startswith("Trade(conid=265598, symbol='AAPL'")


def test_a_frame(tmp_path: Path) -> None:
    (tmp_path / "in.xml").write_text(REPORT)
    report = FlexReport(path=str(tmp_path / "in.xml"))
    frame = report.df("Trade")
    assert frame is not None
    assert list(frame.symbol) == ["AAPL", "NVDA"]
    report.save(str(tmp_path / "out.xml"))
    assert (tmp_path / "out.xml").read_text() == REPORT


def test_a_refusal_is_an_error_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        service(REFUSAL.format(1015, "Token is invalid."), monkeypatch=monkeypatch),
        pytest.raises(FlexError, match=r"1015: Token is invalid\.") as caught,
    ):
        FlexReport(TOKEN, 42)
    assert caught.value.code == 1015


def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FlexReport, "Timeout", -1.0)
    with (
        service(RECEIPT, REFUSAL.format(1019, "Statement generation in progress."), monkeypatch=monkeypatch),
        pytest.raises(FlexError, match="No report within"),
    ):
        FlexReport(TOKEN, 42)


def test_the_older_form_of_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        service(RECEIPT, "<r><code>Statement generation in progress</code></r>", REPORT, monkeypatch=monkeypatch),
    ):
        assert FlexReport(TOKEN, 42).topics()
    with (
        service(RECEIPT, "<r><code>Invalid reference</code></r>", monkeypatch=monkeypatch),
        pytest.raises(FlexError, match="Invalid reference"),
    ):
        FlexReport(TOKEN, 42)


def test_nobody_answers_and_the_token_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(monkeypatch=monkeypatch):
        pass  # the port is free again
    with pytest.raises(FlexError, match="does not answer") as caught:
        FlexReport(TOKEN, 42)
    assert TOKEN not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_token_is_not_sent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = RECEIPT.replace("{url}", "https://interactivebrokers.com.example.org/get")
    with service(elsewhere, monkeypatch=monkeypatch) as queries, pytest.raises(FlexError, match="not IB's"):
        FlexReport(TOKEN, 42)
    assert len(queries) == 1


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"not xml", "not a Flex report"),
        (b"", "not a Flex report"),
        (b"\xff\xfe<\x00a\x00/\x00>\x00", "no UTF-8"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "document type"),
        (b"<a><b></a>", "mismatched tag"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "bad.xml").write_bytes(data)
    with pytest.raises(FlexError, match=text):
        FlexReport(path=str(tmp_path / "bad.xml"))


def test_there_must_be_a_report_first() -> None:
    with pytest.raises(FlexError, match="download or load one first"):
        FlexReport().topics()
    assert repr(FlexReport()) == "<FlexReport, empty>"


def test_a_bad_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IB_FLEXREPORT_URL", "nonsense")
    with pytest.raises(FlexError, match="IB_FLEXREPORT_URL"):
        FlexReport(TOKEN, 42)
