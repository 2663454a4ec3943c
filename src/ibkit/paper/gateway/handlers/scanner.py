"""Market scanners: rankings of the stocks of this market."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

from ibkit.model import Contract, ContractDetails, ScannerSubscription, TagValue
from ibkit.model.values import is_unset
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import Refusal, duplicate_id, history_error
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.tables import rows
from ibkit.paper.market import Quote
from ibkit.wire import messages as m

KIND = "scanner"
PERIOD_S = 30.0
MOST_ROWS = 50


def _gain(quote: Quote) -> float:
    return quote.last / quote.close - 1


def _since_open(quote: Quote) -> float:
    return quote.last / quote.open - 1


# Scan codes: the name shown, and what they rank by, highest first.
SCANS: dict[str, tuple[str, Callable[[Quote], float]]] = {
    "TOP_PERC_GAIN": ("Top % Gainers", _gain),
    "TOP_PERC_LOSE": ("Top % Losers", lambda quote: -_gain(quote)),
    "MOST_ACTIVE": ("Most Active", lambda quote: quote.volume),
    "MOST_ACTIVE_USD": ("Most Active ($)", lambda quote: quote.volume * quote.last),
    "HOT_BY_VOLUME": ("Hot Contracts by Volume", lambda quote: quote.volume),
    "HOT_BY_PRICE": ("Hot Contracts by Price", lambda quote: abs(_gain(quote))),
    "TOP_OPEN_PERC_GAIN": ("Top % Gainers Since Open", _since_open),
    "TOP_OPEN_PERC_LOSE": ("Top % Losers Since Open", lambda quote: -_since_open(quote)),
    "HIGH_OPEN_GAP": ("Top Close-to-Open % Gainers", lambda quote: quote.open / quote.close - 1),
    "LOW_OPEN_GAP": ("Top Close-to-Open % Losers", lambda quote: 1 - quote.open / quote.close),
}

# Location codes: the listing exchanges and the currency they stand for; no exchange: any.
LOCATIONS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "STK.US": ("US Stocks", (), "USD"),
    "STK.US.MAJOR": ("Listed/NASDAQ", ("NYSE", "NASDAQ", "ARCA", "AMEX", "BATS"), "USD"),
    "STK.NASDAQ": ("NASDAQ", ("NASDAQ",), "USD"),
    "STK.NYSE": ("NYSE", ("NYSE",), "USD"),
    "STK.ARCA": ("ARCA", ("ARCA",), "USD"),
}

_FILTERS = (
    ("priceAbove", "PRICE"), ("priceBelow", "PRICE"), ("volumeAbove", "VOLUME"),
    ("changePercAbove", "CHANGEPERC"), ("changePercBelow", "CHANGEPERC"),
)  # fmt: skip


def parameters() -> str:
    """Return what can be scanned for, as TWS's XML has it."""
    locations = "".join(
        f"<Location><displayName>{name}</displayName><locationCode>{code}</locationCode></Location>"
        for code, (name, _, _) in LOCATIONS.items()
    )
    scans = "".join(
        f"<ScanType><displayName>{name}</displayName><scanCode>{code}</scanCode><instruments>STK</instruments></ScanType>"
        for code, (name, _) in SCANS.items()
    )
    filters = "".join(
        f"<RangeFilter><id>{group}</id><AbstractField><code>{code}</code></AbstractField></RangeFilter>"
        for code, group in _FILTERS
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ScanParameterResponse>'
        "<InstrumentList><Instrument><name>US Stocks</name><type>STK</type></Instrument></InstrumentList>"
        f"<LocationTree>{locations}</LocationTree><ScanTypeList>{scans}</ScanTypeList>"
        f"<FilterList>{filters}</FilterList></ScanParameterResponse>"
    )


class Scan:
    """One subscription."""

    def __init__(self, session: Session, msg: m.ReqScannerSubscription, candidates: list[Instrument]) -> None:
        self.session, self.msg = session, msg
        self.due = session.now
        self._candidates = candidates
        self._tags = {option.tag: option.value for option in msg.scannerSubscriptionFilterOptions}

    def advance(self, now: float) -> bool:
        wanted = self.msg.subscription
        _, value_of = SCANS[wanted.scanCode]
        market = self.session.gateway.market
        found = []
        for place, instrument in enumerate(self._candidates):
            quote = market.quote(instrument, now)
            value = value_of(quote)
            if not isnan(value) and self._passes(wanted, quote):
                found.append((-value, place, instrument))
        most = wanted.numberOfRows if 0 < wanted.numberOfRows <= MOST_ROWS else MOST_ROWS
        ranking = [
            m.ScannerRow(rank, self._shown(instrument), "", "", "", "")
            for rank, (_, _, instrument) in enumerate(sorted(found, key=lambda row: row[:2])[:most])
        ]
        self.session.send(m.ScannerData(self.msg.reqId, ranking))
        self.due = following(now, PERIOD_S)
        return True

    def _passes(self, wanted: ScannerSubscription, quote: Quote) -> bool:
        change = _gain(quote) * 100
        bounds = (
            (quote.last, self._bound("priceAbove", wanted.abovePrice), self._bound("priceBelow", wanted.belowPrice)),
            (quote.volume, self._bound("volumeAbove", wanted.aboveVolume), None),
            (change, self._bound("changePercAbove", None), self._bound("changePercBelow", None)),
        )
        return all((low is None or value >= low) and (high is None or value <= high) for value, low, high in bounds)

    def _bound(self, tag: str, field: float | None) -> float | None:
        if tag in self._tags:
            try:
                return float(self._tags[tag])
            except ValueError as error:
                raise history_error(f"Scanner filter {tag}={self._tags[tag]!r} is no number") from error
        return None if field is None or is_unset(field) else float(field)

    def _shown(self, instrument: Instrument) -> ContractDetails:
        contract = Contract.recreate(instrument.contract)
        return ContractDetails(contract=contract, marketName=instrument.listing.market_name)


def req_scanner_parameters(session: Session, msg: m.ReqScannerParameters) -> None:
    session.send(m.ScannerParameters(parameters()))


def req_scanner_subscription(session: Session, msg: m.ReqScannerSubscription) -> None:
    wanted = msg.subscription
    if session.find(KIND, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    if wanted.scanCode not in SCANS:
        raise history_error(f"Scanner type with code {wanted.scanCode} is not available")
    location = LOCATIONS.get(wanted.locationCode)
    if wanted.instrument != "STK" or location is None:
        raise history_error(f"Scanner is not available for {wanted.instrument} in {wanted.locationCode}")
    if sum(len(other.active(KIND)) for other in session.gateway.sessions) >= session.gateway.limits.scanners:
        raise history_error(f"Number of active scanner subscriptions exceeded: {session.gateway.limits.scanners}")
    _check_filters(msg.scannerSubscriptionFilterOptions)
    scan = Scan(session, msg, _candidates(session, location[1], location[2], wanted.stockTypeFilter))
    session.begin(KIND, msg.reqId, scan)
    scan.advance(session.now)


def _check_filters(options: list[TagValue]) -> None:
    known = {code for code, _ in _FILTERS}
    unknown = [option.tag for option in options if option.tag not in known]
    if unknown:
        raise history_error(f"Scanner filters {', '.join(unknown)} are not available")


def _candidates(session: Session, exchanges: tuple[str, ...], currency: str, kind: str) -> list[Instrument]:
    catalogue = session.gateway.catalogue
    found = []
    for row in rows("stocks"):
        if row["currency"] != currency or (exchanges and row["exchange"] not in exchanges):
            continue
        wanted = Contract(secType="STK", symbol=row["symbol"], primaryExchange=row["exchange"], currency=currency)
        found += [
            instrument
            for instrument in catalogue.find(wanted)
            if kind in ("", "ALL") or instrument.listing.stock_type == kind
        ]
    return found


def cancel_scanner_subscription(session: Session, msg: m.CancelScannerSubscription) -> None:
    if not session.stop(KIND, msg.reqId):
        raise Refusal(365, f"No scanner subscription found for ticker id:{msg.reqId}")
    session.error(
        msg.reqId, 162, f"Historical Market Data Service error message:API scanner subscription cancelled: {msg.reqId}"
    )


HANDLERS: Handlers = {
    m.ReqScannerParameters: req_scanner_parameters,
    m.ReqScannerSubscription: req_scanner_subscription,
    m.CancelScannerSubscription: cancel_scanner_subscription,
}
