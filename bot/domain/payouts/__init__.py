"""Exact payouts: rules and facts in, lines of integer fen out.

Read in this order: `rules.py` and `facts.py` are what is given, `reading_*.py` make them from
JSON, `checking.py` refuses what could pay wrongly, `computing.py` does the work, `lines.py` is
what comes out, `words.py` and `reasons.py` say it in Chinese. docs/payouts.md tells the rest.
"""
