"""What cannot be said, under stable codes to search for and to quote."""

from __future__ import annotations

import enum


class Code(enum.StrEnum):
    """Why a construct has no form in a pattern language (``E-``), or what is odd in a rule (``W-``)."""

    FIELD_OBJECT = "E-FIELD-OBJECT"
    """A comparison of a whole object."""
    ARRAY_NEG = "E-ARRAY-NEG"
    """A negation over an array."""
    ARRAY_PAIR = "E-ARRAY-PAIR"
    """Two tests below one array."""
    SAME_FIELD = "E-EB-SAMEFIELD"
    """Two patterns on one field of an event pattern."""
    NOT_CIDR = "E-EB-NOT-CIDR"
    """A negated address block in an event pattern."""
    WILDCARDS = "E-EB-WILDCARD-BUDGET"
    """Wildcards that are too many or too complex for EventBridge."""
    BUS_FULL = "E-EB-BUS-FULL"
    """More rules, or rules with wildcards, than one event bus may have."""
    EVENT_SIZE = "E-EB-SIZE"
    """An event pattern of over 2,048 characters, or of too many combinations."""
    REGEX = "E-CW-REGEX-BUDGET"
    """More regular expressions than a filter pattern or a log group may hold."""
    REGEX_SYNTAX = "E-CW-REGEX"
    """A regular expression that the languages of AWS do not have."""
    FILTER_LENGTH = "E-CW-LENGTH"
    """A filter pattern of over 1,024 characters."""
    INFIX = "E-CW-INFIX"
    """A ``*`` inside a string of a filter pattern that cannot be said by its ends."""
    EMPTY = "E-CW-EMPTY"
    """The empty string in a filter pattern."""
    FILTER_CIDR = "E-CW-CIDR"
    """An address block in a filter pattern, which compares text."""
    GROUP_FULL = "E-CW-GROUP-FULL"
    """More than 100 metric filters on one log group."""
    PLACEHOLDER = "E-PLACEHOLDER"
    """A placeholder without values."""
    NEGATION = "E-NEGATION"
    """A negation that a pattern language cannot say on a field of this type."""
    CONSTANT = "E-CONSTANT"
    """A condition that always or never holds."""
    KEYWORD = "E-KEYWORD"
    """Text without a field."""
    VALUE = "E-VALUE"
    """A value or modifier that no pattern language has on this field."""
    CORRELATION_RANGE = "E-CORR-RANGE"
    """A threshold that is not a lower bound."""
    CORRELATION_TIMESPAN = "E-CORR-TIMESPAN"
    """A threshold's timespan that no alarm has."""
    CORRELATION_GROUP = "E-CORR-GROUP"
    """A threshold's grouping that no alarm counts apart."""
    CORRELATION_TYPE = "E-CORR-TYPE"
    """A correlation other than event_count."""
    FORWARD = "E-FORWARD"
    """Events that cannot be forwarded without forwarding everything."""
    CASE = "W-CASE-UNKNOWN"
    """A value whose spelling in CloudTrail is not known; AWS's patterns mind case."""
    COERCED = "W-TYPE-COERCED"
    """A value that was taken for another type."""
    FIELD_UNKNOWN = "W-FIELD-UNKNOWN"
    """A field that no CloudTrail record is known to have."""
    READS = "W-EB-READONLY-STATE"
    """Read-only calls: their rule must have another state and sees a flood of calls."""


class InexpressibleError(Exception):
    """A pattern language cannot say it. ``nearest`` is the nearest thing that it can."""

    def __init__(self, code: Code, field: str, construct: str, nearest: str) -> None:
        super().__init__(f"{field}: {construct}")
        self.code, self.field, self.construct, self.nearest = code, field, construct, nearest
