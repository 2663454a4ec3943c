"""Operators on the numpy array of the latest values: ``event.array(20).mean()``.

numpy is optional and imported by the first emission. Must not know time, tasks or several sources.
"""

from __future__ import annotations

from typing import Any

from ibkit.emitter import Emitter
from ibkit.operators.basic import DequeOf
from ibkit.operators.op import Op, unpack


class ArrayOf(DequeOf):
    """Its sums, means and so on are those of each array, not running ones over all values."""

    def __init__(self, count: int = 0, source: Emitter | None = None) -> None:
        super().__init__(count, source)

    def on_source(self, *args: Any) -> None:
        import numpy

        self._values.append(unpack(args))
        self.emit(numpy.asarray(self._values))

    # The same names as the running operators of all events have, as users of eventkit expect.
    def min(self) -> ArrayMin:  # type: ignore[override]
        """Emit the smallest value of each array."""
        return ArrayMin(self)

    def max(self) -> ArrayMax:  # type: ignore[override]
        """Emit the largest value of each array."""
        return ArrayMax(self)

    def sum(self) -> ArraySum:  # type: ignore[override]
        """Emit the sum of each array."""
        return ArraySum(self)

    def prod(self) -> ArrayProd:
        """Emit the product of each array."""
        return ArrayProd(self)

    def mean(self) -> ArrayMean:  # type: ignore[override]
        """Emit the mean of each array."""
        return ArrayMean(self)

    def std(self) -> ArrayStd:
        """Emit the standard deviation of each array as a sample; NaN of a single value."""
        return ArrayStd(self)

    def any(self) -> ArrayAny:  # type: ignore[override]
        """Emit whether any value of each array is true."""
        return ArrayAny(self)

    def all(self) -> ArrayAll:  # type: ignore[override]
        """Emit whether all values of each array are true."""
        return ArrayAll(self)


class ArrayMin(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].min())


class ArrayMax(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].max())


class ArraySum(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].sum())


class ArrayProd(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].prod())


class ArrayMean(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].mean())


class ArrayStd(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].std(ddof=1) if len(args[0]) > 1 else float("nan"))


class ArrayAny(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].any())


class ArrayAll(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args[0].all())
