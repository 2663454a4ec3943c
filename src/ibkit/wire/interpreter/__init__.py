"""Encodes and decodes by following the table, one value after the other: slow and obvious.

The compiler's functions must do the same (``tests/wire/test_compiler.py``), and the codec falls back to these here
to find out which field of a message is wrong. Must not know frames.
"""
