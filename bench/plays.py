"""What the gateway does in each kind of scenario, once the connection stands.

A client subscribes, calls reqCurrentTime to have everything made ready, and calls it again to be sent all of it: the
answer comes last, so every client measures around one call. Must not know sockets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from bench import orders
from bench.clients.job import order_price
from bench.scenarios import Params
from bench.traffic import STREAMS, Stream, bars
from ibkit.wire import Codec
from ibkit.wire import messages as m

PATIENCE_S = 30.0
"""For an order that does not come."""


class Line(Protocol):
    """The connection to the client."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def later(self, delay_s: float, data: bytes) -> None:
        """Send it after a time."""

    def exchange(self, data: bytes, patience_s: float) -> tuple[list[m.Message], float]:
        """Send, wait busily for the next message or messages; return them, and the seconds it took."""


class Play:
    """Answers nothing but the time, at once."""

    def __init__(self, params: Params, codec: Codec) -> None:
        self.params, self.codec = params, codec
        self.time = codec.encode(m.CurrentTime(1_704_466_800))
        self.expected: dict[str, object] = {}
        self.metrics: dict[str, float] = {}
        self.faults: list[str] = []

    def begin(self) -> None:
        """Take note of a new client."""
        self.expected, self.metrics, self.faults = {}, {}, []

    def number(self, name: str, default: int = 0) -> int:
        """Return a number of the scenario."""
        return int(self.params.get(name, default))

    def take(self, message: m.Message, line: Line) -> None:
        """Answer a message."""
        if isinstance(message, m.ReqCurrentTime):
            line.send(self.time)


class Ticks(Play):
    """Streams of market data. What one set of subscriptions gets is made once and kept for the next client."""

    def __init__(self, params: Params, codec: Codec) -> None:
        super().__init__(params, codec)
        self._make = STREAMS[str(params["stream"])]
        self._made: dict[tuple[int, ...], tuple[Stream, list[bytes]]] = {}
        self._ids: list[int] = []
        self._ready: tuple[int, ...] = ()

    def begin(self) -> None:
        super().begin()
        self._ids, self._ready = [], ()

    def take(self, message: m.Message, line: Line) -> None:
        match message:
            case m.ReqMktData() | m.ReqTickByTickData() | m.ReqMktDepth():
                self._ids.append(message.reqId)
            case m.ReqCurrentTime():
                ids = tuple(self._ids)
                if ids not in self._made:
                    stream = self._make(self.codec, ids, self.number("messages"))
                    self._made[ids] = stream, self._packets(stream.frames)
                stream, packets = self._made[ids]
                if ids != self._ready:
                    self._ready = ids
                    self.expected = stream.expected
                    line.send(b"".join(stream.image))
                else:
                    self._play(packets, line)
                line.send(self.time)

    def _packets(self, frames: list[bytes]) -> list[bytes]:
        per, cut = self.number("per_packet"), self.number("cut")
        if per:
            return [b"".join(frames[i : i + per]) for i in range(0, len(frames), per)]
        whole = b"".join(frames)
        return [whole[i : i + cut] for i in range(0, len(whole), cut)] if cut else [whole]

    def _play(self, packets: list[bytes], line: Line) -> None:
        rate = self.number("rate")
        interval = self.number("per_packet") / rate if rate else 0.0
        due = time.perf_counter()
        for packet in packets:
            if interval:
                due += interval
                if (early := due - time.perf_counter()) > 0:
                    time.sleep(early)
            line.send(packet)


class TickToOrder(Play):
    """One tick at a time; the delay until the order comes is measured here, where it counts."""

    def __init__(self, params: Params, codec: Codec) -> None:
        super().__init__(params, codec)
        self._id: int | None = None
        self._ready = False

    def begin(self) -> None:
        super().begin()
        self._id, self._ready = None, False

    def take(self, message: m.Message, line: Line) -> None:
        if isinstance(message, m.ReqMktData):
            self._id = message.reqId
        elif isinstance(message, m.ReqCurrentTime) and self._id is not None:
            if self._ready:
                self._play(self._id, line)
            else:
                line.send(self.codec.encode(m.TickPrice(self._id, 1, 1.0, 100.0, 0)))
            self._ready = True
            line.send(self.time)

    def _play(self, req_id: int, line: Line) -> None:
        count, gap = self.number("orders"), float(self.params["gap_ms"]) / 1000
        ticks = [self.codec.encode(m.TickPrice(req_id, 1, order_price(i), 100.0 + i, 0)) for i in range(count)]
        delays, ids = [], set()
        for i, tick in enumerate(ticks):
            time.sleep(gap)  # the client has gone to sleep by then, as it would between real ticks
            answer, delay = line.exchange(tick, PATIENCE_S)
            if len(answer) != 1 or not isinstance(answer[0], m.PlaceOrder):
                self.faults.append(f"tick {i} was answered by {answer}")
                break
            order = answer[0]
            if order.order.lmtPrice != order_price(i) or order.orderId in ids:
                self.faults.append(f"tick {i} at {order_price(i)} was answered by {order}")
            ids.add(order.orderId)
            delays.append(delay)
        delays.sort()
        self.expected = {"orders": count}
        self.metrics = {
            name: round(1e6 * delays[min(len(delays) - 1, int(len(delays) * part))], 1)
            for name, part in (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999))
            if delays
        }


class Orders(Play):
    """Acknowledges each order and, a moment later, fills it; the first one is placed before the measurement."""

    SLACK = 200
    """Ids that clients may use for other requests."""

    def __init__(self, params: Params, codec: Codec) -> None:
        super().__init__(params, codec)
        count = self.number("orders")
        self._gap = float(params["gap_ms"]) / 1000
        ids = range(1, count + self.SLACK)
        self._answers = {i: self._answer(i) for i in ids}
        self._filled: set[int] = set()
        self._asked = self._ready = False

    def _answer(self, order_id: int) -> tuple[bytes, bytes]:
        price = order_price(0)
        return orders.acknowledgement(self.codec, order_id, price), orders.filling(self.codec, order_id, price)

    def begin(self) -> None:
        super().begin()
        count = self.number("orders") + 1
        self._filled, self._asked, self._ready = set(), False, False
        self.expected = {"orders": count, "filled_once": count, "commissions": count * orders.COMMISSION}

    def take(self, message: m.Message, line: Line) -> None:
        if isinstance(message, m.PlaceOrder):
            if message.orderId in self._filled:
                self.faults.append(f"order {message.orderId} came again")
            self._filled.add(message.orderId)
            acknowledged, filled = self._answers.get(message.orderId) or self._answer(message.orderId)
            line.send(acknowledged)
            time.sleep(self._gap)
            line.send(filled)
        elif isinstance(message, m.ReqCurrentTime):
            self._asked = True
        if self._asked and len(self._filled) == (self.number("orders") + 1 if self._ready else 1):
            self._asked, self._ready = False, True
            line.send(self.time)


class Modify(Play):
    """Acknowledges an order, and every change of it."""

    def __init__(self, params: Params, codec: Codec) -> None:
        super().__init__(params, codec)
        self._made: dict[int, list[bytes]] = {}
        self._next = 0
        self._asked = self._ready = False

    def begin(self) -> None:
        super().begin()
        self._next, self._asked, self._ready = 0, False, False
        self.expected = {"modified": self.number("orders"), "price": order_price(self.number("orders"))}

    def take(self, message: m.Message, line: Line) -> None:
        count = self.number("orders")
        if isinstance(message, m.PlaceOrder):
            if message.orderId not in self._made:
                answers = [
                    orders.acknowledgement(self.codec, message.orderId, order_price(i)) for i in range(count + 1)
                ]
                self._made[message.orderId] = answers
            if message.order.lmtPrice != order_price(self._next):
                self.faults.append(f"change {self._next} has the price {message.order.lmtPrice}")
            if self._next <= count:
                line.send(self._made[message.orderId][self._next])
            self._next += 1
        elif isinstance(message, m.ReqCurrentTime):
            self._asked = True
        if self._asked and (not self._ready or self._next == count + 1):
            self._asked, self._ready = False, True
            line.send(self.time)


class Bars(Play):
    """Answers to requests for bars, at once or after a delay; "1 D" asks for a few bars to warm up."""

    WARM_UP: ClassVar[int] = 10

    def __init__(self, params: Params, codec: Codec) -> None:
        super().__init__(params, codec)
        self._made: dict[tuple[int, int], tuple[bytes, dict[str, object]]] = {}
        self._last_id = 0
        self._times: list[float] = []
        self._ready = False

    def begin(self) -> None:
        super().begin()
        self._times, self._ready = [], False

    def _answer(self, req_id: int, count: int) -> bytes:
        if (req_id, count) not in self._made:
            self._made[req_id, count] = bars(self.codec, req_id, count, self.number("format", 1))
        answer, expected = self._made[req_id, count]
        if count != self.WARM_UP:
            self.expected = expected
        return answer

    def take(self, message: m.Message, line: Line) -> None:
        count, concurrent = self.number("bars"), self.number("histories")
        if isinstance(message, m.ReqHistoricalData):
            self._last_id = message.reqId
            if message.durationStr == "1 D":
                line.send(self._answer(message.reqId, self.WARM_UP))
            else:
                line.later(float(self.params.get("delay_ms", 0)) / 1000, self._answer(message.reqId, count))
                self._times.append(time.perf_counter())
                self._note_rate()
        elif isinstance(message, m.ReqCurrentTime):
            if not self._ready:  # what will be asked for next is made before it is
                for req_id in range(self._last_id + 1, self._last_id + 1 + max(1, concurrent)):
                    self._answer(req_id, count)
            self._ready = True
            line.send(self.time)

    def _note_rate(self) -> None:
        if self.number("histories"):
            since = self._times[-1] - 1.0
            rate = sum(moment > since for moment in self._times)
            self.metrics["most_per_s"] = max(rate, self.metrics.get("most_per_s", 0))


PLAYS: Mapping[str, Callable[[Params, Codec], Play]] = {
    "ticks": Ticks,
    "growth": Ticks,
    "memory_tickers": Ticks,
    "tick_to_order": TickToOrder,
    "orders": Orders,
    "modify": Modify,
    "bars": Bars,
    "frame": Bars,
    "histories": Bars,
    "connect": Play,
}
"""By kind; what is not here needs no gateway."""
