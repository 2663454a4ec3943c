"""Orders: placing, changing, cancelling, previewing, and what is known about them and their fills.

Must not know how answers are put together; the engine does.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

from ibkit.engine import forgetting, placing
from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.errors import InvalidRequest
from ibkit.model import (
    BracketOrder,
    Contract,
    Execution,
    ExecutionFilter,
    Fill,
    LimitOrder,
    Number,
    Order,
    OrderCancel,
    OrderState,
    StopOrder,
    Trade,
)
from ibkit.requests import refusing
from ibkit.requests.base import Requests, run
from ibkit.wire import messages as m

OrderT = TypeVar("OrderT", bound=Order)


def _preview(engine: Engine, contract: Contract, order: Order) -> Call[OrderState]:
    refusing.check_order(order, engine.version)
    return placing.preview(engine, contract, order)


def open_orders(engine: Engine, timeout: float | None = None) -> Call[list[Trade]]:
    """Ask for the open orders of this client."""
    return _orders(engine, m.ReqOpenOrders(), "openOrders", "reqOpenOrders()", timeout)


def all_open_orders(engine: Engine) -> Call[list[Trade]]:
    """Ask for the open orders of all clients."""
    # The same key: OPEN_ORDER_END does not tell whose question it answers.
    return _orders(engine, m.ReqAllOpenOrders(), "openOrders", "reqAllOpenOrders()", None)


def completed_orders(engine: Engine, api_only: bool, timeout: float | None = None) -> Call[list[Trade]]:
    """Ask for the orders that have ended today."""
    name = f"reqCompletedOrders({api_only})"
    return _orders(engine, m.ReqCompletedOrders(api_only), "completedOrders", name, timeout)


def _orders(engine: Engine, message: m.Request, key: str, name: str, timeout: float | None) -> Call[list[Trade]]:
    trades: Call[list[Trade]] = engine.ask(message, key=key, name=name, timeout=timeout)
    return trades.map(lambda trades: list(dict.fromkeys(trades)))  # TWS tells some orders twice


def executions(engine: Engine, filter: ExecutionFilter, timeout: float | None = None) -> Call[list[Fill]]:
    """Ask for executions."""
    req_id = engine.next_id()
    return engine.ask(m.ReqExecutions(req_id, filter), key=req_id, name=f"reqExecutions({filter})", timeout=timeout)


class OrderRequests(Requests):
    """Orders and fills."""

    # -- what is known -------------------------------------------------------------------------------

    def trades(self) -> list[Trade]:
        """Return all trades: orders of today, and those that were placed or told while connected.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), LimitOrder('BUY', 100, 100))
        >>> ib.trades() == [trade]
        True
        """
        return list(self._state.orders.held)

    def openTrades(self) -> list[Trade]:
        """Return the trades whose order has not ended.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), LimitOrder('BUY', 100, 100))
        >>> ib.openTrades() == [trade]
        True
        >>> trade = ib.cancelOrder(trade.order)
        >>> ib.sleep(1)
        True
        >>> ib.openTrades()
        []
        """
        return [trade for trade in self.trades() if not trade.isDone()]

    def orders(self) -> list[Order]:
        """Return the orders of all trades.

        >>> order = LimitOrder('BUY', 100, 100)
        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), order)
        >>> ib.orders() == [order]
        True
        """
        return [trade.order for trade in self.trades()]

    def openOrders(self) -> list[Order]:
        """Return the orders that have not ended.

        >>> ib.openOrders()
        []
        """
        return [trade.order for trade in self.openTrades()]

    def fills(self) -> list[Fill]:
        """Return all fills, oldest first.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> ib.sleep(2)
        True
        >>> ib.fills() == trade.fills
        True
        """
        return list(self._state.orders.fills.values())

    def forgetTrades(self, before: datetime) -> list[Trade]:
        """Forget the trades that ended before a moment, with their fills.

        All trades are kept unless you say so, which a program that runs for weeks should. They are in ``trades()``,
        ``orders()`` and ``fills()`` no more. Orders that have not ended are never forgotten, and order ids are never
        used again. A commission or a correction that TWS tells later finds no trade, so leave some hours. Trades that
        you hold stay as they are. Works without a connection, too.

        Args:
            before: the moment; a naive one is in the zone of this machine.

        Returns: the forgotten trades.

        >>> from datetime import timedelta
        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> ib.sleep(2)
        True
        >>> ib.forgetTrades(trade.log[-1].time - timedelta(hours=12))
        []
        >>> ib.forgetTrades(trade.log[-1].time + timedelta(seconds=1)) == [trade]
        True
        >>> ib.trades(), ib.fills()
        ([], [])
        """
        moment = before.astimezone()
        connection = self._connection
        if connection is None or not connection.engine.ready:
            return forgetting.forget(self._state.orders, moment)
        return run(connection, lambda engine: forgetting.forget(engine.state.orders, moment))

    def executions(self) -> list[Execution]:
        """Return the executions of all fills.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> ib.sleep(2)
        True
        >>> [(execution.side, execution.shares) for execution in ib.executions()]
        [('BOT', 100.0)]
        """
        return [fill.execution for fill in self.fills()]

    # -- placing -------------------------------------------------------------------------------------

    def placeOrder(self, contract: Contract, order: Order) -> Trade:
        """Place a new order, or change one by placing it again.

        Args:
            contract: what to trade.
            order: how; the object is kept, and gets its ``orderId`` and ``clientId``. To change an order, change
                fields of the same object and place it again. ``transmit=False`` holds it back in TWS.

        Returns: the trade, kept up to date from now on; the same one when the order is changed.

        Raises OrderStateError when the order has ended already, InvalidRequest when it belongs to another client or
            has a field that IB has withdrawn (faProfile from server version 177 on; eTradeOnly, firmQuoteOnly and
            nbboPriceCap from 203 on), EncodeError for a value that cannot be sent, NotConnected. In all these cases
            nothing was sent. A refusal by the broker is told by ``trade.statusEvent`` and in ``trade.log``, not raised.
            IB's rule ("Order Limitations" of the TWS API documentation): at most twenty working orders for a contract,
            side and account.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> trade.filledEvent += lambda trade: print('filled', trade.filled())
        >>> ib.sleep(2)
        filled 100.0
        True
        """

        def place(engine: Engine) -> Trade:
            refusing.check_order(order, engine.version)
            return placing.place(engine, contract, order)

        return self._do(place)

    def cancelOrder(self, order: Order, manualCancelOrderTime: str | OrderCancel = "") -> Trade | None:
        """Ask to cancel an order.

        Args:
            order: one that was placed.
            manualCancelOrderTime: for regulated futures trading: when it was cancelled by hand, ``YYYYMMDD HH:MM:SS``
                with zone, or an OrderCancel with everything CME asks for; '' for none.

        Returns: its trade, now in status PendingCancel; that of an order which has ended as it is. None when the order
        is not known here; the cancel is sent nevertheless.

        Raises InvalidRequest when the order was never placed or belongs to another client, EncodeError, NotConnected.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), LimitOrder('BUY', 100, 100))
        >>> ib.cancelOrder(trade.order) is trade
        True
        >>> ib.sleep(1)
        True
        >>> trade.orderStatus.status
        'Cancelled'
        """
        order_cancel = (
            manualCancelOrderTime
            if isinstance(manualCancelOrderTime, OrderCancel)
            else OrderCancel(manualOrderCancelTime=manualCancelOrderTime)
        )
        return self._do(lambda engine: placing.cancel(engine, order, order_cancel))

    def reqGlobalCancel(self, orderCancel: OrderCancel | None = None) -> None:
        """Cancel all open orders: of all clients, and those entered by hand.

        Args:
            orderCancel: what CME asks for; None for nothing.

        Raises EncodeError, NotConnected.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), LimitOrder('BUY', 100, 100))
        >>> ib.reqGlobalCancel()
        >>> ib.sleep(1)
        True
        >>> trade.orderStatus.status
        'Cancelled'
        """
        self._do(lambda engine: engine.send(m.ReqGlobalCancel(orderCancel or OrderCancel())))

    def bracketOrder(
        self,
        action: str,
        quantity: Number,
        limitPrice: Number,
        takeProfitPrice: Number,
        stopLossPrice: Number,
        **kwargs: object,
    ) -> BracketOrder:
        """Make a limit order with a profit-taker and a stop-loss attached; place the three in their order.

        Args:
            action: BUY or SELL, of the entry.
            quantity: of each.
            limitPrice: of the entry.
            takeProfitPrice: limit of the profit-taker.
            stopLossPrice: trigger of the stop-loss.
            **kwargs: fields of all three orders.

        Returns: the orders, with their ids. Only the last one is transmitted, and takes the others with it.

        Raises InvalidRequest for another action, NotConnected.

        >>> contract = Stock('AAPL', 'SMART', 'USD')
        >>> bracket = ib.bracketOrder('BUY', 100, limitPrice=162, takeProfitPrice=180, stopLossPrice=150)
        >>> trades = [ib.placeOrder(contract, order) for order in bracket]
        >>> ib.sleep(2)
        True
        >>> [trade.orderStatus.status for trade in trades]
        ['Filled', 'Submitted', 'PreSubmitted']
        """
        if action not in ("BUY", "SELL"):
            raise InvalidRequest(f"the action of a bracket is 'BUY' or 'SELL', not {action!r}")
        reverse = "SELL" if action == "BUY" else "BUY"
        ids = self._do(lambda engine: [engine.next_id() for _ in range(3)])
        parent = LimitOrder(action, quantity, limitPrice, orderId=ids[0], transmit=False, **kwargs)
        take_profit = LimitOrder(
            reverse, quantity, takeProfitPrice, orderId=ids[1], transmit=False, parentId=ids[0], **kwargs
        )
        stop_loss = StopOrder(
            reverse, quantity, stopLossPrice, orderId=ids[2], transmit=True, parentId=ids[0], **kwargs
        )
        return BracketOrder(parent, take_profit, stop_loss)

    @staticmethod
    def oneCancelsAll(orders: list[OrderT], ocaGroup: str, ocaType: int) -> list[OrderT]:
        """Put orders into one group, in which a fill of one cancels the others.

        Args:
            orders: changed in place.
            ocaGroup: a name not used before.
            ocaType: 1 cancel the rest, with block; 2 reduce it, with block; 3 reduce it, without block.

        Returns: the orders.

        >>> orders = [LimitOrder('BUY', 100, 100), LimitOrder('BUY', 100, 200)]
        >>> cheap, dear = ib.oneCancelsAll(orders, 'entry', ocaType=1)
        >>> held = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), cheap)
        >>> done = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), dear)
        >>> ib.sleep(2)
        True
        >>> held.orderStatus.status, done.orderStatus.status
        ('Cancelled', 'Filled')
        """
        for order in orders:
            order.ocaGroup = ocaGroup
            order.ocaType = ocaType
        return orders

    def whatIfOrder(self, contract: Contract, order: Order) -> OrderState:
        """Ask what an order would cost and do to the margin; nothing is placed.

        Args:
            contract: what would be traded.
            order: how; it is not changed.

        Returns: margins as texts, in the currency of the account; commissions as numbers, UNSET_DOUBLE where the broker
        gives none (``state.numeric()`` makes numbers of all, None where unset).

        Raises OrderRejected and other RequestErrors, RequestTimeout, EncodeError, NotConnected.

        >>> state = ib.whatIfOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> state.commission, state.commissionCurrency
        (1.0, 'USD')
        >>> float(state.initMarginChange) > 0
        True
        """
        return self._wait(lambda engine: _preview(engine, contract, order))

    def whatIfOrderAsync(self, contract: Contract, order: Order) -> Awaitable[OrderState]:
        """Ask like ``whatIfOrder``."""
        return self._future(lambda engine: _preview(engine, contract, order))

    def exerciseOptions(
        self,
        contract: Contract,
        exerciseAction: int,
        exerciseQuantity: int,
        account: str,
        override: int,
        manualOrderTime: str = "",
        customerAccount: str = "",
        professionalCustomer: bool = False,
    ) -> None:
        """Exercise options, or let them lapse; what comes of it is told like an order, in ``trades()``.

        The order waits, and ends as Filled when the position has changed; cancel it while it waits. What the option
        turns into is told as a position, and as an execution without an order.

        Args:
            contract: the option.
            exerciseAction: 1 exercise, 2 lapse.
            exerciseQuantity: number of contracts.
            account: whose.
            override: 1 does it even when it makes no sense by price, 0 has it refused (322).
            manualOrderTime: as ``Order.manualOrderTime``; sent from server version 180 on.
            customerAccount: as ``Order.customerAccount``; sent from server version 183 on.
            professionalCustomer: as ``Order.professionalCustomer``; sent from server version 184 on.

        Raises EncodeError, UnsupportedField, NotConnected. A refusal by the broker is told by ``errorEvent``.

        >>> option = Option('AAPL', '20240119', 150, 'C', 'SMART', currency='USD')
        >>> trade = ib.placeOrder(option, MarketOrder('BUY', 2))
        >>> ib.sleep(2)
        True
        >>> ib.exerciseOptions(option, 1, 2, 'DU1234567', override=0)
        """

        def exercise(engine: Engine) -> None:
            message = m.ExerciseOptions(
                engine.next_id(), contract, exerciseAction, exerciseQuantity, account, override,
                manualOrderTime, customerAccount, professionalCustomer,
            )  # fmt: skip
            engine.send(message)

        self._do(exercise)

    # -- asking --------------------------------------------------------------------------------------

    def reqOpenOrders(self) -> list[Trade]:
        """Ask for the open orders of this client; client 0 gets those entered by hand, too.

        Returns: their trades, the same objects that ``openTrades`` has.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), LimitOrder('BUY', 100, 100))
        >>> ib.reqOpenOrders() == [trade]
        True
        """
        return self._wait(open_orders)

    def reqOpenOrdersAsync(self) -> Awaitable[list[Trade]]:
        """Ask like ``reqOpenOrders``."""
        return self._future(open_orders)

    def reqAllOpenOrders(self) -> list[Trade]:
        """Ask for the open orders of all clients and those entered by hand; they are not followed afterwards.

        Returns: their trades.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqAllOpenOrders()
        []
        """
        return self._wait(all_open_orders)

    def reqAllOpenOrdersAsync(self) -> Awaitable[list[Trade]]:
        """Ask like ``reqAllOpenOrders``."""
        return self._future(all_open_orders)

    def reqAutoOpenOrders(self, autoBind: bool = True) -> None:
        """Have orders that are entered by hand told, and given an order id; for clientId 0 only.

        Args:
            autoBind: False ends it.

        Raises NotConnected. The broker refuses other clients through ``errorEvent``. IB's rule: an order that is bound
        while it works is cancelled and placed again, and loses its place in the queue.

        >>> ib.reqAutoOpenOrders(True)
        """
        self._do(lambda engine: engine.send(m.ReqAutoOpenOrders(autoBind)))

    def reqCompletedOrders(self, apiOnly: bool) -> list[Trade]:
        """Ask for the orders that have ended today.

        Args:
            apiOnly: without those entered by hand.

        Returns: their trades.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> ib.sleep(2)
        True
        >>> ib.reqCompletedOrders(apiOnly=True) == [trade]
        True
        """
        return self._wait(lambda engine: completed_orders(engine, apiOnly))

    def reqCompletedOrdersAsync(self, apiOnly: bool) -> Awaitable[list[Trade]]:
        """Ask like ``reqCompletedOrders``."""
        return self._future(lambda engine: completed_orders(engine, apiOnly))

    def reqExecutions(self, execFilter: ExecutionFilter | None = None) -> list[Fill]:
        """Ask for executions of today (and more days, see the filter), also of other clients.

        Args:
            execFilter: which; None for all. ``lastNDays`` and ``specificDates`` need server version 200.

        Returns: the fills; their commission reports may come a moment later. IB's rule: Gateway tells those since
        midnight, TWS up to seven days when its trade log shows them.

        Raises RequestError, RequestTimeout, UnsupportedField, NotConnected.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> ib.sleep(2)
        True
        >>> [fill.execution.shares for fill in ib.reqExecutions(ExecutionFilter(symbol='AAPL'))]
        [100.0]
        """
        return self._wait(lambda engine: executions(engine, execFilter or ExecutionFilter()))

    def reqExecutionsAsync(self, execFilter: ExecutionFilter | None = None) -> Awaitable[list[Fill]]:
        """Ask like ``reqExecutions``."""
        return self._future(lambda engine: executions(engine, execFilter or ExecutionFilter()))
