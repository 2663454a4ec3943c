"""Random messages, made from the shapes of the table; and which of their values travel at a server version."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER, TagValue
from ibkit.wire.interpreter.protobuf import ProtobufWriter
from ibkit.wire.interpreter.text import TextWriter
from ibkit.wire.interpreter.values import build
from ibkit.wire.numbers import UNSET_TEXT, quantity_text
from ibkit.wire.protobuf import classes
from ibkit.wire.shapes import Child, Choice, Leaf, Shape, shape_of
from ibkit.wire.table import table

ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
PLAIN = ASCII.map(lambda text: text.replace("\\", "/"))
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
WORD = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=6)
FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) != UNSET_DOUBLE),
    st.floats(-1e6, 1e6),
    st.integers(-(10**6), 10**6).map(float),
).filter(lambda x: abs(x) != UNSET_INTEGER)
DIGITS = st.integers(10**16, 10**25).map(lambda n: Decimal(n).scaleb(-8))
# What decides about the fields after it.
WORDS_THAT_MATTER = {
    "secType": ["", "STK", "BAG", "FUND", "BOND", "OPT"],
    "orderType": ["LMT", "PEG BENCH", "PEGBENCH", "PEG BEST", "PEGBEST", "PEG MID", "PEGMID", ""],
    "exchange": ["SMART", "IBKRATS", ""],
    "deltaNeutralOrderType": ["", "MKT"],
    "hedgeType": ["", "D"],
    "algoStrategy": ["", "Vwap"],
}


def leaf(name: str, node: Leaf, server: bool, plain: bool) -> st.SearchStrategy[Any]:
    """Return values of a kind that come back as they were; ``plain``: from the official decoder too."""
    kind = node.word
    found: st.SearchStrategy[Any]
    if name in WORDS_THAT_MATTER:
        found = st.sampled_from(WORDS_THAT_MATTER[name])
    elif name == "lastTradeDateOrContractMonth":
        found = st.sampled_from(["", "202401", "20240119"])
    elif name == "evMultiplier" and plain:  # in text the official decoder takes whole ones only
        found = st.integers(0, 10**6).map(float)
    elif name == "maturity":
        found = st.sampled_from(["", "20301231"])
    elif name == "lastTradeTime":  # travels behind a date; test_codec.py has its tests
        found = st.just("")
    elif kind == "str":
        found = PLAIN if plain else ANY if server else ASCII
    elif kind == "escaped":
        found = PLAIN if plain else ANY.filter(lambda text: "\\" not in text)
    elif kind in ("int/bool",):
        found = st.sampled_from([0, 1])
    elif kind == "int/str":
        found = st.integers(0, 99999999)
    elif kind.startswith(("int", "long")) and not kind.endswith("~"):
        found = st.integers(-(2**31), 2**31 - 2)
    elif kind == "competeAgainstBestOffset" or name == "competeAgainstBestOffset":
        found = FINITE | st.just(float("inf"))
    elif kind.startswith("float") or kind in ("strike", "size"):
        found = FINITE
    elif kind == "quantity":
        found = FINITE | DIGITS
    elif kind in ("bool", "bool!", "truth"):
        found = st.booleans()
    elif kind == "tri":
        found = st.sampled_from([None, True, False])
    elif kind == "conjunction":
        found = st.sampled_from(["a", "o"])
    elif kind == "amount":
        found = FINITE.map(repr) | st.just(UNSET_TEXT)
    elif kind == "multiplier" and plain:
        found = st.integers(1, 10**6).map(str) | st.just("")
    elif kind == "multiplier":
        found = FINITE.map(lambda x: quantity_text(x + 0.0) if x else "") | st.just("")
    elif kind == "tags":
        pairs = st.lists(st.tuples(WORD, WORD), max_size=3, unique_by=lambda pair: pair[0])
        return pairs.map(lambda pairs: [TagValue(*pair) for pair in pairs])
    elif kind == "bool~":
        found = st.sampled_from([None, True, False])
    elif kind == "str~":
        found = st.none() | ANY
    elif kind == "int~":
        found = st.none() | st.integers(-(2**31), 2**31 - 2)
    else:  # the enums
        found = st.sampled_from(list(node.kind.enum))  # type: ignore[attr-defined]
    if node.many:
        return st.lists(found, max_size=3)
    if node.unset in (UNSET_DOUBLE, UNSET_INTEGER):
        return found | st.just(node.unset)
    return found


@st.composite
def values(draw: st.DrawFn, shape: Shape, server: bool, plain: bool = False) -> dict[str, Any]:
    """Return values for the fields of a shape, some left out."""
    found: dict[str, Any] = {}
    names = list(shape.fields)
    if len(names) > 12:  # an order has 150 of them; few at a time make faster and better examples
        some = draw(st.lists(st.sampled_from(names), max_size=8, unique=True))
        names = [
            name
            for name in names
            if name in some or name == "contract" or (name in WORDS_THAT_MATTER and draw(st.booleans()))
        ]
    for name in sorted(names, key=lambda name: isinstance(shape.fields[name], Child)):  # choices tell what they are
        node = shape.fields[name]
        if isinstance(node, Leaf):
            found[name] = draw(leaf(name, node, server, plain))
        elif isinstance(node.shape, Choice):
            if node.many:
                case = st.sampled_from(list(node.shape.cases))
                items = draw(st.lists(case, max_size=3))
                found[name] = [
                    build(
                        node.shape.cases[value],
                        draw(values(node.shape.cases[value], server, plain)) | {node.shape.by: value},
                    )
                    for value in items
                ]
            else:
                value = draw(st.sampled_from(list(node.shape.cases)))
                found[node.shape.by] = value
                found[name] = build(node.shape.cases[value], draw(values(node.shape.cases[value], server, plain)))
        elif node.many:
            count = draw(st.integers(0, 2))
            found[name] = [build(node.shape, draw(values(node.shape, server, plain))) for _ in range(count)]
        elif not node.nullable or name == "contract" or draw(st.booleans()):
            found[name] = build(node.shape, draw(values(node.shape, server, plain)))
    return found


def messages(name: str, plain: bool = False) -> st.SearchStrategy[Any]:
    """Return random messages of a name; ``plain``: of what the official decoder leaves as it is."""
    shape = shape_of(name)
    found = values(shape, not table().message(name).request, plain).map(lambda found: build(shape, found))
    return found.map(without_month) if name == "BOND_CONTRACT_DATA" else found


def without_month(message: Any) -> Any:
    """A bond's date is its maturity."""
    message.contractDetails.contract.lastTradeDateOrContractMonth = ""
    return message


def flat(obj: Any, shape: Shape, prefix: str = "") -> dict[str, Any]:
    """Return the values of an object by their dotted names, those of lists by index."""
    found: dict[str, Any] = {}
    for name, node in shape.fields.items():
        value = getattr(obj, name)
        where = prefix + name
        if isinstance(node, Leaf):
            found[where] = value
        elif value is None:
            found[where] = None
        else:
            for index, item in enumerate(value if node.many else [value]):
                case = shape_for(node, item, obj)
                found.update(flat(item, case, f"{where}[{index}]." if node.many else f"{where}."))
    return found


def shape_for(node: Child, item: Any, beside: Any) -> Shape:
    if isinstance(node.shape, Shape):
        return node.shape
    return node.shape.cases[getattr(item if node.shape.own else beside, node.shape.by)]


class _RecordingText(TextWriter):
    def _value(self, value: Any, leaf: Leaf, name: str) -> None:
        RECORDED.add(name)
        super()._value(value, leaf, name)


class _RecordingProtobuf(ProtobufWriter):
    def _set(self, proto: Any, field: str, value: Any, leaf: Leaf, name: str) -> None:
        RECORDED.add(name)
        super()._set(proto, field, value, leaf, name)


RECORDED: set[str] = set()


def travelling(name: str, obj: Any, version: int) -> set[str]:
    """Return the names of the values of a message that travel at a server version."""
    message, shape = table().message(name), shape_of(name)
    RECORDED.clear()
    if message.by_protobuf(version):
        proto = classes()[message.protobuf]()
        _RecordingProtobuf(table(), message, shape, version, not message.request).write(proto, obj)
    else:
        _RecordingText(message, shape, version, not message.request).write(obj)
    return {name.partition("[")[0] if name.endswith(("].tag", "].value")) else name for name in RECORDED}
