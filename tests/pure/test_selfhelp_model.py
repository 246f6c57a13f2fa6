from datetime import UTC, datetime

from kabao.selfhelp import CHINA, Amount, Moment


def test_a_time_is_written_as_it_was_given_and_its_day_is_chinas() -> None:
    late = Moment(datetime(2026, 11, 14, 17, 30, tzinfo=UTC))
    assert (late.words(), late.day.isoformat()) == ("2026-11-15 01:30", "2026-11-15")
    assert Moment(datetime(2026, 11, 15, tzinfo=CHINA), exact=False).words() == "2026-11-15"


def test_a_sum_names_its_currency_only_where_it_is_a_foreign_one() -> None:
    assert (Amount(26805).words(), Amount(4000, "USD").words()) == ("268.05", "40.00 USD")
