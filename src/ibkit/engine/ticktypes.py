"""TWS's tick types as data: which field of a ticker each one sets.

Delayed types set the fields of their live twins, except for the few that have fields of their own. A type
that is in none of the tables is unknown here; whoever meets one counts it. Must not know how a tick comes
in, nor what setting it entails.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Quote(NamedTuple):
    """The fields of one side of the quote: the values, those before, and the flags of the price."""

    price: str
    size: str
    prev_price: str
    prev_size: str
    attrib: str


BID: Final = Quote("bid", "bidSize", "prevBid", "prevBidSize", "bidAttrib")
ASK: Final = Quote("ask", "askSize", "prevAsk", "prevAskSize", "askAttrib")
LAST: Final = Quote("last", "lastSize", "prevLast", "prevLastSize", "lastAttrib")

QUOTE_PRICES: Final[dict[int, Quote]] = {1: BID, 2: ASK, 4: LAST, 66: BID, 67: ASK, 68: LAST}
QUOTE_SIZES: Final[dict[int, Quote]] = {0: BID, 3: ASK, 5: LAST, 69: BID, 70: ASK, 71: LAST}

PRICES: Final[dict[int, str]] = {
    6: "high",
    7: "low",
    9: "close",
    14: "open",
    15: "low13week",
    16: "high13week",
    17: "low26week",
    18: "high26week",
    19: "low52week",
    20: "high52week",
    35: "auctionPrice",
    37: "markPrice",
    50: "bidYield",
    51: "askYield",
    52: "lastYield",
    57: "lastRthTrade",
    72: "high",
    73: "low",
    75: "close",
    76: "open",
    78: "creditmanMarkPrice",
    79: "creditmanSlowMarkPrice",
    92: "etfNavClose",
    93: "etfNavPriorClose",
    94: "etfNavBid",
    95: "etfNavAsk",
    96: "etfNavLast",
    97: "etfFrozenNavLast",
    98: "etfNavHigh",
    99: "etfNavLow",
    101: "estimatedIpoMidpoint",
    102: "finalIpoLast",
    103: "bidYield",
    104: "askYield",
    105: "oddLotBid",
    106: "oddLotAsk",
}

SIZES: Final[dict[int, str]] = {
    8: "volume",
    21: "avVolume",
    22: "openInterest",
    27: "callOpenInterest",
    28: "putOpenInterest",
    29: "callVolume",
    30: "putVolume",
    34: "auctionVolume",
    36: "auctionImbalance",
    61: "regulatoryImbalance",
    63: "volumeRate3Min",
    64: "volumeRate5Min",
    65: "volumeRate10Min",
    74: "volume",
    86: "futuresOpenInterest",
    87: "avOptionVolume",
    89: "shortableShares",
    107: "oddLotBidSize",
    108: "oddLotAskSize",
}

GENERICS: Final[dict[int, str]] = {
    23: "histVolatility",
    24: "impliedVolatility",
    31: "indexFuturePremium",
    46: "shortable",
    49: "halted",
    54: "tradeCount",
    55: "tradeRate",
    56: "volumeRate",
    58: "rtHistVolatility",
    60: "bondFactorMultiplier",
    90: "delayedHalted",
}

TEXTS: Final[dict[int, str]] = {
    25: "optionBidExch",
    26: "optionAskExch",
    32: "bidExchange",
    33: "askExchange",
    84: "lastExchange",
    85: "lastRegTime",
    91: "reutersMutualFunds",
    100: "socialMarketAnalytics",
    109: "oddLotBidExchange",
    110: "oddLotAskExchange",
}

# Epoch seconds as text.
TIMES: Final[dict[int, str]] = {45: "lastTimestamp", 88: "delayedLastTimestamp"}

# 'price;size;epoch ms;total volume;VWAP;single-trade flag': the field of the total volume.
TRADES: Final[dict[int, str]] = {48: "rtVolume", 77: "rtTradeVolume"}

FUNDAMENTAL_RATIOS: Final = 47
DIVIDENDS: Final = 59
OLD_NEWS: Final = 62  # news comes as TICK_NEWS since

COMPUTATIONS: Final[dict[int, str]] = {
    10: "bidGreeks",
    11: "askGreeks",
    12: "lastGreeks",
    13: "modelGreeks",
    53: "custGreeks",
    80: "bidGreeks",
    81: "askGreeks",
    82: "lastGreeks",
    83: "modelGreeks",
}

EFPS: Final[dict[int, str]] = {
    38: "bidEfp",
    39: "askEfp",
    40: "lastEfp",
    41: "openEfp",
    42: "highEfp",
    43: "lowEfp",
    44: "closeEfp",
}

# reqTickByTickData takes the name, its ticks come with the number.
TICK_BY_TICK: Final[dict[str, int]] = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}
