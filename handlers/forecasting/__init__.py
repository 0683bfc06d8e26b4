"""Revenue to come, foreseen from a table of opportunities and judged on its own past.

`reading` makes a CSV a Table, `masking` hides what was not known at an origin, `predicting`
foresees from such a table, `backtest` scores that beside the baselines. docs/forecast.md says
how and how well.
"""
