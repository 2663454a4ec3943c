"""Incidents of real gateways and programs (simulators.md 3), and the tests that play them again.

Data alone; ``test_semantics.py`` checks that the tests are there.
"""

from __future__ import annotations

_HERE = "requests/test_incidents.py::test_"

INCIDENTS: dict[str, tuple[str, ...]] = {
    "the socket dies in the second an order is placed": (
        _HERE + "the_socket_dies_in_the_second_an_order_is_placed",
        "requests/test_connecting.py::test_a_line_that_is_cut_at_any_byte_never_hangs",
    ),
    "a restart rolls nextValidId back": (_HERE + "a_restart_rolls_the_next_id_back",),
    "one order id for two orders of two sessions": (_HERE + "one_id_for_two_orders_of_two_sessions",),
    "some orders of a batch never get a callback": (
        "engine/test_placing.py::test_an_order_nobody_says_a_word_about_is_unknown_after_a_while",
    ),
    "1100 in the middle of a batch of fills": (
        _HERE + "an_outage_in_the_middle_of_fills",
        _HERE + "an_order_that_ended_in_an_outage",
        _HERE + "an_outage_over_a_read_only_connection_asks_for_executions_alone",
    ),
    "a modification in an outage makes two live orders": (
        _HERE + "a_modification_in_an_outage_becomes_two_live_orders",
    ),
    "a restart tells the orders of the last session": (_HERE + "the_orders_of_the_last_session_are_told_again",),
    "an open order after a partial fill": (_HERE + "an_open_order_after_a_partial_fill_takes_nothing_back",),
    "any order of facts, duplicates, Filled twice": (
        _HERE + "facts_come_in_any_order_and_the_second_filled_has_no_price",
        "engine/test_orders.py::test_in_any_order_and_however_often_every_fact_is_told_once",
        "engine/test_orders.py::test_executions_alone_fill_an_order_when_no_status_comes",
    ),
    "legs of a combo before its status": (_HERE + "the_legs_of_a_combo_are_executed_before_it_is_told_of",),
    "a commission comes late, or never": (
        _HERE + "a_commission_comes_late_or_never",
        "engine/test_executions.py::test_a_commission_may_come_first",
    ),
    "an execution is corrected": (
        _HERE + "an_execution_is_corrected",
        "engine/test_executions.py::test_a_correction_replaces_what_it_corrects",
    ),
    "10349, and a child that is cancelled for a moment": (
        _HERE + "a_preset_changes_the_time_in_force_and_the_order_lives",
        _HERE + "a_child_is_cancelled_for_a_moment_while_a_bracket_is_staged",
    ),
    "farms that flap, bars that are silently dead, 326 on a fast reconnect": (
        _HERE + "a_farm_that_flaps_changes_nothing",
        _HERE + "updates_of_bars_fail_and_go_on_when_the_farm_is_back",
        "requests/test_connecting.py::test_a_client_id_in_use_is_raised_at_once",
    ),
    "1101 and 1102": (_HERE + "data_that_was_kept_is_not_asked_for_again",),
    "10182 and 10225": (
        _HERE + "updates_of_bars_fail_and_go_on_when_the_farm_is_back",
        "engine/test_bars.py::test_bars_that_a_busted_trade_ends_are_asked_for_again",
    ),
    "a snapshot that never comes, a quote that is refused": (
        "requests/test_market.py::test_a_snapshot_that_never_ends",
        _HERE + "a_refused_stream_is_told_to_those_who_wait_for_it",
    ),
    "history: silence, 162, nothing, an answer that is late": (
        _HERE + "an_answer_after_the_client_gave_up",
        "engine/test_history.py::test_a_timeout_cancels_and_raises",
        "engine/test_history.py::test_no_data",
    ),
    "error 100": ("engine/test_throttle.py::test_laws_of_the_throttle",),
    "a port that accepts, and no handshake": (
        "requests/test_connecting.py::test_a_gateway_that_says_nothing_is_waited_for_no_longer_than_wanted",
    ),
    "a cancel that is not answered; 10147; 10148": (
        _HERE + "a_cancel_is_not_answered_until_the_market_opens",
        "engine/test_refusals.py::test_10148_tells_the_state",
        "engine/test_refusals.py::test_10147_means_nobody_knows_what_became_of_it",
    ),
    "a bad frame": (
        "engine/test_malformed.py::test_flipped_bytes_in_real_messages_do_no_more_harm_than_that",
        "engine/test_malformed.py::test_an_impossible_length_ends_the_connection_with_the_reason",
    ),
    "odd zones, and texts in another language": (
        _HERE + "an_odd_zone_in_the_handshake",
        _HERE + "an_echo_in_another_language_ends_nothing",
    ),
    "the book is reset (317)": ("engine/test_depth.py::test_a_reset_empties_the_book_and_tells_every_level",),
    "a read-only API (321)": (_HERE + "a_read_only_gateway_says_so_at_once",),
}
