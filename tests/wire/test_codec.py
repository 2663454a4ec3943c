"""What the codec tolerates, what it refuses, and how it says so."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import EncodeError, MalformedMessage, UnsupportedField
from ibkit.model import (
    UNSET_DOUBLE,
    UNSET_INTEGER,
    Bag,
    Bond,
    ComboLeg,
    CommissionReport,
    Contract,
    ContractDetails,
    Forex,
    LimitOrder,
    Option,
    Order,
    OrderCancel,
    OrderComboLeg,
    OrderState,
    PriceCondition,
    Stock,
    TagValue,
    nan,
)
from ibkit.wire import Codec, Role, Unknown
from ibkit.wire import messages as m
from ibkit.wire.protobuf import classes

TEXT, RAW, PROTOBUF = 178, 201, 225


def sent(message: Any, version: int = TEXT, role: Role = Role.CLIENT) -> bytes:
    return Codec(role, version).encode(message)


def fields(message: Any, version: int = TEXT, role: Role = Role.CLIENT) -> list[str]:
    return sent(message, version, role)[4:].decode().split("\0")[:-1]


def text(*values: object) -> bytes:
    return "".join(f"{value}\0" for value in values).encode()


def told(message: Any, version: int = TEXT) -> Any:
    """Send an answer and read it, the second time by the compiled function."""
    server, client = Codec(Role.SERVER, version), Codec(Role.CLIENT, version)
    body = server.encode(message)[4:]
    client.decode(body)
    return client.decode(body)


# ------------------------------------------------------------------------------------------------ the wrong side


def test_each_side_sends_its_own_messages() -> None:
    with pytest.raises(EncodeError, match="TickPrice is no message that a client sends"):
        sent(m.TickPrice(1, 1, 1.0, 1.0, 0))
    with pytest.raises(EncodeError, match="ReqIds is no message that a server sends"):
        sent(m.ReqIds(1), role=Role.SERVER)
    with pytest.raises(EncodeError):
        sent("hello")


def test_prepared_messages_are_the_same() -> None:
    codec = Codec(Role.CLIENT, TEXT)
    codec.prepare(m.PlaceOrder, m.CancelOrder)
    assert codec.encode(m.CancelOrder(5, OrderCancel())) == sent(m.CancelOrder(5, OrderCancel()))
    with pytest.raises(EncodeError, match="TickPrice"):
        codec.prepare(m.TickPrice)


# ------------------------------------------------------------------------------------------------ tolerance


@pytest.mark.parametrize(
    ("version", "body", "number"),
    [
        (TEXT, b"9999\0whatever\0", 9999),
        (TEXT, b"110\0001\0", 110),  # never was text
        (RAW, (77777).to_bytes(4, "big") + b"x", 77777),
        (PROTOBUF, (399).to_bytes(4, "big") + b"\xff\xff", 399),
        (PROTOBUF, (247).to_bytes(4, "big"), 247),  # TICK_EFP never is protobuf
        (PROTOBUF, (200).to_bytes(4, "big"), 200),
    ],
)
def test_unknown_ids_are_counted(version: int, body: bytes, number: int) -> None:
    client = Codec(Role.CLIENT, version)
    assert client.decode(body) == Unknown(number, body)
    assert client.decode(body) == Unknown(number, body)
    assert client.unknown_ids == {number: 2}


def test_fields_too_many_are_counted() -> None:
    client = Codec(Role.CLIENT, TEXT)
    for _ in range(2):
        assert client.decode(text(9, 1, 42, "new", "newer")) == m.NextValidId(42)
        assert client.decode(text(1, 6, 1, 2, 1.5, 100, 0, "new")) == m.TickPrice(1, 2, 1.5, 100.0, 0)
        assert client.decode(text(80, 1, "A", "STK", "", "Deep", 4, "new")).depthMktDataDescriptions[0].exchange == "A"
    assert client.trailing == {"NEXT_VALID_ID": 2, "TICK_PRICE": 2, "MKT_DEPTH_EXCHANGES": 2}


def test_protobuf_fields_too_many_are_counted() -> None:
    client = Codec(Role.CLIENT, PROTOBUF)
    body = (209).to_bytes(4, "big") + classes()["NextValidId"](orderId=42).SerializeToString()
    for _ in range(3):
        assert client.decode(body + b"\xf8\x06\x01") == m.NextValidId(42)
        assert client.decode(body) == m.NextValidId(42)
    assert client.trailing == {"NEXT_VALID_ID": 3}


def test_a_last_field_without_its_end() -> None:
    client = Codec(Role.CLIENT, TEXT)
    assert client.decode(b"9\x001\x0042") == m.NextValidId(42)
    assert client.decode(b"9\x001\x0042") == m.NextValidId(42)
    assert not client.trailing


def test_answers_come_in_either_form_when_ids_are_raw() -> None:
    for version in (RAW, 213, PROTOBUF):
        client = Codec(Role.CLIENT, version)
        for _ in range(2):
            assert client.decode((9).to_bytes(4, "big") + text(1, 42)) == m.NextValidId(42)
            assert client.decode((209).to_bytes(4, "big") + b"\x08\x2a") == m.NextValidId(42)


# ------------------------------------------------------------------------------------------------ malformed


@pytest.mark.parametrize(
    ("body", "field", "wrong"),
    [
        (text(1, 6, 1, 2, "abc", 100, 0), "price", "abc"),
        (text(1, 6, "x", 2, 1.5, 100, 0), "reqId", "x"),
        (text(1, 6, 1, 2, 1.5, "many", 0), "size", "many"),
        (text(1, 6, 1, 2.5, 1.5, 100, 0), "tickType", "2.5"),
        (text(1, 6, 1, 2, 1.5), "size", "(missing)"),
        (text(17, 1, "a", "b", 2, "d", 1, 2, 3, 4, 5, 6, 7), "bars[1].date", "(missing)"),
        (text(17, 1, "a", "b", 1, "d", 1, 2, "low", 4, 5, 6, 7), "bars[0].low", "low"),
        (text(17, 1, "a", "b", -1), "bars", "-1"),
        (text(17, 1, "a", "b", 10**30), "bars", str(10**30)),
        (text(99, 1, 7, 5, 1.5), "tickType", "7"),
        (text(3, 5, "Filled", "1e", 0, 1, 2, 0, 1, 1, "", 0), "filled", "1e"),
    ],
)
@pytest.mark.parametrize("times", [1, 3])
def test_garbage_is_named(body: bytes, field: str, wrong: str, times: int) -> None:
    client = Codec(Role.CLIENT, TEXT)
    for _ in range(times):
        with pytest.raises(MalformedMessage) as caught:
            client.decode(body)
    assert (caught.value.field, caught.value.text) == (field, wrong)
    assert field in str(caught.value)
    assert body[:40].decode() in repr(caught.value) or caught.value.body == body
    assert client.decode(text(9, 1, 42)) == m.NextValidId(42)  # the next message is fine


@pytest.mark.parametrize(
    ("version", "body"),
    [(TEXT, b""), (TEXT, b"\0"), (TEXT, b"abc\x001\0"), (TEXT, b"-1\0"), (TEXT, b"\xff\xff\0"), (RAW, b""),
     (RAW, b"\0\0\0"),
     (TEXT, b"9" * 5000)],
)  # fmt: skip
def test_no_id(version: int, body: bytes) -> None:
    with pytest.raises(MalformedMessage, match="id"):
        Codec(Role.CLIENT, version).decode(body)


def test_garbage_in_protobuf() -> None:
    client = Codec(Role.CLIENT, PROTOBUF)
    head = (201).to_bytes(4, "big")
    with pytest.raises(MalformedMessage, match="TICK_PRICE"):
        client.decode(head + b"\xff")
    with pytest.raises(MalformedMessage, match="size") as caught:
        client.decode(head + classes()["TickPrice"](size="abc").SerializeToString())
    assert (caught.value.field, caught.value.text) == ("size", "abc")
    with pytest.raises(MalformedMessage, match="tick"):
        client.decode((299).to_bytes(4, "big") + classes()["TickByTickData"](tickType=1).SerializeToString())
    order = classes()["OpenOrder"]()
    order.order.conditions.add(type=2)
    with pytest.raises(MalformedMessage, match=r"conditions\[0\].condType"):
        client.decode((205).to_bytes(4, "big") + order.SerializeToString())


@given(st.binary(max_size=60), st.sampled_from([TEXT, RAW, PROTOBUF]), st.sampled_from(list(Role)), st.integers(0, 320))
def test_no_bytes_raise_anything_else(data: bytes, version: int, role: Role, number: int) -> None:
    body = (number.to_bytes(4, "big") if version >= 201 else b"%d\0" % number) + data
    codec = Codec(role, version)
    for _ in range(2):
        try:
            codec.decode(body)
        except MalformedMessage as error:
            assert error.body == body  # noqa: PT017  any outcome but another error is fine


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (101.5, "101.5"), (100.0, "100.0"), (100, "100"), (1e-05, "1e-05"), (0.1, "0.1"), (-0.0, "-0.0"),
        (Decimal("0.10"), "0.10"), (Decimal("1E-7"), "0.0000001"),
        (Decimal("12345678901234567890.12"), "12345678901234567890.12"),
        (np.float64(0.1), "0.1"), (np.float32(0.5), "0.5"), (np.int64(7), "7"), (True, "1"), (np.bool_(True), "1"),
        (UNSET_DOUBLE, ""), (None, ""), (UNSET_INTEGER, ""), (math.inf, "Infinity"), (-math.inf, "-Infinity"),
        (Decimal("Infinity"), "Infinity"),
    ],
)  # fmt: skip
def test_a_price_is_written_exactly(value: Any, text: str) -> None:
    assert fields(m.PlaceOrder(1, Stock("A", "SMART", "USD"), LimitOrder("BUY", 1, value)))[19] == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"), (100, "100"), (0.5, "0.5"), (1e-05, "0.00001"), (1e22, "10000000000000000000000"),
        (Decimal("0.123456789012345678"), "0.123456789012345678"), (Decimal("100.00"), "100.00"),
        (np.int32(5), "5"), (np.float64(2.5), "2.5"), (None, ""), (UNSET_DOUBLE, ""),
    ],
)  # fmt: skip
def test_a_quantity_is_written_exactly(value: Any, text: str) -> None:
    assert fields(m.PlaceOrder(1, Stock("A", "SMART", "USD"), LimitOrder("BUY", value, 1.0)))[17] == text
    body = sent(m.PlaceOrder(1, Stock("A", "SMART", "USD"), LimitOrder("BUY", value, 1.0)), PROTOBUF)[8:]
    assert classes()["PlaceOrderRequest"].FromString(body).order.totalQuantity == text


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lmtPrice": nan}, "order.lmtPrice"),
        ({"lmtPrice": np.float64("nan")}, "order.lmtPrice"),
        ({"totalQuantity": nan}, "order.totalQuantity"),
        ({"totalQuantity": math.inf}, "order.totalQuantity"),
        ({"totalQuantity": Decimal("NaN")}, "order.totalQuantity"),
        ({"lmtPrice": "twelve"}, "order.lmtPrice"),
        ({"minQty": 1.5}, "order.minQty"),
        ({"parentId": "7.5"}, "order.parentId"),
        ({"parentId": nan}, "order.parentId"),
        ({"ocaGroup": b"x"}, "order.ocaGroup"),
        ({"ocaGroup": True}, "order.ocaGroup"),
        ({"ocaGroup": "a\0b"}, "order.ocaGroup"),
        ({"ocaGroup": "\ud800"}, "order.ocaGroup"),
        ({"orderMiscOptions": [TagValue("a\0", "b")]}, "order.orderMiscOptions"),
        ({"algoStrategy": "x", "algoParams": [1]}, ""),
        ({"conditions": [PriceCondition(conjunction="und")]}, "order.conditions[0].conjunction"),
        ({"conditions": [PriceCondition(price=nan)]}, "order.conditions[0].price"),
        ({"conditions": [PriceCondition(condType=2)]}, "order.conditions"),
        ({"conditions": ["rain"]}, "order.conditions"),
    ],
)
def test_what_has_no_form_is_refused_and_named(version: int, change: dict[str, Any], field: str) -> None:
    order = LimitOrder("BUY", 1, 1.0)
    order.update(**change)
    with pytest.raises(EncodeError) as caught:
        sent(m.PlaceOrder(1, Stock("A", "SMART", "USD"), order), version)
    assert field in str(caught.value)
    assert not isinstance(caught.value, UnsupportedField)


def test_only_ascii_is_sent_as_text() -> None:
    for wrong in ("M\u00fcller", "a\x07", "\x7f"):
        with pytest.raises(EncodeError, match=r"order\.orderRef: .*ASCII"):
            sent(m.PlaceOrder(1, Stock("A", "SMART", "USD"), LimitOrder("BUY", 1, 1.0, orderRef=wrong)))
    ok = fields(m.PlaceOrder(1, Stock("A", "SMART", "USD"), LimitOrder("BUY", 1, 1.0, orderRef="a\tb\r\n")))
    assert "a\tb\r\n" in ok
    # protobuf texts are UTF-8, and the official client does not refuse them
    assert "M\u00fcller".encode() in sent(m.ReqMatchingSymbols(1, "M\u00fcller"), PROTOBUF)


def test_wrong_objects_are_refused() -> None:
    for message in (
        m.PlaceOrder(1, "AAPL", LimitOrder("BUY", 1, 1.0)),  # type: ignore[arg-type]
        m.PlaceOrder(1, Stock("A", "SMART", "USD"), "buy"),  # type: ignore[arg-type]
        m.ReqIds("one"),  # type: ignore[arg-type]
    ):
        for version in (TEXT, PROTOBUF):
            with pytest.raises(EncodeError):
                sent(message, version)


def test_other_types_that_hold_the_right_thing() -> None:
    contract = Option("SPY", "20240119", np.float64(480), "C", "SMART", multiplier=100)  # type: ignore[arg-type]
    message = m.ReqMktData(np.int64(1), contract, "", np.bool_(False), False, [])  # type: ignore[arg-type]
    assert fields(message)[2:9] == ["1", "0", "SPY", "OPT", "20240119", "480.0", "C"]
    body = sent(m.ReqMktData(np.int64(1), contract, "", False, False, []), PROTOBUF)  # type: ignore[arg-type]
    proto = classes()["MarketDataRequest"].FromString(body[8:])
    assert (proto.reqId, proto.contract.strike, proto.contract.multiplier) == (1, 480.0, 100.0)


def test_too_long_a_message_is_refused() -> None:
    for version in (TEXT, PROTOBUF):
        with pytest.raises(EncodeError, match="more than TWS takes"):
            sent(m.ReplaceFa(1, "x" * 0x1000000, 1), version)


def test_an_option_that_cannot_be_told_apart_is_refused() -> None:
    for wrong in (TagValue("a;b", "1"), TagValue("a=b", "1"), TagValue("a", "1;2")):
        with pytest.raises(EncodeError, match="orderMiscOptions"):
            sent(m.PlaceOrder(1, Stock("A", "SMART", "USD"), Order(orderMiscOptions=[wrong])))
    twice = [TagValue("a", "1"), TagValue("a", "2")]
    with pytest.raises(EncodeError, match="twice"):
        sent(m.PlaceOrder(1, Stock("A", "SMART", "USD"), Order(orderMiscOptions=twice)), PROTOBUF)


# ------------------------------------------------------------------------------------------------ unset


def test_a_bare_order_carries_what_the_official_client_sends() -> None:
    proto = classes()["PlaceOrderRequest"].FromString(
        sent(m.PlaceOrder(1, Contract(), Order(transmit=False)), PROTOBUF)[8:]
    )
    assert proto.HasField("attachedOrders")
    assert proto.contract.HasField("conId")
    assert not proto.contract.HasField("strike")
    order = proto.order
    assert order.HasField("exemptCode")
    assert order.exemptCode == -1
    assert order.HasField("softDollarTier")
    for name in ("clientId", "permId", "parentId", "displaySize", "ocaType", "discretionaryAmt", "usePriceMgmtAlgo"):
        assert order.HasField(name)
    assert not order.HasField("transmit")  # which is how it says no
    assert not order.HasField("lmtPrice")


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
def test_transmit_survives(version: int) -> None:
    for transmit in (True, False):
        body = sent(m.PlaceOrder(1, Contract(), Order(transmit=transmit)), version)[4:]
        server = Codec(Role.SERVER, version)
        assert server.decode(body).order.transmit is transmit
        assert server.decode(body).order.transmit is transmit


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
def test_what_is_not_told_stays_not_told(version: int) -> None:
    report = told(m.CommissionAndFeesReport(CommissionReport("1.2", 1.25, "USD")), version).commissionAndFeesReport
    assert report.commission == 1.25
    assert math.isnan(report.realizedPNL)
    assert math.isnan(report.yield_)
    tick = told(m.TickSize(1, 0, nan), version)
    assert math.isnan(tick.size)
    assert told(m.Pnl(1, 5.0, UNSET_DOUBLE, UNSET_DOUBLE), version) == m.Pnl(1, 5.0, UNSET_DOUBLE, UNSET_DOUBLE)
    assert (
        told(m.PortfolioValue(Stock("A"), 1.0, 1.0, UNSET_DOUBLE, 1.0, 1.0, 1.0, "DU1"), version).marketValue
        == UNSET_DOUBLE
    )
    order = told(m.OpenOrder(Order(orderId=5), Stock("A"), OrderState(status="Submitted")), version).order
    assert (order.lmtPrice, order.minQty, order.trailStopPrice) == (UNSET_DOUBLE, UNSET_INTEGER, UNSET_DOUBLE)


@pytest.mark.parametrize(
    "size", ["", "2147483647", "9223372036854775807", "1.7976931348623157E308", "-9223372036854775808"]
)
def test_all_words_for_an_unset_size(size: str) -> None:
    client = Codec(Role.CLIENT, TEXT)
    for _ in range(2):
        assert math.isnan(client.decode(text(2, 6, 1, 0, size)).size)
        assert math.isnan(client.decode(text(1, 6, 1, 1, 1.5, size, 0)).size)


def test_a_quantity_is_a_float_when_that_is_exact() -> None:
    client = Codec(Role.CLIENT, TEXT)
    for written, read in [
        ("100", 100.0), ("0.5", 0.5), ("1234567890123.25", 1234567890123.25), ("0.1", 0.1),
        ("0.123456789012345678", Decimal("0.123456789012345678")),
        ("12345678901234567891", Decimal("12345678901234567891")),
        ("00000000000000000100", 100.0),
    ]:  # fmt: skip
        for _ in range(2):
            found = client.decode(text(3, 1, "", written, 0, 0, 0, 0, 0, 0, "", 0)).filled
            assert found == read
            assert type(found) is type(read)


def test_server_side_unset_numbers() -> None:
    open_order = fields(m.OpenOrder(Order(), Stock("A"), OrderState()), TEXT, Role.SERVER)
    assert "1.7976931348623157E308" in open_order  # the form of Java, not 1.7976931348623157e+308
    assert not any("e+308" in field for field in open_order)


# ------------------------------------------------------------------------------------------------ texts


def test_error_texts_are_escaped() -> None:
    words = "M\u00fcller \u20ac \U0001f600"
    assert fields(m.ErrMsg(-1, 201, words, '{"a":"\u00e9"}', 0), TEXT, Role.SERVER)[4:] == [
        "M\\u00fcller \\u20ac \\ud83d\\ude00", '{"a":"\\u00e9"}']  # fmt: skip
    for version in (157, TEXT, 200, PROTOBUF):
        got = told(m.ErrMsg(-1, 201, words, "", 0), version)
        assert got.errorString == words
    client = Codec(Role.CLIENT, TEXT)
    for _ in range(2):
        got = client.decode(text(4, 2, -1, 201, "bad \\u00e9 \\ud83d", "\\n"))
        assert got.errorString == "bad \u00e9 \ufffd"  # half a character
        assert got.advancedOrderRejectJson == "\\n"  # other escapes are none of ours


@pytest.mark.parametrize("version", [157, TEXT, 200, 204, PROTOBUF])
def test_a_company_name_is_no_mojibake(version: int) -> None:
    details = ContractDetails(contract=Stock("SAP"), longName="S\u00fcdzucker AG \u20ac", industry="Z\u00fccker")
    got = told(m.ContractData(1, details), version).contractDetails
    assert (got.longName, got.industry) == (details.longName, details.industry)


def test_bytes_that_are_no_utf8_are_shown() -> None:
    client = Codec(Role.CLIENT, TEXT)
    for _ in range(2):
        assert client.decode(b"15\x001\x00DU\xff1\0") == m.ManagedAccts("DU\\xff1")


def test_commas_at_the_end_of_accounts_stay() -> None:
    assert told(m.ManagedAccts("DU1,DU2,")) == m.ManagedAccts("DU1,DU2,")


# ------------------------------------------------------------------------------------------------ objects


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
def test_contracts_come_as_their_class_and_fresh(version: int) -> None:
    for contract in (Stock("A"), Forex("EURUSD"), Bond(symbol="X"), Contract(secType="EVENT"), Contract(secType="???")):
        message = m.PositionData("DU1", contract, 5.0, 1.5)
        client = Codec(Role.CLIENT, version)
        body = Codec(Role.SERVER, version).encode(message)[4:]
        client.decode(body)
        first, second = client.decode(body).contract, client.decode(body).contract
        assert type(first) is type(contract)
        assert first == contract
        assert first is not second
        assert first.comboLegs is not second.comboLegs
        first.comboLegs.append(ComboLeg())
        assert client.decode(body).contract.comboLegs == []


def test_lists_of_orders_are_fresh() -> None:
    for version in (TEXT, PROTOBUF):
        client = Codec(Role.CLIENT, version)
        body = Codec(Role.SERVER, version).encode(m.OpenOrder(Order(), Stock("A"), OrderState()))[4:]
        client.decode(body)
        first, second = client.decode(body).order, client.decode(body).order
        for name, value in vars(first).items():
            if isinstance(value, list) or name == "softDollarTier":
                assert value is not getattr(second, name)
        assert first.dict() == second.dict()
        first.hedgeParam = "x"  # an ordinary object, not a frozen one
        assert first.nonDefaults()["hedgeParam"] == "x"


def test_leg_prices_travel_in_the_contract() -> None:
    legs = [ComboLeg(1, 1, "BUY", "SMART"), ComboLeg(2, 1, "SELL", "SMART")]
    for prices in (
        [],
        [OrderComboLeg(1.5)],
        [OrderComboLeg(1.5), OrderComboLeg()],
        [OrderComboLeg(), OrderComboLeg(2.5)],
    ):
        message = m.PlaceOrder(1, Bag(symbol="X", comboLegs=legs), Order(orderComboLegs=prices))
        server = Codec(Role.SERVER, PROTOBUF)
        body = sent(message, PROTOBUF)[4:]
        for _ in range(2):
            got = server.decode(body).order.orderComboLegs
            assert got == (prices + [OrderComboLeg()] * (2 - len(prices)) if prices else [])


# ------------------------------------------------------------------------------------------------ dates of contracts


@pytest.mark.parametrize("version", [TEXT, PROTOBUF])
def test_dates_with_a_time(version: int) -> None:
    details = ContractDetails(contract=Option("A", "20240119"), lastTradeTime="08:30")
    assert told(m.ContractData(1, details), version).contractDetails.lastTradeTime == "08:30"
    bond = ContractDetails(contract=Bond(), maturity="20301231", lastTradeTime="08:30", timeZoneId="US/Central")
    got = told(m.BondContractData(1, bond), version).contractDetails
    assert (got.maturity, got.lastTradeTime, got.timeZoneId) == ("20301231", "08:30", "US/Central")
    assert got.contract.lastTradeDateOrContractMonth == ""


@pytest.mark.parametrize(
    ("written", "date", "time", "zone"),
    [
        ("20240119", "20240119", "", ""), ("202401", "202401", "", ""), ("", "", "", ""),
        ("20240119 08:30", "20240119", "08:30", ""), ("20240119 08:30 US/Central", "20240119", "08:30", "US/Central"),
        ("20240119-08:30-CST", "20240119", "08:30", "CST"), ("20240119  08:30 CST", "20240119", "08:30", "CST"),
    ],
)  # fmt: skip
def test_forms_of_dates(written: str, date: str, time: str, zone: str) -> None:
    server, client = Codec(Role.SERVER, TEXT), Codec(Role.CLIENT, TEXT)
    marker = ContractDetails(contract=Option("A", "20991231"))
    body = server.encode(m.ContractData(1, marker))[4:].replace(b"20991231", written.encode())
    for _ in range(2):
        details = client.decode(body).contractDetails
        assert (details.contract.lastTradeDateOrContractMonth, details.lastTradeTime) == (date, time)
    body = server.encode(m.BondContractData(1, ContractDetails(contract=Bond(), maturity="20991231")))[4:]
    for _ in range(2):
        details = client.decode(body.replace(b"20991231", written.encode())).contractDetails
        assert (details.maturity, details.lastTradeTime, details.timeZoneId) == (date, time, zone)


# ------------------------------------------------------------------------------------------------ dialects


def decoded(body: bytes, version: int = 176) -> Any:
    server = Codec(Role.SERVER, version)
    first = server.decode(body)
    assert repr(server.decode(body)) == repr(first)
    assert not server.trailing
    return first


def test_ib_insync_counts_the_options_of_calculations() -> None:
    contract = text(0, "SPY", "OPT", "20240119", 480.0, "C", "100", "SMART", "", "USD", "", "")
    for number, cls in ((54, m.ReqCalcImpliedVolat), (55, m.ReqCalcOptionPrice)):
        head = text(number, 3, 7) + contract + text(1.5, 480.0)
        for options, found in (
            (text(0, ""), []), (text(""), []), (text(1, "a=b;"), [TagValue("a", "b")]),
            (text("a=b;"), [TagValue("a", "b")]),
        ):  # fmt: skip
            message = decoded(head + options)
            assert isinstance(message, cls)
            assert message[-1] == found
    official = Codec(Role.CLIENT, 176).encode(m.ReqCalcImpliedVolat(7, Option("SPY"), 1.5, 480.0, []))
    assert official.endswith(b"\x001.5\x00480.0\0\0")  # no count


def test_fundamental_data_with_and_without_a_count() -> None:
    head = text(52, 2, 7, 0, "A", "STK", "SMART", "", "USD", "", "ReportSnapshot")
    for options in (text(0, ""), text("")):
        assert decoded(head + options).fundamentalDataOptions == []
    assert sent(m.ReqFundamentalData(7, Stock("A"), "R", []), 176).endswith(b"R\x000\0\0")


def test_fields_that_only_ib_insync_fills() -> None:
    order = Order(faProfile="prof", eTradeOnly=True, firmQuoteOnly=True, nbboPriceCap=1.5)
    got = decoded(sent(m.PlaceOrder(1, Contract(), order), 176)[4:]).order
    assert (got.faProfile, got.eTradeOnly, got.firmQuoteOnly, got.nbboPriceCap) == ("prof", True, True, 1.5)
    assert decoded(sent(m.PlaceOrder(1, Contract(), order), 177)[4:], 177).order.faProfile == ""


def test_words_of_ib_insync_for_numbers() -> None:
    body = sent(
        m.PlaceOrder(1, Contract(exchange="SMART"), Order(orderType="PEG BEST", competeAgainstBestOffset=math.inf)), 176
    )[4:]
    assert b"\0Infinity\0" in body
    assert decoded(body.replace(b"\0Infinity\0", b"\0Infinite\0")).order.competeAgainstBestOffset == math.inf
    unset = sent(m.PlaceOrder(1, Contract(), Order()), 176)[4:]
    empty = unset.replace(b"1.7976931348623157e+308", b"").replace(b"2147483647", b"")
    java = unset.replace(b"1.7976931348623157e+308", b"1.7976931348623157E308")
    for body in (unset, empty, java):
        order = decoded(body).order
        assert (order.triggerPrice, order.cashQty, order.duration) == (UNSET_DOUBLE, UNSET_DOUBLE, UNSET_INTEGER)
    zero = sent(m.ReqMktData(1, Contract(), "", False, False, []), 176)[4:]
    fields = zero.split(b"\0")
    fields[7] = b"0.0"
    assert decoded(b"\0".join(fields)).contract.strike == 0.0


def test_cancels_carry_what_the_version_knows() -> None:
    cancel = OrderCancel(manualOrderCancelTime="20240105 10:00:00")
    assert fields(m.CancelOrder(5, cancel), 178) == ["4", "1", "5", "20240105 10:00:00"]
    assert fields(m.CancelOrder(5, OrderCancel()), 188) == ["4", "1", "5", "", "", "", "2147483647"]
    assert fields(m.CancelOrder(5, OrderCancel(extOperator="x")), 192) == ["4", "5", "", "x", "2147483647"]
    with pytest.raises(UnsupportedField, match="169"):
        sent(m.CancelOrder(5, cancel), 168)
