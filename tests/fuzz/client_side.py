"""A hostile gateway: the engine of a connection is fed spoiled answers while requests of every kind wait for theirs."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ibkit.engine import placing, session
from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.engine.signals import IBEvents
from ibkit.errors import IbkitError, ProtocolError
from ibkit.model import (
    Contract,
    ExecutionFilter,
    LimitOrder,
    MarketOrder,
    OrderCancel,
    ScannerSubscription,
    WshEventData,
)
from ibkit.requests import account, market, news, options, orders, past, reference, scanner, system
from ibkit.wire import MAX_VERSION, Codec, Role, handshake
from ibkit.wire import messages as m
from ibkit.wire.framing import MAX_LENGTH
from tests.fuzz import corpus, mutation
from tests.fuzz.findings import Findings, Watcher, no_hang

START: Final = 1_704_898_800.0
FRAMES: Final = 200  # of a session, at most

APPLE = Contract(secType="STK", conId=265598, symbol="AAPL", exchange="SMART", currency="USD")
SPY = Contract(secType="STK", symbol="SPY", exchange="SMART", currency="USD")
OPTION = Contract(
    secType="OPT", symbol="SPY", lastTradeDateOrContractMonth="20240216", strike=470.0, right="C", exchange="SMART",
    currency="USD",
)  # fmt: skip

# Everything a user can have going on; each is tried anew now and then.
ASKING: tuple[Callable[[Engine], object], ...] = (
    lambda e: market._mkt_data(e, APPLE, "233,236,258,292", False, False, []),
    lambda e: market._mkt_data(e, SPY, "", False, False, []),
    lambda e: market._mkt_data(e, OPTION, "", True, False, []),
    lambda e: market._tickers(e, [APPLE, SPY], False),
    lambda e: market._tick_by_tick(e, APPLE, "AllLast", 10, False),
    lambda e: market._tick_by_tick(e, APPLE, "BidAsk", 0, False),
    lambda e: market._tick_by_tick(e, SPY, "MidPoint", 0, False),
    lambda e: past.historical_data(e, APPLE, "", "1 D", "1 min", "TRADES", True, 1, False, [], 60),
    lambda e: past.historical_data(e, SPY, "", "1 D", "1 day", "TRADES", True, 2, True, [], 0),
    lambda e: past.historical_schedule(e, APPLE, 5, "", True),
    lambda e: past.real_time_bars(e, APPLE, 5, "TRADES", False, []),
    lambda e: past.ticks_of(APPLE, "", START_TEXT, 10, "TRADES", False, False, [])(e),
    lambda e: past.ticks_of(APPLE, "", START_TEXT, 10, "BID_ASK", False, False, [])(e),
    lambda e: past.ticks_of(APPLE, "", START_TEXT, 10, "MIDPOINT", False, False, [])(e),
    lambda e: past.head_timestamp(e, APPLE, "TRADES", True, 1),
    lambda e: past.histogram_data(e, APPLE, True, "3 days"),
    lambda e: reference._contract_details(e, SPY),
    lambda e: reference._qualify(e, [Contract(secType="STK", symbol="IBM", exchange="SMART"), OPTION]),
    lambda e: reference._matching_symbols(e, "App"),
    lambda e: reference._market_rule(e, 26),
    lambda e: reference._option_chains(e, "AAPL", "", "STK", 265598),
    lambda e: reference._smart_components(e, "9c0001"),
    lambda e: reference._mkt_depth_exchanges(e),
    lambda e: reference._fundamental_data(e, APPLE, "ReportSnapshot", []),
    lambda e: orders.open_orders(e),
    lambda e: orders.all_open_orders(e),
    lambda e: orders.completed_orders(e, False),
    lambda e: orders.executions(e, ExecutionFilter()),
    lambda e: placing.place(e, APPLE, LimitOrder("BUY", 10, 100.0)),
    lambda e: placing.place(e, SPY, MarketOrder("SELL", 1)),
    lambda e: placing.preview(e, APPLE, MarketOrder("BUY", 10)),
    lambda e: account.positions(e),
    lambda e: account.account_updates(e, "DU1234567"),
    lambda e: account.account_updates_multi(e, "DU1234567", ""),
    lambda e: account.positions_multi(e, "DU1234567", ""),
    lambda e: account.account_summary(e),
    lambda e: account.advisor_data(e, 1),
    lambda e: account._pnl(e, "DU1234567", ""),
    lambda e: account._pnl_single(e, "DU1234567", "", 265598),
    lambda e: account._family_codes(e),
    lambda e: account._soft_dollar_tiers(e),
    lambda e: news._providers(e),
    lambda e: news._article(e, "BRFG", "BRFG$1", []),
    lambda e: news._historical_news(e, 265598, "BRFG", "", "", 5, []),
    lambda e: news._bulletins(e, True),
    lambda e: news._get_wsh_meta(e),
    lambda e: news._get_wsh_events(e, WshEventData(conId=265598)),
    lambda e: options._implied_volatility(e, OPTION, 5.0, 470.0, []),
    lambda e: options._option_price(e, OPTION, 0.2, 470.0, []),
    lambda e: scanner._subscribe(e, ScannerSubscription(instrument="STK", scanCode="TOP_PERC_GAIN"), [], []),
    lambda e: scanner._scan_once(e, ScannerSubscription(instrument="STK"), [], []),
    lambda e: scanner._parameters(e),
    lambda e: system._current_time(e),
    lambda e: system._current_time_in_millis(e),
    lambda e: system._ids(e),
    lambda e: system._user_info(e),
    lambda e: system._display_groups(e),
    lambda e: system._config(e),
    lambda e: system._verify(e, m.VerifyRequest("fuzz", "1")),
)
START_TEXT: Final = "20240110-15:00:00"


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
        self.events = IBEvents()
        self.told = Told()
        self.listeners = [partial(self.told.listen, name) for name in IBEvents.events]  # an event holds them weakly
        for name, listener in zip(IBEvents.events, self.listeners, strict=True):
            getattr(self.events, name).connect(listener)
        self.engine = Engine(self.events, name="the fuzzer")
        self.engine.settings.RaiseRequestErrors = rng.random() < 0.7  # type: ignore[misc]
        self.now = 100.0
        self.engine.touch(self.now, START)
        self.calls: list[Call[Any]] = []
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

    def ask(self, act: Callable[[Engine], object]) -> None:
        """Request something, as far as the gateway knows it."""
        try:
            found = act(self.engine)
        except IbkitError:  # this version has no such request, or a number the gateway gave cannot be sent back
            return
        if isinstance(found, Call):
            self.calls.append(found)

    def idle(self) -> None:
        """Let time pass, change one's mind about something."""
        rng = self.rng
        self.now += rng.choice((0.0, 0.01, 0.5, 3.0, 30.0))
        self.engine.touch(self.now, START + self.now)
        due = self.engine.deadline()
        if due is not None and due <= self.now:
            self.engine.fire(self.now, START + self.now)
        self.engine.output(self.now)
        self.calls = [call for call in self.calls if not call.done]
        if self.calls and rng.random() < 0.1:
            rng.choice(self.calls).cancel()
        if rng.random() < 0.1:
            trades = list(self.engine.state.orders)
            if trades:
                self.ask(lambda engine: placing.cancel(engine, rng.choice(trades).order, OrderCancel()))


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
        client.ask(act)
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
                client.ask(rng.choice(ASKING))
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
    if engine._frames.pending() > MAX_LENGTH + 4:
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
    for call in client.calls:
        if not call.done:
            findings.note(f"a call is not done after the end: {call.name.partition('(')[0]}")
