"""Short options tie up what they can lose: covered by shares nothing, in a spread its width, naked a part of all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.model import Contract, MarketOrder, Option, Stock
from ibkit.paper.broker.hedged import shorts
from ibkit.paper.broker.margin import margins, short_options
from ibkit.paper.instruments import Instrument
from tests.paper.broker.scripted import Desk, at, instrument

MSFT = Stock("MSFT", "SMART", "USD")
DAYS = ("20240119", "20240126")
STRIKES = (290, 300, 310)
OPTIONS = [Option("MSFT", day, strike, right, "SMART") for day in DAYS for strike in STRIKES for right in "CP"]
PRICE = 300.01


def _option(day: str, strike: float, right: str) -> Option:
    return Option("MSFT", day, strike, right, "SMART")


def desk() -> Desk:
    made = Desk(now=at("10:00"))
    made.market.set(MSFT, made.now - 1, 300.00, 300.02, 100_000, 100_000)
    for option in OPTIONS:
        intrinsic = max(0.0, (1 if option.right == "C" else -1) * (PRICE - option.strike))
        made.market.set(option, made.now - 1, round(intrinsic + 3, 1), round(intrinsic + 3.1, 1), 500, 500)
    return made


def _naked(option: Contract, units: float) -> float:
    thing = instrument(option)
    world = desk()
    return sum(need for _, need in short_options({thing: -units}, world.broker._state.marks, world.now))


def test_a_covered_call_ties_up_no_more_than_the_shares() -> None:
    world = desk()
    world.place(MarketOrder("BUY", 250), MSFT)
    shares = world.value("InitMarginReq")
    assert shares == pytest.approx(250 * PRICE / 2)
    call = _option("20240119", 310, "C")
    world.place(MarketOrder("SELL", 2), call)
    assert world.value("InitMarginReq") == pytest.approx(shares)
    world.place(MarketOrder("SELL", 1), call)  # fifty shares cover no contract
    assert world.value("InitMarginReq") == pytest.approx(shares + _naked(call, 1))
    world.place(MarketOrder("SELL", 150), MSFT)
    assert world.value("InitMarginReq") == pytest.approx(100 * PRICE / 2 + _naked(call, 2))


def test_puts_are_covered_by_shares_that_were_sold() -> None:
    world = desk()
    world.place(MarketOrder("SELL", 100), MSFT)
    shares = world.value("InitMarginReq")
    world.place(MarketOrder("SELL", 1), _option("20240119", 290, "P"))
    assert world.value("InitMarginReq") == pytest.approx(shares)
    world.place(MarketOrder("SELL", 1), _option("20240119", 310, "C"))  # which they do not cover
    assert world.value("InitMarginReq") == pytest.approx(shares + _naked(_option("20240119", 310, "C"), 1))


@pytest.mark.parametrize(
    ("sold", "bought", "width"),
    [
        (("20240119", 300, "C"), ("20240119", 310, "C"), 10),  # a credit spread
        (("20240119", 310, "C"), ("20240119", 300, "C"), 0),  # a debit spread
        (("20240119", 300, "P"), ("20240119", 290, "P"), 10),
        (("20240119", 290, "P"), ("20240119", 300, "P"), 0),
        (("20240119", 300, "C"), ("20240126", 300, "C"), 0),  # a calendar spread
        (("20240126", 300, "C"), ("20240119", 300, "C"), None),  # the cover ends first
        (("20240119", 300, "C"), ("20240119", 310, "P"), None),
    ],
)
def test_a_spread_ties_up_its_width(
    sold: tuple[str, int, str], bought: tuple[str, int, str], width: float | None
) -> None:
    world = desk()
    world.place(MarketOrder("BUY", 2), _option(*bought))
    world.place(MarketOrder("SELL", 2), _option(*sold))
    naked = _naked(_option(*sold), 2)
    assert world.value("InitMarginReq") == pytest.approx(naked if width is None else min(naked, 200 * width))
    assert world.value("MaintMarginReq") == world.value("InitMarginReq")


def test_the_cover_cannot_be_sold_where_the_rest_is_too_much() -> None:
    world = desk()
    world.place(MarketOrder("BUY", 200), _option("20240119", 310, "C"))
    world.place(MarketOrder("SELL", 200), _option("20240119", 300, "C"))
    cover = world.place(MarketOrder("SELL", 200), _option("20240119", 310, "C"))
    assert (world.status(cover), world.codes(cover)) == ("Inactive", [201])
    both = [world.place(MarketOrder("BUY", 200), _option("20240119", 300, "C")), cover + 2]
    world.place(MarketOrder("SELL", 200), _option("20240119", 310, "C"), order_id=both[1])
    assert [world.status(key) for key in both] == ["Filled", "Filled"]


HELD = st.dictionaries(st.sampled_from(range(len(OPTIONS))), st.integers(-4, 4), max_size=6)


@settings(max_examples=150, deadline=None)
@given(HELD, st.integers(-5, 5))
def test_every_short_option_counts_once_and_no_cover_costs(positions: dict[int, int], lots: int) -> None:
    world = desk()
    marks, t = world.broker._state.marks, world.now
    held: dict[Instrument, float] = {instrument(OPTIONS[n]): float(units) for n, units in positions.items()}
    held[instrument(MSFT)] = lots * 70.0
    parts = list(shorts(held))
    for option, units in held.items():
        counted = sum(part.units for part in parts if part.option is option)
        assert counted == (-units if option.is_option and units < 0 else 0)
    covers = {right: max(0.0, lots * 70.0 * right) // 100 for right in (1, -1)}
    for right in (1, -1):
        longs = sum(units for thing, units in held.items() if thing.is_option and thing.right == right and units > 0)
        covered = sum(part.units for part in parts if part.width is not None and part.option.right == right)
        assert covered <= covers[right] + longs
    total = sum(need for _, need in short_options(held, marks, t))
    alone = sum(
        need for option, units in held.items() if units < 0 and option.is_option
        for _, need in short_options({option: units}, marks, t)
    )  # fmt: skip
    assert 0 <= total <= alone + 1e-6
    for option in list(held):
        more = dict(held) | {option: held[option] + 1}  # to own more never ties up more of the options
        if option.is_option and held[option] >= 0:
            assert sum(need for _, need in short_options(more, marks, t)) <= total + 1e-6
    assert margins(world.broker._state.accounts[Desk.ACCOUNT], marks, t).initial == 0
