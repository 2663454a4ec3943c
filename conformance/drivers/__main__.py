"""Runs the checks with one client at a gateway and prints a row of JSON for each.

python -m conformance.drivers DRIVER HOST PORT [--modules DIRECTORY] [--only WORD]
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any

from conformance import capabilities
from conformance.checks import base

for _name in ("start", "contracts", "market", "orders", "account"):
    importlib.import_module(f"conformance.checks.{_name}")


def connected(driver: str, host: str, port: int, modules: str) -> Any:
    """Return the interface of a client that is connected as client 1."""
    if driver in capabilities.IB_STAR:
        from conformance.drivers.classic_orders import ClassicApi

        return ClassicApi(driver, host, port, 1)
    from conformance.drivers.raw_orders import RawApi

    if driver == "official":
        from conformance.drivers.official import Official

        return RawApi(Official(host, port, 1))
    from conformance.drivers.stoqey import Stoqey

    return RawApi(Stoqey(modules, host, port, 1))


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m conformance.drivers")
    parser.add_argument("driver", choices=sorted({client.driver for client in capabilities.CLIENTS}))
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--modules", default="", help="where npm has put @stoqey/ib")
    parser.add_argument("--only", default="", help="only capabilities whose name contains this")
    args = parser.parse_args()
    api = connected(args.driver, args.host, args.port, args.modules)
    failed = 0

    def tell(row: base.Row) -> None:
        nonlocal failed
        failed += not row.ok
        print(row, flush=True)

    try:
        wanted = [one for one in capabilities.wanted(args.driver, api.version) if args.only in one.name]
        base.run(api, wanted, tell)
    finally:
        api.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
