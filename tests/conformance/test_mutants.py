"""The comparison with the official client can fail: a mistake anywhere in the table is seen."""

from __future__ import annotations

from collections import Counter

import pytest

from conformance import mutants
from conformance.mutants import TEXTS, Mutant
from ibkit.wire.table import table

ALL = mutants.mutants()


def test_the_table_itself_is_not_caught() -> None:
    for file in ("requests", "answers"):
        for section in sorted({mutant.section for mutant in ALL if mutant.file == file}):
            assert not mutants.caught(Mutant(file, section, "number", "nothing", TEXTS[file])), section


def test_there_are_mistakes_of_every_kind_in_every_part() -> None:
    assert set(Counter((mutant.file, mutant.kind) for mutant in ALL)) == {
        ("requests", "order"), ("requests", "number"), ("requests", "version"), ("requests", "encoding"),
        ("answers", "order"), ("answers", "number"), ("answers", "version"),
        ("records", "number"), ("records", "version"), ("blocks", "order"),
    }  # fmt: skip
    parts = {mutant.section for mutant in ALL}
    # Messages without two fields or a version have nothing that could be mistaken.
    lonely = [row.name for row in table() if row.name not in parts and len(row.attrs) > 1 and not row.request]
    assert lonely == ["CONFIG_RESPONSE", "UPDATE_CONFIG_RESPONSE"]  # what they carry lies in records


@pytest.mark.parametrize("part", range(4))
def test_a_sample_is_caught(part: int) -> None:
    seen, alive = Counter[str](), []
    for mutant in mutants.sample(120)[part::4]:
        if mutants.caught(mutant):
            seen[mutant.kind] += 1
        else:
            alive.append(mutant[:4])
    assert not alive
    assert len(seen) >= 3


def test_what_cannot_be_seen_is_told() -> None:
    harmless = Mutant("requests", "REQ_MARKET_RULE", "order", "nothing", TEXTS["requests"] + "\n")
    assert mutants.caught(harmless) == ""
