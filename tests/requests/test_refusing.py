"""What a server is too old or too new for is refused before it is sent, typed and named, as IB's own client does."""

from __future__ import annotations

import inspect
import re

import ibapi.client
import ibapi.server_versions
import pytest

from ibkit import (
    IB,
    Contract,
    ExecutionFilter,
    InvalidRequest,
    LimitOrder,
    Order,
    OrderCancel,
    Stock,
    TwsConfig,
    UnsupportedField,
    WshEventData,
)
from ibkit.wire import MIN_VERSION, Codec, Role
from ibkit.wire import messages as m
from tests.requests.scripted import connected

STOCK = Stock("AAPL", "SMART", "USD")


def _order(**fields: object) -> m.PlaceOrder:
    return m.PlaceOrder(1, STOCK, Order(action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=1.0, **fields))  # type: ignore[arg-type]


def _exercise(time: str = "", customer: str = "", professional: bool = False) -> m.ExerciseOptions:
    return m.ExerciseOptions(1, STOCK, 1, 1, "", 0, time, customer, professional)


BARS = m.ReqHistoricalData(1, STOCK, "", "1 day", "5 D", 1, "SCHEDULE", 1, False, [])

# The name of each version at which IB's client refuses something, and what it refuses below it.
GATES: dict[str, list[m.Request]] = {
    "DURATION": [_order(duration=5)],
    "POST_TO_ATS": [_order(postToAts=5)],
    "WSHE_CALENDAR": [
        m.ReqWshMetaData(1), m.CancelWshMetaData(1), m.ReqWshEventData(1, WshEventData(conId=1)),
        m.CancelWshEventData(1),
    ],
    "AUTO_CANCEL_PARENT": [_order(autoCancelParent=True)],
    "HISTORICAL_SCHEDULE": [],  # of a value, below
    "ADVANCED_ORDER_REJECT": [_order(advancedErrorOverride="8229=1")],
    "USER_INFO": [m.ReqUserInfo(1)],
    "MANUAL_ORDER_TIME": [
        _order(manualOrderTime="20240110-10:00:00"),
        m.CancelOrder(1, OrderCancel(manualOrderCancelTime="20240110-10:00:00")),
    ],
    "PEGBEST_PEGMID_OFFSETS": [
        _order(minTradeQty=5), _order(minCompeteSize=5), _order(competeAgainstBestOffset=0.1),
        _order(midOffsetAtWhole=0.1), _order(midOffsetAtHalf=0.1),
    ],
    "WSH_EVENT_DATA_FILTERS": [
        m.ReqWshEventData(1, WshEventData(filter="{}")), m.ReqWshEventData(1, WshEventData(fillWatchlist=True)),
        m.ReqWshEventData(1, WshEventData(fillPortfolio=True)),
        m.ReqWshEventData(1, WshEventData(fillCompetitors=True)),
    ],
    "WSH_EVENT_DATA_FILTERS_DATE": [
        m.ReqWshEventData(1, WshEventData(startDate="20240101")),
        m.ReqWshEventData(1, WshEventData(endDate="20240101")),
        m.ReqWshEventData(1, WshEventData(totalLimit=5)),
    ],
    "BOND_ISSUERID": [m.ReqContractData(1, Contract(issuerId="e1400715"))],
    "FA_PROFILE_DESUPPORT": [],  # of a value, below
    "MANUAL_ORDER_TIME_EXERCISE_OPTIONS": [_exercise(time="20240110-10:00:00")],
    "CUSTOMER_ACCOUNT": [_order(customerAccount="C1"), _exercise(customer="C1")],
    "PROFESSIONAL_CUSTOMER": [_order(professionalCustomer=True), _exercise(professional=True)],
    "INCLUDE_OVERNIGHT": [_order(includeOvernight=True)],
    "CME_TAGGING_FIELDS": [
        _order(manualOrderIndicator=1), m.CancelOrder(1, OrderCancel(extOperator="me")),
        m.CancelOrder(1, OrderCancel(manualOrderIndicator=1)), m.ReqGlobalCancel(OrderCancel(extOperator="me")),
        m.ReqGlobalCancel(OrderCancel(manualOrderIndicator=1)),
    ],
    "CURRENT_TIME_IN_MILLIS": [m.ReqCurrentTimeInMillis()],
    "IMBALANCE_ONLY": [_order(imbalanceOnly=True)],
    "PARAMETRIZED_DAYS_OF_EXECUTIONS": [
        m.ReqExecutions(1, ExecutionFilter(lastNDays=3)), m.ReqExecutions(1, ExecutionFilter(specificDates=[20240110])),
    ],
    "CANCEL_CONTRACT_DATA": [m.CancelContractData(1), m.CancelHistoricalTicks(1)],
    "ADDITIONAL_ORDER_PARAMS_1": [
        _order(deactivate=True), _order(postOnly=True), _order(allowPreOpen=True), _order(ignoreOpenAuction=True),
    ],
    "ADDITIONAL_ORDER_PARAMS_2": [
        _order(routeMarketableToBbo=True), _order(seekPriceImprovement=True), _order(whatIfType=1),
    ],
    "ATTACHED_ORDERS": [
        _order(slOrderId=2), _order(slOrderType="STP"), _order(ptOrderId=3), _order(ptOrderType="LMT"),
    ],
    "CONFIG": [m.ReqConfig(1)],
    "UPDATE_CONFIG": [m.UpdateConfig(1, TwsConfig(), [], False)],
    "HEDGE_MAX_SIZE": [_order(hedgeMaxSize=5)],
}  # fmt: skip


def _needs(name: str) -> int:
    return int(getattr(ibapi.server_versions, f"MIN_SERVER_VER_{name}"))


def test_every_check_of_the_official_client_is_here() -> None:
    source = inspect.getsource(ibapi.client)
    names = set(re.findall(r"serverVersion\(\) < MIN_SERVER_VER_(\w+)", source))
    names |= set(re.findall(r"serverVersion\(\) >= MIN_SERVER_VER_(\w+) and faData", source))
    names.discard("UNDO_RFQ_FIELDS")  # the end of placeholders in two messages, no refusal
    assert {name for name in names if _needs(name) > MIN_VERSION} == set(GATES)


@pytest.mark.parametrize(
    ("name", "message"), [pytest.param(name, row, id=name) for name, rows in GATES.items() for row in rows]
)
def test_what_needs_a_newer_server_is_refused(name: str, message: m.Request) -> None:
    needs = _needs(name)
    with pytest.raises(UnsupportedField, match=rf"needs server version {needs}, but the connected one has {needs - 1}"):
        Codec(Role.CLIENT, needs - 1).encode(message)
    assert Codec(Role.CLIENT, needs).encode(message)


def test_a_whole_request_is_called_one() -> None:
    with pytest.raises(UnsupportedField, match=r"the request CANCEL_CONTRACT_DATA needs .* update TWS") as whole:
        Codec(Role.CLIENT, 214).encode(m.CancelContractData(1))
    assert "default" not in str(whole.value)
    with pytest.raises(UnsupportedField, match=r"order.duration needs .* leave it at its default, or update TWS"):
        Codec(Role.CLIENT, 157).encode(_order(duration=5))


def _refused(ib: IB) -> None:
    """Ask for schedules, in each way."""
    for ask in (
        lambda: ib.reqHistoricalSchedule(STOCK, 5),
        lambda: ib.client.reqHistoricalData(1, STOCK, "", "5 D", "1 day", "SCHEDULE", True, 1, False, []),
    ):
        with pytest.raises(UnsupportedField, match="SCHEDULE needs server version 165") as caught:
            ask()
        assert (caught.value.field, caught.value.needs_version) == ("whatToShow SCHEDULE", 165)


def test_schedules_of_old_servers() -> None:
    with connected(version=164) as (ib, script):
        _refused(ib)
        assert not script.of(m.ReqHistoricalData)
    with connected(version=165) as (ib, script):
        ib.client.reqHistoricalData(1, STOCK, "", "5 D", "1 day", "SCHEDULE", True, 1, False, [])
        ib.sleep(0)
        assert script.of(m.ReqHistoricalData)


def test_profiles_of_new_servers() -> None:
    with connected(version=177) as (ib, script):
        for ask in (
            lambda: ib.requestFA(2),
            lambda: ib.replaceFA(2, "<xml/>"),
            lambda: ib.client.requestFA(2),
            lambda: ib.client.replaceFA(1, 2, "<xml/>"),
        ):
            with pytest.raises(InvalidRequest, match="faDataType 2, profiles, ended with server version 176"):
                ask()
        ib.sleep(0)
        assert not script.of(m.ReqFa)
        assert not script.of(m.ReplaceFa)
    with connected(version=176) as (ib, script):
        ib.client.requestFA(2)
        ib.sleep(0)
        assert script.of(m.ReqFa) == [m.ReqFa(2)]


@pytest.mark.parametrize(
    ("field", "value", "last"),
    [("faProfile", "all", 176), ("eTradeOnly", True, 202), ("firmQuoteOnly", True, 202), ("nbboPriceCap", 1.5, 202)],
)
def test_fields_of_orders_that_ended(field: str, value: object, last: int) -> None:
    order = LimitOrder("BUY", 1, 1.0, **{field: value})
    with connected(version=last + 1) as (ib, script):
        for ask in (
            lambda: ib.placeOrder(STOCK, order),
            lambda: ib.whatIfOrder(STOCK, order),
            lambda: ib.client.placeOrder(7, STOCK, order),
        ):
            with pytest.raises(InvalidRequest, match=rf"order\.{field} .* ended with version {last}"):
                ask()
        ib.sleep(0)
        assert not script.of(m.PlaceOrder)
        assert not ib.trades()
    with connected(version=last) as (ib, script):
        ib.placeOrder(STOCK, order)
        ib.sleep(0)
        [sent] = script.of(m.PlaceOrder)
        assert getattr(sent.order, field) == value
