"""Detections: Sigma rule files, compiled to metric filters and event rules.

One detection has one meaning (``condition``), and every compiled form says exactly that or the detection is refused.
``sigma`` reads rule files; ``compile_filter.metric_filters``, ``compile_rule.event_rules`` and
``forwarding.forwarding`` compile what was read; ``catalogue.load`` gives all that is in use; ``proof.prove`` shows
that the forms agree with the examples.
"""
