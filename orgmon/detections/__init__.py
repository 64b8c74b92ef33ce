"""Detections: Sigma rule files, compiled to metric filters and event rules.

One detection has one meaning (``condition``), and every compiled form says exactly that or the detection is refused.
Read them with ``catalogue.load``; compile with ``compile_filter.metric_filter``, ``compile_rule.event_rules`` and
``forwarding.forwarding``.
"""
