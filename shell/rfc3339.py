"""Dates and times of RFC 3339, to and from nanoseconds since 1970-01-01 UTC. Pure integers."""

# SPDX-License-Identifier: BSD-3-Clause

_SECOND = 1000000000
_BEFORE_MONTH = (0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)


def parse(text):
    """-> ns of a date-time such as 2026-11-22T20:50:00.5+01:00. Raises ValueError.

    Taken: year 1970 to 9999, any number of fraction digits (cut to ns), leap second 60 as 59.
    """
    if len(text) < 20 or _separators(text) != "--T::":
        raise ValueError("not like 2006-01-02T15:04:05Z")
    year, month, day = _number(text[0:4]), _number(text[5:7]), _number(text[8:10])
    hour, minute, second = _number(text[11:13]), _number(text[14:16]), _number(text[17:19])
    if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= _month_len(year, month):
        raise ValueError("no such date")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("no such time")
    fraction, offset = _tail(text[19:])
    seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + min(second, 59)
    ns = (seconds - offset) * _SECOND + fraction
    if ns < 0:
        raise ValueError("before 1970")
    return ns


def text(ns):
    """-> the date-time in UTC, such as 2026-11-22T20:50:00Z."""
    seconds = ns // _SECOND
    year, month, day = _date(seconds // 86400)
    seconds %= 86400
    clock = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % ((year, month, day) + clock)


def days(year, month, day):
    """-> days from 1970-01-01 to a date of the Gregorian calendar, 1970 or later."""
    past = year - 1
    leaps = past // 4 - past // 100 + past // 400 - 477  # 477 up to 1969
    after_february = 1 if month > 2 and _is_leap(year) else 0
    return (year - 1970) * 365 + leaps + _BEFORE_MONTH[month] + after_february + day - 1


def _date(day):
    year = 1970 + day // 366
    while days(year + 1, 1, 1) <= day:
        year += 1
    month = 1
    while month < 12 and days(year, month + 1, 1) <= day:
        month += 1
    return year, month, day - days(year, month, 1) + 1


def _is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _month_len(year, month):
    return _BEFORE_MONTH[month + 1] - _BEFORE_MONTH[month] + (month == 2 and _is_leap(year))


def _separators(text):
    return (text[4] + text[7] + text[10] + text[13] + text[16]).upper()


def _number(digits):
    if digits.strip("0123456789"):
        raise ValueError("not like 2006-01-02T15:04:05Z")
    return int(digits)


def _tail(text):
    """-> (ns of the fraction, seconds east of UTC) of what follows the seconds."""
    fraction = 0
    if text[0] == ".":
        zone = text[1:].lstrip("0123456789")
        digits = text[1 : len(text) - len(zone)]
        if not digits:
            raise ValueError("fraction without digits")
        fraction = _number((digits + "00000000")[:9])
        text = zone
    if text in ("Z", "z"):
        return fraction, 0
    if len(text) != 6 or text[0] not in "+-" or text[3] != ":":
        raise ValueError("no time zone, such as Z or +01:00")
    hours, minutes = _number(text[1:3]), _number(text[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError("no such time zone")
    offset = hours * 3600 + minutes * 60
    return fraction, -offset if text[0] == "-" else offset
