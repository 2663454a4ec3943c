"""What ``make conformance`` runs: our wire against the official client's, and foreign clients at our gateway.

``capabilities.py`` says what clients are asked to do, ``checks/`` how it is judged, ``drivers/`` how each client is
spoken to, ``wire/`` compares frames, ``report.py`` prints the table. ``checks`` and ``drivers`` run in the
environments of the foreign clients, too: they use nothing but the standard library.
"""
