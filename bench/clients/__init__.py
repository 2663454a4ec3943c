"""The programs that are measured, each run in the environment of its library.

Must not import anything but the standard library and the library they are about: they share ``job`` alone.
"""
