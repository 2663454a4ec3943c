"""The behaviours of ib_insync and ib_async that programs rely on (semantics.md), and the tests that hold ibkit to them.

``BEHAVIOURS`` maps section and item (the paragraphs, rows and points of each section, counted from 1) to a row: what it
is about, the tests, and, where ibkit is different on purpose, how and why. Data alone; ``test_semantics.py`` checks it.
"""

from __future__ import annotations

from typing import NamedTuple


class Behaviour(NamedTuple):
    """One row; tests are named by their file under tests/ and their function."""

    about: str
    tests: tuple[str, ...]
    differs: str = ""


def row(about: str, *tests: str, differs: str = "") -> Behaviour:
    return Behaviour(about, tests, differs)


ORDERS, PLACING = "engine/test_orders.py::test_", "engine/test_placing.py::test_"
FILLS, COMPLETED = "engine/test_executions.py::test_", "engine/test_completed.py::test_"
REFUSALS = "engine/test_refusals.py::test_"
MARKET, TICKS, DEPTH = "engine/test_market.py::test_", "engine/test_ticks.py::test_", "engine/test_depth.py::test_"
HISTORY, BARS = "engine/test_history.py::test_", "engine/test_bars.py::test_"
SESSION, SYSTEM, CORE = "engine/test_session.py::test_", "engine/test_system.py::test_", "engine/test_core.py::test_"
CALLS, ACCOUNT, NEWS = "engine/test_calls.py::test_", "engine/test_account.py::test_", "engine/test_news.py::test_"
THROTTLE = "engine/test_throttle.py::test_"
R = "requests/test_"
CONNECTING, LEAVING = f"{R}connecting.py::test_", f"{R}leaving.py::test_"
HERE = "compat/test_semantics.py::test_"
HOST = "hosts/test_contract.py::test_"
WIRE = "wire/test_codec.py::test_"

BEHAVIOURS: dict[str, Behaviour] = {
    # -- 1. connect and startup
    "1.1": row(
        "the handshake, and servers that are too old",
        SESSION + "the_client_offers_its_versions_and_says_who_it_is",
        SESSION + "whatever_is_no_gateway_ends_the_connection_with_the_reason",
        differs="157 to 225; a server that does not fit is told at once and not by a timeout",
    ),
    "1.2": row("START_API after the version", SESSION + "the_client_offers_its_versions_and_says_who_it_is"),
    "1.3": row(
        "ready: the next id and the accounts",
        SESSION + "ready_means_the_next_id_and_the_accounts_in_any_order",
        SESSION + "no_accounts_is_not_ready",
    ),
    "1.4": row(
        "client 0 binds first; the only account is the account",
        CONNECTING + "client_0_binds_orders_entered_by_hand",
        CONNECTING + "the_state_is_fetched_in_ib_insyncs_order",
    ),
    "1.5": row(
        "what is asked for, in which order, and what is not answered in time",
        CONNECTING + "the_state_is_fetched_in_ib_insyncs_order",
        CONNECTING + "readonly_asks_for_no_orders_but_for_fills",
        CONNECTING + "with_several_accounts_the_given_one_is_followed",
        CONNECTING + "what_is_not_answered_is_said_and_connecting_goes_on",
        CONNECTING + "what_is_refused_is_said_too",
        differs="what is refused is logged as well; theirs drops it",
    ),
    "1.6": row(
        "executions come after orders",
        CONNECTING + "fills_find_the_orders_that_were_fetched_before",
        CONNECTING + "what_is_not_answered_is_said_and_connecting_goes_on",
        differs="without an end of them connecting goes on, as in ib_async; in ib_insync it fails",
    ),
    "1.7": row(
        "raiseSyncErrors and fetchFields",
        CONNECTING + "sync_errors_can_be_raised",
        CONNECTING + "only_what_is_wanted_is_fetched",
        differs="NotConnected in place of the ConnectionError it is one of; POSITIONS is honoured",
    ),
    "1.8": row(
        "connectedEvent at the end; connect returns the IB",
        CONNECTING + "the_state_is_fetched_in_ib_insyncs_order",
        CONNECTING + "an_early_end_is_raised_at_once",
    ),
    "1.9": row(
        "a failure closes, tells apiError and is raised",
        HERE + "a_connection_that_fails_is_told_by_api_error",
        CONNECTING + "nothing_listening_is_said_at_once_and_what_to_do",
        CONNECTING + "an_await_that_is_left_closes_the_connection",
    ),
    "1.10": row(
        "a client id in use, and other early ends",
        CONNECTING + "a_client_id_in_use_is_raised_at_once",
        CONNECTING + "an_early_end_is_raised_at_once",
        SESSION + "a_client_id_in_use_is_told_at_once",
        differs="raised at once, also with timeout=0; theirs waits for the whole timeout",
    ),
    "1.11": row(
        "RequestTimeout bounds connect; the state of an earlier session stays",
        CONNECTING + "the_request_timeout_of_an_unchanged_script_bounds_connecting_too",
        CONNECTING + "a_reconnect_brings_unknown_orders_up_to_date",
        SESSION + "another_login_begins_anew",
        differs="outside of ibkit run connect goes by its own timeout; another login begins with a clean state",
    ),
    "1.12": row(
        "ids of requests and orders are one row of numbers",
        SESSION + "ids_never_go_back",
        ORDERS + "ids_told_for_our_orders_are_not_used_again",
        PLACING + "ids_of_the_users_own_are_kept_and_not_given_out_again",
        differs="ids of other clients' orders do not count: they are in a row of their own",
    ),
    # -- 2. disconnect
    "2.1": row(
        "disconnectedEvent once",
        CONNECTING + "a_wanted_end_is_told_once_and_ends_all_waiting",
        CONNECTING + "a_cut_is_told_once_and_ends_all_waiting",
    ),
    "2.2": row(
        "apiError: not for an end that was wanted",
        CONNECTING + "a_wanted_end_is_told_once_and_ends_all_waiting",
        CONNECTING + "a_cut_is_told_once_and_ends_all_waiting",
        HERE + "an_end_before_the_beginning_is_no_api_end",
    ),
    "2.3": row(
        "pending futures",
        CONNECTING + "a_wanted_end_is_told_once_and_ends_all_waiting",
        LEAVING + "a_request_ends_with_the_connection",
        differs="all fail at once, also when the end was wanted; theirs hang then",
    ),
    "2.4": row(
        "blocking calls in progress",
        LEAVING + "a_request_ends_with_the_connection",
        HOST + "closing_from_a_handler_ends_the_waits_at_once",
        HOST + "whatever_fails_in_an_engine_ends_its_connection_alone",
        differs="those of this connection end, those of others go on; globalErrorEvent only tells",
    ),
    "2.5": row(
        "what is known stays",
        HERE + "what_is_known_stays_readable",
        ORDERS + "a_lost_connection_makes_open_orders_unknown_and_ends_the_waiting",
        differs="after a cut as well: cleared state would look like an answer. Open orders are unknown until told",
    ),
    "2.6": row(
        "events of trades, tickers and lists end",
        HERE + "waiting_for_what_keeps_changing_ends_with_the_connection",
        MARKET + "the_user_ends_streams_with_the_connection",
        BARS + "the_end_that_the_user_wants_ends_the_lists_events",
        f"{R}scanner.py::test_disconnecting_ends_the_lists_event",
        ORDERS + "a_lost_connection_makes_open_orders_unknown_and_ends_the_waiting",
        differs="after a cut waiting raises ConnectionLost, and the events go on with the next connection; those of "
        "trades do so always, as orders go on without us",
    ),
    "2.7": row("what waits for the message rate is dropped", HERE + "what_waits_for_the_rate_dies_with_the_connection"),
    "2.8": row(
        "disconnecting twice; no reconnect of its own; connectivity codes",
        CONNECTING + "a_wanted_end_is_told_once_and_ends_all_waiting",
        SYSTEM + "connection_states_change_nothing_else",
        SYSTEM + "lost_data_is_asked_for_again",
        CORE + "subscriptions_outlive_a_lost_connection_and_end_with_a_wanted_one",
        differs="after 1101, and on the next connection after a cut, what was subscribed is asked for again; after "
        "1102 nothing is, as nothing was lost",
    ),
    # -- 3. batches and ticks
    "3.1": row(
        "one read is one batch; the order of events",
        CORE + "one_read_is_one_batch_and_one_step_is_one_message",
        MARKET + "ticks_of_a_batch_are_shown_for_a_batch",
    ),
    "3.2": row(
        "ticks live for a batch and share its time",
        MARKET + "ticks_of_a_batch_are_shown_for_a_batch",
        TICKS + "tick_by_tick",
        differs="ticks of tick-by-tick streams have the exchange's time",
    ),
    "3.3": row(
        "updateEvent for every packet, whole or not",
        CORE + "one_read_is_one_batch_and_one_step_is_one_message",
        CONNECTING + "wait_on_update_ends_with_the_next_batch_or_the_time",
    ),
    "3.4": row("TickData when price or size is not zero", TICKS + "no_quote", TICKS + "a_quote"),
    "3.5": row(
        "unchanged quotes are left out, trades are not; the previous values",
        TICKS + "a_quote",
        TICKS + "a_quote_that_says_nothing_new_is_left_out_but_a_trade_is_not",
        TICKS + "a_size_of_the_last_trade_before_there_was_one_is_left_out",
        TICKS + "what_stands_for_no_quote_is_the_users_choice",
        differs="of ib_async the values for an empty quote; a quote without a size keeps its price",
    ),
    "3.6": row("a price that is not told is dropped", TICKS + "a_price_that_is_not_told_is_dropped"),
    "3.7": row("trade details of ticks 48 and 77", TICKS + "trade_details", differs="last follows, as in ib_async"),
    "3.8": row("generic ticks are kept as they are", TICKS + "prices_sizes_and_numbers"),
    "3.9": row(
        "greeks: what stands for nothing is None; calculations",
        TICKS + "greeks",
        f"{R}options.py::test_calculations",
        differs="for vega and theta as well, which theirs forgets",
    ),
    "3.10": row("unknown tick types", TICKS + "unknown_types_are_counted_and_listed"),
    "3.11": row("ratios, dividends, times", TICKS + "times_dividends_and_ratios"),
    "3.12": row("parameters and kinds of data change no ticker", MARKET + "parameters_and_data_type"),
    "3.13": row(
        "which ticker a contract has",
        MARKET + "an_unqualified_contract_has_a_ticker",
        MARKET + "equal_contracts_share_a_ticker",
        MARKET + "a_contract_that_is_qualified_later_keeps_its_ticker",
        MARKET + "a_contract_without_exchange_finds_the_ticker_of_any",
        differs="the same object as in ib_insync, else an equal contract, by conId and exchange",
    ),
    "3.14": row(
        "one ticker for all kinds of data; asking again; cancelling what is not there",
        MARKET + "kinds_of_data_share_a_ticker_and_end_apart",
        MARKET + "asking_again_replaces_the_stream",
        f"{R}market.py::test_cancelling_what_is_not_subscribed_is_logged",
        f"{R}wrapper.py::test_data",
        differs="asking again replaces the stream, so that it can be cancelled",
    ),
    "3.15": row(
        "tickers stay",
        MARKET + "idle_tickers_are_bounded",
        HERE + "a_ticker_keeps_its_values_but_a_cancelled_stream_fills_it_no_more",
        differs="idle ones are forgotten beyond some thousands; late ticks of a cancelled stream are not applied",
    ),
    "3.16": row(
        "reqTickers",
        f"{R}market.py::test_snapshots",
        f"{R}market.py::test_a_snapshot_that_is_refused",
        f"{R}market.py::test_a_snapshot_that_never_ends",
        MARKET + "a_snapshot_gives_the_ticker",
    ),
    "3.17": row(
        "order books",
        DEPTH + "rows_build_a_book",
        DEPTH + "rows_out_of_bounds_are_counted_and_do_no_harm",
        DEPTH + "a_reset_empties_the_book_and_tells_every_level",
        DEPTH + "cancelling_empties_the_book",
    ),
    # -- 4. bars
    "4.1": row("real-time bars and their events", BARS + "real_time_bars"),
    "4.2": row(
        "historical bars and their updates",
        HISTORY + "bars",
        BARS + "updates",
        BARS + "the_first_bar_of_an_empty_list_is_new",
        BARS + "updates_of_nobody_are_ignored",
        BARS + "bars_stay_in_order_and_the_event_says_what_happened",
        differs="an update of an empty list is its first bar; theirs drops it",
    ),
    "4.3": row("a new bar is the one that forms", BARS + "updates"),
    "4.4": row(
        "a timeout",
        HISTORY + "a_timeout_cancels_and_raises",
        HISTORY + "without_errors_a_timeout_is_an_empty_list",
        HISTORY + "no_timeout_waits_for_ever",
        f"{R}history.py::test_a_timeout_of_the_request",
        differs="raises RequestTimeout unless RaiseRequestErrors is off; nothing stays registered",
    ),
    "4.5": row("an error", HISTORY + "no_data", HISTORY + "without_errors_a_refused_request_is_an_empty_list"),
    "4.6": row(
        "busts (10225); a scanner that finds nothing (165)",
        BARS + "bars_that_a_busted_trade_ends_are_asked_for_again",
        HISTORY + "lost_data_is_asked_for_again_on_the_same_connection",
        f"{R}scanner.py::test_a_subscription",
    ),
    "4.7": row(
        "dates of bars",
        HISTORY + "dates_are_dates_or_aware",
        HISTORY + "refused_with_what_would_be_right",
        differs="always aware; an end for bars that are kept up to date is refused before it is sent",
    ),
    "4.8": row("schedules", HISTORY + "schedule"),
    "4.9": row(
        "scanners",
        f"{R}scanner.py::test_a_subscription",
        f"{R}scanner.py::test_scanning_once",
        differs="a scan that was answered is forgotten",
    ),
    # -- 5. orders and trades
    "5.1": row(
        "how orders are known",
        ORDERS + "a_perm_id_is_the_order_and_a_route_may_lead_to_another_one",
        ORDERS + "an_order_entered_by_hand_is_known_by_its_perm_id_and_gets_an_id",
        f"{R}wrapper.py::test_orders",
        differs="a permId is the order; 0 is none",
    ),
    "5.2": row(
        "placing and modifying",
        PLACING + "a_new_order_is_pending_and_sent",
        PLACING + "placing_it_again_modifies_it",
        PLACING + "an_order_that_has_ended_cannot_be_placed_again",
        PLACING + "orders_of_others_and_by_hand_cannot_be_changed_from_here",
        differs="what cannot be is refused before anything is sent; the caller's order is not changed but for its ids",
    ),
    "5.3": row(
        "OPEN_ORDER",
        ORDERS + "the_gateways_own_defaults_do_not_get_into_the_users_order",
        ORDERS + "what_somebody_changes_in_tws_is_copied",
        ORDERS + "an_adopted_order_is_a_trade_without_what_tws_writes_for_nothing",
        ORDERS + "orders_that_were_asked_for_are_answers_not_events",
        ORDERS + "an_abandoned_request_does_not_silence_events",
        differs="every term that somebody changed is copied, not six of them; each change is told once",
    ),
    "5.4": row(
        "ORDER_STATUS",
        ORDERS + "the_life_of_an_order",
        ORDERS + "repeats_tell_nothing",
        ORDERS + "the_status_of_an_unknown_order_is_left_alone",
        ORDERS + "a_modification_is_acknowledged_by_the_log",
        ORDERS + "cancelled_is_told_once_per_end",
        differs="ApiCancelled tells cancelledEvent, too; orderId follows",
    ),
    "5.5": row(
        "executions",
        FILLS + "a_live_fill",
        FILLS + "executions_that_were_asked_for_are_answers_not_events",
        FILLS + "a_correction_replaces_what_it_corrects",
        FILLS + "a_fill_without_trade_waits_for_it",
        FILLS + "fills_survive_connections_and_are_told_once",
        differs="a correction replaces what it corrects; a fill that comes before its order is told with it",
    ),
    "5.6": row(
        "commissions",
        FILLS + "a_live_fill",
        FILLS + "a_commission_may_come_first",
        HERE + "what_a_commission_report_does_not_tell_is_nan",
        differs="what is not told is NaN, not 0; a report that comes first is kept",
    ),
    "5.7": row(
        "completed orders",
        COMPLETED + "completed_orders_are_trades_known_by_their_perm_id",
        COMPLETED + "the_answer_holds_the_trades_that_are_known",
        differs="the answer holds the trades that are known, not new ones",
    ),
    "5.8": row(
        "cancelling",
        PLACING + "a_cancel_is_pending_until_the_gateway_has_spoken",
        PLACING + "an_order_that_is_only_held_is_cancelled_at_once",
        PLACING + "cancelling_what_has_ended_sends_nothing",
        PLACING + "cancelling_what_is_not_known_here_is_sent_if_it_has_an_id",
        differs="nothing is sent for an order that has ended",
    ),
    "5.9": row(
        "previews",
        ORDERS + "a_preview_is_answered_when_the_margin_is_told",
        ORDERS + "a_preview_that_stays_unset_is_answered_as_it_is",
        PLACING + "a_preview_leaves_the_users_order_alone",
        f"{R}orders.py::test_a_preview_is_answered_and_refused",
    ),
    "5.10": row(
        "orders of other clients, and by hand",
        ORDERS + "orders_of_other_clients_are_other_orders",
        f"{R}orders.py::test_orders_entered_by_hand_can_be_bound",
        f"{R}orders.py::test_what_there_is_can_be_asked_for",
    ),
    "5.11": row(
        "after a reconnect",
        CONNECTING + "a_reconnect_brings_unknown_orders_up_to_date",
        COMPLETED + "a_missed_end_is_made_up_for",
        differs="the same Trade objects go on",
    ),
    # -- 6. errors
    "6.1": row(
        "warnings",
        REFUSALS + "a_remark_never_ends_a_live_order",
        SYSTEM + "a_remark_ends_nothing",
        differs="a table of all codes, which users can overrule",
    ),
    "6.2": row(
        "110",
        REFUSALS + "a_new_order_is_refused_on_validation",
        SYSTEM + "errors_about_an_order_preview_are_rejections",
        differs="it refuses a new order, and only leaves an accepted one as it was",
    ),
    "6.3": row(
        "a warning about a request",
        SYSTEM + "a_remark_ends_nothing",
        SYSTEM + "321_ends_a_request",
        differs="321 ends it: ib_async's request hangs",
    ),
    "6.4": row(
        "a warning about an order",
        REFUSALS + "a_remark_never_ends_a_live_order",
        differs="as in ib_insync it changes no status; it is written into the log of the trade",
    ),
    "6.5": row(
        "an error about a request",
        SYSTEM + "an_error_fails_the_request_it_is_about",
        SYSTEM + "without_errors_a_failed_request_returns_what_it_has",
        differs="raises by default; RaiseRequestErrors = False is theirs",
    ),
    "6.6": row(
        "an error about an order",
        REFUSALS + "a_rejection_ends_a_new_order_with_the_reason",
        REFUSALS + "a_modification_that_fails_is_taken_back",
        REFUSALS + "202_ends_an_order_that_nobody_asked_to_cancel",
        REFUSALS + "an_ended_order_stays_as_it_ended",
        differs="an unlisted code never ends an order",
    ),
    "6.7": row("how loud it is logged", SYSTEM + "what_a_code_says_decides_how_loud_it_is_logged"),
    "6.8": row(
        "errorEvent comes last, for information as well, and for streams",
        REFUSALS + "the_event_comes_last_and_names_the_contract",
        f"{R}market.py::test_errors_of_a_stream_are_told",
        HERE + "information_is_told_by_error_event",
    ),
    # -- 7. requests and futures
    "7.1": row(
        "requests without an id",
        CALLS + "equal_questions_without_id_share_one_request",
        CALLS + "different_questions_under_one_key_queue",
        CALLS + "every_asker_gets_the_whole_answer_to_its_question",
        differs="no answer is lost when two ask at once",
    ),
    "7.2": row(
        "futures are sent when they are made, coroutines when they are awaited",
        HERE + "futures_are_sent_when_they_are_made_and_coroutines_when_they_are_awaited",
        f"{R}orders.py::test_the_twins_that_ib_insync_has_as_futures_are_futures",
    ),
    "7.3": row(
        "limits of time",
        LEAVING + "a_request_nobody_answers_ends_at_its_deadline",
        LEAVING + "in_an_unchanged_script_the_limit_is_for_blocking_calls_alone",
        f"{R}reference.py::test_silence",
        f"{R}options.py::test_silence_and_refusal",
        f"{R}account.py::test_advisors",
        differs="every request has one; ten seconds where theirs wait for one or four",
    ),
    "7.4": row(
        "blocking calls in a running loop",
        "hosts/test_loops.py::test_blocking_calls_work_in_a_running_loop",
        differs="they work",
    ),
    "7.5": row("options of requests", HERE + "options_reach_the_gateway_and_defaults_are_nobodys"),
    "7.6": row(
        "profit and loss",
        f"{R}account.py::test_profit_and_loss_is_followed_in_one_object",
        ACCOUNT + "profit_and_loss_is_nan_where_nothing_is_told",
        differs="asking twice gives the same object; what is not told is NaN",
    ),
    "7.7": row(
        "the account summary",
        f"{R}account.py::test_the_summary_is_asked_for_once_and_then_read",
        ACCOUNT + "the_summary_is_kept_by_account_tag_and_currency",
        differs="it can be cancelled",
    ),
    "7.8": row(
        "account values, portfolio, positions",
        ACCOUNT + "values_of_both_kinds_share_their_keys",
        ACCOUNT + "the_portfolio_follows_and_forgets_what_is_closed",
        ACCOUNT + "positions_follow_and_are_answers",
    ),
    "7.9": row(
        "news, bulletins, the calendar",
        NEWS + "headlines_and_bulletins",
        NEWS + "what_came_in_is_bounded",
        f"{R}news.py::test_the_calendar_by_events",
        f"{R}news.py::test_waiting_for_the_calendar_replaces_what_was_asked_for_before",
        differs="the list of headlines has a bound",
    ),
    "7.10": row("setTimeout", SYSTEM + "silence_is_told_once", HERE + "the_idle_timer_ends_with_the_connection"),
    "7.11": row("loopUntil", CONNECTING + "loop_until_yields_once_per_update"),
    # -- 8. contracts
    "8.1": row(
        "qualifying",
        f"{R}reference.py::test_qualifying_fills_the_contract_in_place",
        f"{R}reference.py::test_what_does_not_qualify_is_left_out_of_many",
        f"{R}reference.py::test_without_errors_it_is_left_out_and_logged",
        f"{R}reference.py::test_one_match_of_the_right_kind_is_enough",
        f"{R}reference.py::test_all_of_what_was_found",
        "legacy/test_legacy.py::test_where_ib_async_differs",
        differs="raises when nothing at all qualifies, unless RaiseRequestErrors is off",
    ),
    "8.2": row(
        "details of contracts",
        WIRE + "forms_of_dates",
        WIRE + "dates_with_a_time",
        WIRE + "a_company_name_is_no_mojibake",
        differs="names are read as they are; timeZoneId comes from its own field, for bonds from the maturity",
    ),
    "8.3": row(
        "contracts are of the class that fits",
        WIRE + "contracts_come_as_their_class_and_fresh",
        HERE + "contracts_are_of_the_class_that_fits",
    ),
    "8.4": row("rights are as they were sent", HERE + "contracts_are_of_the_class_that_fits"),
    # -- 9. values and times
    "9.1": row(
        "what is unset on the wire",
        WIRE + "what_is_not_told_stays_not_told",
        WIRE + "server_side_unset_numbers",
        WIRE + "a_price_is_written_exactly",
    ),
    "9.2": row("sizes are floats", TICKS + "text_and_protobuf_tell_the_same"),
    "9.3": row("prices are floats; orders take Decimal", PLACING + "a_new_order_is_pending_and_sent"),
    "9.4": row(
        "times",
        FILLS + "times_are_aware_whatever_tws_sends",
        FILLS + "a_time_without_any_zone_is_local",
        HISTORY + "ends",
        HISTORY + "dates_are_dates_or_aware",
        TICKS + "times_are_in_the_zone_of_the_defaults",
    ),
    "9.5": row(
        "IBDefaults",
        MARKET + "defaults_of_the_user_are_those_of_new_tickers",
        TICKS + "what_stands_for_no_quote_is_the_users_choice",
        TICKS + "times_are_in_the_zone_of_the_defaults",
        HERE + "a_ticker_whose_unset_is_none_can_be_asked_for_its_price",
    ),
    # -- 10. the message rate
    "10.1": row(
        "45 messages a second",
        THROTTLE + "the_default_rate_is_45_a_second_and_orders_have_five_more",
        THROTTLE + "laws_of_the_throttle",
        PLACING + "orders_go_ahead_of_data_requests",
        f"{R}client.py::test_the_rate_can_be_set_before_and_while_connected",
        differs="orders and cancels go ahead",
    ),
}
