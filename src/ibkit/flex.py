"""Flex reports: IB's account statements as XML, downloaded from its Flex Web Service or loaded from a file.

The token is a secret: it is sent to IB's own hosts only, and stands in no log, text or repr. IB prepares a report after
it was asked for and answers "try again" meanwhile: the download waits, longer each time, and not for ever. Numbers are
read column by column, so that a column never mixes texts and numbers. Must not know connections or requests.

Source: https://www.interactivebrokers.com/campus/ibkr-api-page/flex-web-service/
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from ibkit import clock, util
from ibkit.errors import IbkitError
from ibkit.model import DynamicObject

if TYPE_CHECKING:
    from xml.etree import ElementTree

    import pandas as pd

logger = logging.getLogger("ibkit.flex")

FLEX_URL = "https://ndcdyn.interactivebrokers.com/AccountManagement/FlexWebService/SendRequest"
"""Where reports are asked for; the environment variable IB_FLEXREPORT_URL replaces it."""

TRY_AGAIN = frozenset({1001, 1004, 1005, 1006, 1007, 1008, 1009, 1018, 1019, 1021})
"""Answers that mean "not yet": the report is being prepared, data is not ready, or there were too many requests."""

DELAY_MAX_S = 20.0
"""Longest pause between two requests. IB allows one a second and ten a minute for a token."""

# Fits what is a number in every reader's eyes: no exponent, no leading zero, no more digits than a float holds.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?")
# What identifies something is text, whatever it looks like.
_TEXTUAL = re.compile(r"(?i)(account|cusip|isin|sedol|figi|code|symbol|alias|model|trader|securityid)")


class FlexError(IbkitError):
    """A Flex report could not be had, or is no Flex report. ``code`` is IB's number, 0 when it gave none."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(f"{code}: {text}" if code else text)
        self.code = code


class FlexReport:
    """A Flex report.

    ``FlexReport(token, queryId)`` downloads one, ``FlexReport(path='report.xml')`` loads one. The token is made in IB's
    Client Portal (Settings, Flex Web Service); the query there too (Performance & Reports, Flex Queries).

    Args:
        token: of the Flex Web Service.
        queryId: of the Flex query.
        path: of a file to load.

    Raises FlexError, as ``download`` and ``load``.
    """

    Timeout: ClassVar[float] = 300.0
    """Seconds a download may take, all waiting for IB's preparation included."""
    RequestTimeout: ClassVar[float] = 30.0
    """Seconds a single answer may take."""
    RetryDelay: ClassVar[float] = 1.0
    """Seconds before the first new try; doubles with each one."""

    data: bytes
    root: ElementTree.Element

    def __init__(self, token: str | None = None, queryId: str | int | None = None, path: str | None = None) -> None:
        if token and queryId:
            self.download(token, queryId)
        elif path:
            self.load(path)

    def topics(self) -> set[str]:
        """Return the names of what can be extracted: Trade, CashTransaction, OpenPosition, ..."""
        return {node.tag for node in self._loaded().iter() if node.attrib}

    def extract(self, topic: str, parseNumbers: bool = True) -> list[DynamicObject]:
        """Return the items of a topic; their attributes are those of the XML.

        Args:
            topic: one of ``topics()``; another one gives an empty list.
            parseNumbers: turn columns whose every text is a plain number into int or float. Columns that identify
                something (accounts, codes, CUSIPs, symbols) and texts with leading zeros stay text.
        """
        rows = [dict(node.attrib) for node in self._loaded().iter(topic)]
        if parseNumbers:
            for name in {name for row in rows for name in row}:
                _parse_column(rows, name)
        cls = type(topic, (DynamicObject,), {})
        return [cls(**row) for row in rows]

    def df(self, topic: str, parseNumbers: bool = True) -> pd.DataFrame | None:
        """Return the items of a topic as a DataFrame, None when there are none."""
        return util.df(self.extract(topic, parseNumbers))

    def get_url(self) -> str:
        """Return the address reports are asked for at; raises FlexError when IB_FLEXREPORT_URL is none."""
        from urllib.parse import urlsplit

        url = os.environ.get("IB_FLEXREPORT_URL", FLEX_URL)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise FlexError(f"the environment variable IB_FLEXREPORT_URL is no address: {url!r}")
        return url.rstrip("?")

    def download(self, token: str, queryId: str | int) -> None:
        """Download the report of a query; connections are served meanwhile.

        Raises FlexError when IB refuses (its code is in ``code``), does not answer, or has no report within ``Timeout``
        seconds.
        """
        deadline = clock.default.monotonic() + self.Timeout
        base = self.get_url()
        receipt = self._patiently(base, {"t": token, "q": str(queryId), "v": "3"}, deadline)
        code, url = receipt.findtext("ReferenceCode"), receipt.findtext("Url") or base
        if not code:
            raise FlexError(f"the answer to the request has no reference code but <{receipt.tag}>")
        _check_host(url, base)
        logger.info("the statement is being prepared")
        self._patiently(url, {"t": token, "q": code, "v": "3"}, deadline)
        logger.info("the statement has arrived: %d bytes", len(self.data))

    def load(self, path: str) -> None:
        """Load a report from a file; raises FlexError when it is no XML, OSError when it cannot be read."""
        with open(path, "rb") as file:
            self._take(file.read())

    def save(self, path: str) -> None:
        """Save the report to a file."""
        self._loaded()
        with open(path, "wb") as file:
            file.write(self.data)

    def __repr__(self) -> str:
        return f"<FlexReport {len(self.data)} bytes>" if hasattr(self, "data") else "<FlexReport, empty>"

    # -- the conversation ----------------------------------------------------------------------------------------

    def _patiently(self, url: str, query: dict[str, str], deadline: float) -> ElementTree.Element:
        """Ask until there is an answer that does not mean "try again"."""
        for delay in self._delays():
            self._take(self._fetch(url, query))
            code, text = _refusal(self.root)
            if not text:
                return self.root
            if code not in TRY_AGAIN:
                raise FlexError(text, code)
            if clock.default.monotonic() + delay > deadline:
                raise FlexError(f"{text}. No report within {self.Timeout:g} s: try later", code)
            logger.info("%s; asking again in %g s", text, delay)
            util.sleep(delay)
        raise AssertionError("unreachable: there is always another delay")

    def _delays(self) -> Iterator[float]:
        delay = self.RetryDelay
        while True:
            yield delay
            delay = min(2 * delay, DELAY_MAX_S)

    def _fetch(self, url: str, query: dict[str, str]) -> bytes:
        # They bring HTTP and TLS, which most programs never need.
        from urllib.error import URLError
        from urllib.parse import urlencode, urlsplit
        from urllib.request import urlopen

        try:
            with urlopen(f"{url}?{urlencode(query)}", timeout=self.RequestTimeout) as response:
                data: bytes = response.read()
                return data
        except (URLError, OSError) as error:
            # Without its context: a traceback would show the address, and with it the token.
            reason = getattr(error, "reason", None) or error
            raise FlexError(f"{urlsplit(url).netloc} does not answer: {reason}") from None

    def _take(self, data: bytes) -> None:
        self.root = _parse(data)
        self.data = data

    def _loaded(self) -> ElementTree.Element:
        if not hasattr(self, "root"):
            raise FlexError("there is no report yet: download or load one first")
        return self.root


def _parse(data: bytes) -> ElementTree.Element:
    """Parse XML from outside.

    A document type is refused, for entities that grow without end or read local files; so is any encoding but UTF-8, in
    which a document type could hide.
    """
    from xml.etree import ElementTree

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FlexError(f"not a Flex report: no UTF-8 text ({error.reason} at byte {error.start})") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FlexError("refused: the XML defines a document type, which no Flex report does")
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise FlexError(f"not a Flex report: {error}; it begins {text[:60]!r}") from None


def _refusal(root: ElementTree.Element) -> tuple[int, str]:
    """Return (code, text) of an answer that is no report and no receipt; the text is empty for those."""
    if root.tag == "FlexStatementResponse" and root.findtext("Status") != "Success":
        code = root.findtext("ErrorCode") or "0"
        return int(code) if code.isdecimal() else 0, root.findtext("ErrorMessage") or "refused without a reason"
    first = root[0] if len(root) else None
    if first is not None and first.tag == "code":  # the form of the older service
        text = first.text or "refused without a reason"
        return 1019 if text.startswith("Statement generation in progress") else 0, text
    return 0, ""


def _check_host(url: str, base: str) -> None:
    """Refuse to send the token to a host that is neither IB's nor the one that was asked."""
    from urllib.parse import urlsplit

    target, asked = urlsplit(url), urlsplit(base)
    ours = target.hostname == asked.hostname and target.scheme == asked.scheme
    theirs = target.scheme == "https" and (target.hostname or "").endswith(".interactivebrokers.com")
    if not (ours or theirs):
        raise FlexError(f"refused: the report is said to be at {target.hostname!r}, which is not IB's")


def _parse_column(rows: list[dict[str, str]], name: str) -> None:
    """Turn a column of texts into numbers if every text in it is one; empty texts stay."""
    texts = [text for row in rows if (text := row.get(name))]
    if _TEXTUAL.search(name) or not texts or not all(_NUMBER.fullmatch(text) for text in texts):
        return
    kind = float if any("." in text for text in texts) else int
    for row in rows:
        if row.get(name):
            row[name] = kind(row[name])  # type: ignore[assignment]  # the rows become attributes of any type
