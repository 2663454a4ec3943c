"""The floor: a loop that only cuts messages out of the stream and splits them; no names, numbers or state.

What it sends was made beforehand with ibkit's codec. It answers every ``every`` messages with the next frame, which
is all that a handler could do sooner.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence

from bench.clients.job import ACCOUNT, HOST, Job, Meter, contract_id, order_price, symbol
from ibkit.model import LimitOrder, Stock
from ibkit.wire import Codec, Role, handshake
from ibkit.wire import messages as m

FIRST_ORDER = 1
ANSWERS_PER_ORDER, ANSWERS_PER_CHANGE = 6, 2


class Loop:
    """The socket and what is left of the last read."""

    def __init__(self, sock: socket.socket, text: bool) -> None:
        self.sock, self.text = sock, text
        self._data, self._start = b"", 0
        self.messages = 0
        self._end = b"49" if text else (49 + 200).to_bytes(4, "big")

    def body(self) -> bytes:
        """Return the next message; for what is not measured."""
        while True:
            start = self._start
            if len(self._data) >= start + 4:
                end = start + 4 + int.from_bytes(self._data[start : start + 4], "big")
                if len(self._data) >= end:
                    self._start = end
                    return self._data[start + 4 : end]
            self._data, self._start = self._data[start:] + self._read(), 0

    def _read(self) -> bytes:
        data = self.sock.recv(1 << 18)
        if not data:
            raise ConnectionError("the gateway has gone")
        return data

    def until_time(self, answers: Iterator[bytes] | None = None, every: int = 1) -> None:
        """Cut and split everything up to the answer about the time."""
        unpack, text, ending = struct.Struct(">I").unpack_from, self.text, self._end
        data, start, count = self._data, self._start, 0
        while True:
            size = len(data)
            while start + 4 <= size:
                end = start + 4 + unpack(data, start)[0]
                if end > size:
                    break
                body = data[start + 4 : end]
                start = end
                count += 1
                if (body.split(b"\0")[0] if text else body[:4]) == ending:
                    self._data, self._start = data, start
                    self.messages = count - 1
                    return
                if answers is not None and not count % every and (answer := next(answers, None)) is not None:
                    self.sock.sendall(answer)
            data, start = data[start:] + self._read(), 0


class Program:
    """One connection and what it does."""

    def __init__(self, job: Job) -> None:
        self.job = job
        sock = socket.create_connection((HOST, job.port), 60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(handshake.client_hello())
        self.codec = Codec(Role.CLIENT, job.version)
        self.loop = Loop(sock, job.version < 201)
        version = handshake.read_server_hello(self.loop.body()).version
        assert version == job.version
        self.send(m.StartApi(1, ""))
        for _ in range(3):
            self.loop.body()
        self.sock = sock

    def send(self, *messages: m.Message) -> None:
        self.loop.sock.sendall(b"".join(map(self.codec.encode, messages)))

    def stock(self, i: int) -> Stock:
        return Stock(symbol(i), "SMART", "USD", conId=contract_id(i))

    def place(self, order_id: int, i: int) -> bytes:
        order = LimitOrder("BUY", 100, order_price(i), orderId=order_id, tif="DAY", account=ACCOUNT)
        return self.codec.encode(m.PlaceOrder(order_id, self.stock(0), order))

    def prepare(self) -> None:
        """Have the gateway make ready."""
        self.send(m.ReqCurrentTime())
        self.loop.until_time()

    def measure(self, items: int, answers: Sequence[bytes] = (), every: int = 1, first: bytes = b"") -> None:
        """Take all that the gateway plays."""
        trigger = first + self.codec.encode(m.ReqCurrentTime())
        with Meter() as meter:
            self.sock.sendall(trigger)
            self.loop.until_time(iter(answers) if answers else None, every)
        self.job.metrics["cpu_us"] = 1e6 * meter.cpu / items
        self.job.metrics["wall_us"] = 1e6 * meter.wall / items

    # -- the scenarios -------------------------------------------------------------------------------

    def ticks(self) -> None:
        stream = self.job.params["stream"]
        for i in range(self.job.number("tickers")):
            contract = self.stock(i)
            if stream == "tick-by-tick":
                self.send(m.ReqTickByTickData(i + 1, contract, ("AllLast", "BidAsk")[i % 2], 0, False))
            elif stream == "depth":
                self.send(m.ReqMktDepth(i + 1, contract, 10, False, []))
            else:
                self.send(m.ReqMktData(i + 1, contract, "", False, False, []))
        self.prepare()
        self.measure(self.job.number("messages"))
        self.job.outcome["ticks"] = self.loop.messages

    def tick_to_order(self) -> None:
        self.send(m.ReqMktData(1, self.stock(0), "", False, False, []))
        count = self.job.number("orders")
        orders = [self.place(FIRST_ORDER + i, i) for i in range(count)]
        self.prepare()
        self.measure(count, orders)
        self.job.outcome["orders"] = self.loop.messages

    def orders(self) -> None:
        count = self.job.number("orders")
        warm_up, first, *orders = [self.place(FIRST_ORDER + i, 0) for i in range(count + 1)]
        self.sock.sendall(warm_up)
        self.prepare()
        self.measure(count, orders, ANSWERS_PER_ORDER, first)
        self.job.outcome["orders"] = 1 + self.loop.messages // ANSWERS_PER_ORDER

    def modify(self) -> None:
        count = self.job.number("orders")
        order, first, *changes = [self.place(FIRST_ORDER, i) for i in range(count + 1)]
        self.sock.sendall(order)
        self.prepare()
        self.measure(count, changes, ANSWERS_PER_CHANGE, first)
        self.job.outcome["modified"] = self.loop.messages // ANSWERS_PER_CHANGE

    def bars(self) -> None:
        def ask(req_id: int, duration: str) -> bytes:
            kind = self.job.number("format", 1)
            return self.codec.encode(
                m.ReqHistoricalData(req_id, self.stock(0), "", "1 min", duration, False, "TRADES", kind, False, [])
            )

        self.sock.sendall(ask(1, "1 D"))
        self.prepare()
        self.measure(self.job.number("bars"), first=ask(2, "100 D"))
        self.job.outcome["bars"] = self.job.number("bars") if self.loop.messages else 0


def main() -> None:
    """Do the job."""
    job = Job.given()
    program = Program(job)
    getattr(program, job.kind)()
    job.report()
    program.sock.close()


if __name__ == "__main__":
    main()
