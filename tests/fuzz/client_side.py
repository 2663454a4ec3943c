"""A hostile gateway: the engine of a connection is fed spoiled answers while requests of every kind wait for theirs."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from ibkit.engine import session
from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.engine.signals import IBEvents
from ibkit.errors import IbkitError, ProtocolError
from ibkit.ib import IB
from ibkit.model import Contract, LimitOrder, MarketOrder, ScannerSubscription, WshEventData
from ibkit.wire import MAX_VERSION, Codec, Role, handshake
from ibkit.wire import messages as m
from ibkit.wire.framing import MAX_LENGTH
from tests.fuzz import corpus, mutation
from tests.fuzz.findings import Findings, Watcher, no_hang

T = TypeVar("T")
START: Final = 1_704_898_800.0
FRAMES: Final = 200  # of a session, at most

APPLE = Contract(secType="STK", conId=265598, symbol="AAPL", exchange="SMART", currency="USD")
NASDAQ = Contract(secType="STK", conId=265598, symbol="AAPL", exchange="NASDAQ", currency="USD")
SPY = Contract(secType="STK", symbol="SPY", exchange="SMART", currency="USD")
OPTION = Contract(
    secType="OPT", symbol="SPY", lastTradeDateOrContractMonth="20240216", strike=470.0, right="C", exchange="SMART",
    currency="USD",
)  # fmt: skip

# Everything a user can have going on; each is tried anew now and then.
ASKING: tuple[Callable[[Fuzzed], object], ...] = (
    lambda ib: ib.reqMktData(APPLE, "233,236,258,292"),
    lambda ib: ib.reqMktData(SPY),
    lambda ib: ib.reqMktData(OPTION, "", True),
    lambda ib: ib.reqMktDepth(NASDAQ, 5),
    lambda ib: ib.reqTickersAsync(APPLE, SPY),
    lambda ib: ib.reqTickByTickData(APPLE, "AllLast", 10),
    lambda ib: ib.reqTickByTickData(APPLE, "BidAsk"),
    lambda ib: ib.reqTickByTickData(SPY, "MidPoint"),
    lambda ib: ib.reqHistoricalDataAsync(APPLE, "", "1 D", "1 min", "TRADES", True),
    lambda ib: ib.reqHistoricalDataAsync(SPY, "", "1 D", "1 day", "TRADES", True, 2, True),
    lambda ib: ib.reqHistoricalScheduleAsync(APPLE, 5),
    lambda ib: ib.reqRealTimeBars(APPLE, 5, "TRADES", False),
    lambda ib: ib.reqHistoricalTicksAsync(APPLE, "", START_TEXT, 10, "TRADES", False),
    lambda ib: ib.reqHistoricalTicksAsync(APPLE, "", START_TEXT, 10, "BID_ASK", False),
    lambda ib: ib.reqHistoricalTicksAsync(APPLE, "", START_TEXT, 10, "MIDPOINT", False),
    lambda ib: ib.reqHeadTimeStampAsync(APPLE, "TRADES", True, 1),
    lambda ib: ib.reqHistogramDataAsync(APPLE, True, "3 days"),
    lambda ib: ib.reqContractDetailsAsync(SPY),
    lambda ib: ib.qualifyContractsAsync(Contract(secType="STK", symbol="IBM", exchange="SMART"), OPTION),
    lambda ib: ib.reqMatchingSymbolsAsync("App"),
    lambda ib: ib.reqMarketRuleAsync(26),
    lambda ib: ib.reqSecDefOptParamsAsync("AAPL", "", "STK", 265598),
    lambda ib: ib.reqSmartComponentsAsync("9c0001"),
    lambda ib: ib.reqMktDepthExchangesAsync(),
    lambda ib: ib.reqFundamentalDataAsync(APPLE, "ReportSnapshot"),
    lambda ib: ib.reqOpenOrdersAsync(),
    lambda ib: ib.reqAllOpenOrdersAsync(),
    lambda ib: ib.reqCompletedOrdersAsync(False),
    lambda ib: ib.reqExecutionsAsync(),
    lambda ib: ib.placeOrder(APPLE, LimitOrder("BUY", 10, 100.0)),
    lambda ib: ib.placeOrder(SPY, MarketOrder("SELL", 1)),
    lambda ib: ib.whatIfOrderAsync(APPLE, MarketOrder("BUY", 10)),
    lambda ib: ib.reqPositionsAsync(),
    lambda ib: ib.reqAccountUpdatesAsync("DU1234567"),
    lambda ib: ib.reqAccountUpdatesMultiAsync("DU1234567"),
    lambda ib: ib.reqPositionsMultiAsync("DU1234567"),
    lambda ib: ib.reqAccountSummaryAsync(),
    lambda ib: ib.requestFAAsync(1),
    lambda ib: ib.reqPnL("DU1234567"),
    lambda ib: ib.reqPnLSingle("DU1234567", "", 265598),
    lambda ib: ib.reqFamilyCodesAsync(),
    lambda ib: ib.reqSoftDollarTiersAsync(),
    lambda ib: ib.reqNewsProvidersAsync(),
    lambda ib: ib.reqNewsArticleAsync("BRFG", "BRFG$1"),
    lambda ib: ib.reqHistoricalNewsAsync(265598, "BRFG", "", "", 5),
    lambda ib: ib.reqNewsBulletins(True),
    lambda ib: ib.getWshMetaDataAsync(),
    lambda ib: ib.getWshEventDataAsync(WshEventData(conId=265598)),
    lambda ib: ib.calculateImpliedVolatilityAsync(OPTION, 5.0, 470.0),
    lambda ib: ib.calculateOptionPriceAsync(OPTION, 0.2, 470.0),
    lambda ib: ib.reqScannerSubscription(ScannerSubscription(instrument="STK", scanCode="TOP_PERC_GAIN")),
    lambda ib: ib.reqScannerDataAsync(ScannerSubscription(instrument="STK")),
    lambda ib: ib.reqScannerParametersAsync(),
    lambda ib: ib.reqCurrentTimeAsync(),
    lambda ib: ib.reqCurrentTimeInMillisAsync(),
    lambda ib: ib.reqIdsAsync(),
    lambda ib: ib.reqUserInfoAsync(),
    lambda ib: ib.queryDisplayGroupsAsync(),
    lambda ib: ib.reqConfigAsync(),
    lambda ib: ib.verifyRequestAsync("fuzz", "1"),
)
START_TEXT: Final = "20240110-15:00:00"


class Never:
    """What is awaited and does not come while anybody waits."""

    def __await__(self) -> Generator[None, None, Any]:
        while True:
            yield


class Fuzzed(IB):
    """An IB whose connection is driven by hand: what it asks for is kept as calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call[Any]] = []
        self.waiting: list[Coroutine[Any, Any, Any]] = []
        self.engine = Engine(self, self._state, self, name="the fuzzer")

    def _do(self, act: Callable[[Engine], T]) -> T:
        return act(self.engine)

    def _future(self, start: Callable[[Engine], Call[T]]) -> Awaitable[T]:
        self.calls.append(start(self.engine))
        return Never()

    def ask(self, act: Callable[[Fuzzed], object]) -> None:
        """Request something, as far as the gateway knows it."""
        with suppress(IbkitError):  # not in this version, or with a number that cannot be sent back
            found = act(self)
            if isinstance(found, Coroutine):
                found.send(None)
                self.waiting.append(found)


class Told:
    """A program that looks at everything it is told, and turns some of it into text."""

    def __init__(self) -> None:
        self.undecodable = 0
        self.texts = 0

    def listen(self, name: str, *args: Any) -> None:
        self.texts += len(repr(args)) if self.texts % 7 == 0 else 1
        if name == "errorEvent" and args[1] == 508:
            self.undecodable += 1
        for arg in args:
            if name == "pendingTickersEvent":
                for ticker in arg:
                    ticker.marketPrice(), ticker.midpoint(), ticker.hasBidAsk()


class Client:
    """One connection of the engine under test, at a server version."""

    def __init__(self, rng: random.Random, version: int) -> None:
        self.rng = rng
        self.version = version
        self.ib = Fuzzed()
        self.ib.RaiseRequestErrors = rng.random() < 0.7
        self.told = Told()
        self.listeners = [partial(self.told.listen, name) for name in IBEvents.events]  # an event holds them weakly
        for name, listener in zip(IBEvents.events, self.listeners, strict=True):
            getattr(self.ib, name).connect(listener)
        self.engine = self.ib.engine
        self.now = 100.0
        self.engine.touch(self.now, START)
        session.begin(self.engine)
        server = Codec(Role.SERVER, version)
        self.feed(handshake.server_hello(version, "20240110 10:00:00 EST"))
        self.feed(server.encode(m.ManagedAccts("DU1234567")) + server.encode(m.NextValidId(1)))

    def feed(self, data: bytes) -> None:
        """Let bytes arrive, as a host does; raises ProtocolError when the stream has come to nothing."""
        self.engine.receive(data, self.now, START + self.now)
        try:
            while self.engine.step(self.now):
                pass
        finally:
            self.engine.end_batch(self.now)
        self.engine.output(self.now)

    def idle(self) -> None:
        """Let time pass, change one's mind about something."""
        rng = self.rng
        self.now += rng.choice((0.0, 0.01, 0.5, 3.0, 30.0))
        self.engine.touch(self.now, START + self.now)
        due = self.engine.deadline()
        if due is not None and due <= self.now:
            self.engine.fire(self.now, START + self.now)
        self.engine.output(self.now)
        calls = self.ib.calls = [call for call in self.ib.calls if not call.done]
        if calls and rng.random() < 0.1:
            rng.choice(calls).cancel()
        trades = self.ib.trades()
        if trades and rng.random() < 0.1:
            self.ib.ask(lambda ib: ib.cancelOrder(rng.choice(trades).order))


def stream(rng: random.Random, version: int, valid: float) -> bytes:
    """Return some frames as they could come in one read; seldom one whose length lies."""
    frames = []
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        body = corpus.body(rng, False, version, valid)
        frames.append(len(body).to_bytes(4, "big") + body)
    if rng.random() < 0.001:
        lie = rng.choice((MAX_LENGTH + 1, 2**31, 2**32 - 1, 2**32 - 4, 0x47455420))
        frames.append(lie.to_bytes(4, "big") + rng.randbytes(rng.randint(0, 50)))
    elif rng.random() < 0.001:
        frames.append(rng.randbytes(rng.randint(1, 200)))
    return b"".join(frames)


def run_session(findings: Findings, watcher: Watcher, seed: str, versions: tuple[int, ...] = corpus.VERSIONS) -> None:
    """Run one connection to its end; everything follows from ``seed``."""
    rng = random.Random(seed)
    version = rng.choice(versions)
    valid = rng.choice((0.05, 0.3, 0.8))
    client = Client(rng, version)
    for act in rng.sample(ASKING, rng.randint(5, len(ASKING))):
        client.ib.ask(act)
    ended: ProtocolError | None = None
    frames = 0
    while frames < FRAMES and ended is None:
        data = stream(rng, version, valid)
        frames += max(1, _count(data))
        for piece in mutation.chunks(rng, data):
            before = time.perf_counter()
            try:
                with no_hang():
                    client.feed(piece)
            except ProtocolError as error:
                ended = error
                break
            except Exception as error:  # the point of it all
                findings.failed(error)
                break
            findings.took(time.perf_counter() - before)
        try:
            client.idle()
            if rng.random() < 0.2:
                client.ib.ask(rng.choice(ASKING))
        except Exception as error:  # the same
            findings.failed(error)
    findings.frames += frames
    findings.malformed += client.engine.malformed
    findings.unknown += _unknown(client.engine)
    _end(findings, client, ended)


def _count(data: bytes) -> int:
    count, at = 0, 0
    while at + 4 <= len(data):
        at += 4 + int.from_bytes(data[at : at + 4], "big")
        count += at <= len(data)
    return count


def _unknown(engine: Engine) -> int:
    codec = engine._codec
    return 0 if codec is None else sum(codec.unknown_ids.values())


def _end(findings: Findings, client: Client, ended: ProtocolError | None) -> None:
    """Close the connection and look at what is left."""
    engine = client.engine
    if ended is not None:
        findings.cut_off += 1
        if engine.refusal is not ended:
            findings.note("the reason of the end is not kept")
    if ended is None and engine._frames.pending() > MAX_LENGTH + 4:  # after the end it is the rest of one read
        findings.note(f"{engine._frames.pending()} bytes are buffered")
    if client.told.undecodable < engine.malformed:
        findings.note(
            "messages that could not be decoded were not all told", f"{client.told.undecodable} {engine.malformed}"
        )
    if not handshake.MIN_VERSION <= engine.version <= MAX_VERSION:
        findings.note(f"the version is {engine.version}")
    try:
        engine.closed(str(ended) if ended else "the fuzzer hangs up")
    except Exception as error:  # it must not fail, whatever came before
        findings.failed(error)
    for coroutine in client.ib.waiting:
        coroutine.close()
    for call in client.ib.calls:
        if not call.done:
            findings.note(f"a call is not done after the end: {call.name.partition('(')[0]}")
