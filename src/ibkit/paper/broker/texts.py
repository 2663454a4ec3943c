"""What the broker says when it refuses, warns or confirms: TWS's codes with TWS's wording.

Wording as users see it from TWS, where it is known; the codes and their meaning are in ``code_table``.
"""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """A code and its text."""

    code: int
    text: str


DUPLICATE_ID = Refusal(103, "Duplicate order id")
FILLED = Refusal(104, "Cannot modify a filled order.")
MISMATCH = Refusal(105, "Order being modified does not match original order")
TICK = Refusal(110, "The price does not conform to the minimum price variation for this contract.")
TIF = Refusal(111, "The TIF (Tif type) and the order type are incompatible.")
CLOSE_TIF = Refusal(113, "The Tif option should be set to DAY for MOC and LOC orders.")
REL_STOCKS = Refusal(114, "Relative orders are valid for stocks only.")
TRIGGER_METHOD = Refusal(146, "Invalid trigger method.")
CONDITIONAL = Refusal(
    148,
    "Conditional submission of orders is supported for Limit, Market, Relative and Snap order types and conditional "
    "cancellation is supported for Limit order type only.",
)
TRAIL_OFFSET = Refusal(158, "Trailing stop order needs a trailing amount or a trailing percent.")
UNKNOWN = Refusal(200, "No security definition has been found for the request")
NO_TYPE_CHANGE = Refusal(329, "Order modify failed. Cannot change to the new order type.")
GTD = Refusal(334, "Invalid Good Till Date order")
TIME = Refusal(
    337,
    "The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xxx where yyyymmdd and "
    "xxx are optional. E.g.: 20031126 15:59:00 EST",
)
TRIGGER_PRICE = Refusal(361, "Invalid trigger price.")
ADJUSTED_STOP = Refusal(362, "Invalid adjusted stop price.")
ADJUSTED_LIMIT = Refusal(363, "Invalid adjusted stop limit price.")
ADJUSTED_AMOUNT = Refusal(364, "Invalid adjusted trailing amount.")
UNSUPPORTED = Refusal(387, "Unsupported order type for this exchange and security type.")
TOO_SMALL = Refusal(388, "Order size is smaller than the minimum requirement.")
EXPIRED = Refusal(392, "Invalid order: contract expired")
STOP_PRICE = Refusal(403, "Invalid stop price")
NOT_TRADABLE = Refusal(412, "The contract is not available for trading.")
WHAT_IF = Refusal(413, "What-if order should have transmit flag set to true.")
ZERO = Refusal(434, "The order size cannot be zero.")
NO_ACCOUNT = Refusal(435, "You must specify an account.")
ALGO = Refusal(442, "The specified algorithm is not allowed for this order.")
PRICE = Refusal(463, "You must enter a valid price.")
NO_PARENT = Refusal(10006, "Missing parent order.")
FRACTION_MODIFY = Refusal(
    10242, "Fractional-sized order cannot be modified via API. Please use desktop version to revise."
)
CASH_QUANTITY = Refusal(10244, "Cash Quantity cannot be used for this order")
NO_FRACTIONS = Refusal(10245, "This financial instrument does not support fractional shares trading")
FRACTION_SMART = Refusal(10247, "Only SMART-routed orders can have fractional size")
FRACTION_TYPE = Refusal(10249, "This order type doesn't support fractional shares trading")
SIZE_STEP = Refusal(10250, "Order size does not conform to the minimum variation of the contract.")
SMART_COMBO_WHAT_IF = Refusal(360, "No what-if for smart combo orders.")
NO_LEGS = Refusal(314, "Security type 'BAG' requires combo leg details.")
BAD_LEGS = Refusal(313, "Invalid combo leg details")

# 399 and its kin: the order lives on.
WARN_OUTSIDE_RTH = Refusal(
    2109,
    "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored based on the order type and "
    "destination. PlaceOrder is now being processed.",
)
WARN_ZONE = Refusal(
    2174,
    "Warning: You submitted request with date-time attributes without explicit time zone. Please switch to use "
    "yyyymmdd-hh:mm:ss in UTC or use instrument timezone, like US/Eastern.",
)
CANCELLED = Refusal(202, "Order Canceled - reason:")
NOT_EXERCISED = Refusal(322, "Error processing request.Exercise/Lapse failed due to server rejection.")
TOO_FEW_OPTIONS = Refusal(399, "You have not got the number of options requested to be exercised")


def ambiguous(symbol: str) -> Refusal:
    """Several contracts fit what was asked for."""
    return Refusal(200, f"The contract description specified for {symbol} is ambiguous.")


def invalid(cause: str) -> Refusal:
    """A request that TWS's validation refuses."""
    return Refusal(321, f"Error validating request.-'bW' : cause - {cause}")


def not_processed(cause: str) -> Refusal:
    """A request that is fine, and cannot be served as things are."""
    return Refusal(322, f"Error processing request.{cause}")


def rejected(reason: str) -> Refusal:
    """A refusal by IB's servers."""
    return Refusal(201, f"Order rejected - reason:{reason}")


def margin(equity: float, initial: float, currency: str) -> Refusal:
    """The account cannot carry the position."""
    return rejected(
        "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
        f"[{equity:.2f} {currency}] MUST EXCEED THE INITIAL MARGIN [{initial:.2f} {currency}]"
    )


def not_found(order_id: int) -> Refusal:
    """Answer to a cancel of an order nobody knows."""
    return Refusal(10147, f"OrderId {order_id} that needs to be cancelled is not found.")


def not_cancellable(order_id: int, status: str) -> Refusal:
    """Answer to a cancel of an order that has ended."""
    return Refusal(10148, f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {status}.")


def being_cancelled(perm_id: int) -> Refusal:
    """Answer to a second cancel while the first is under way."""
    return Refusal(161, f"Cancel attempted when order is not in a cancellable state. Order permId = {perm_id}")


def order_message(action: str, size: float, name: str, warning: str) -> Refusal:
    """A warning about an order, in TWS's three lines."""
    return Refusal(399, f"Order Message:\n{action} {size:g} {name}\nWarning: {warning}")
