"""Revenue to come, foreseen from a table of opportunities and judged on its own past.

`reading` makes a CSV a `table`, which can hide what was not known at an origin; `predicting`
foresees from that; `backtest` scores it beside the `baselines`. `nightly` does so for the company's
own deals, whose levels and stages `standing` learns from. What people forecast is in
`handlers.forecasts`. docs/forecast.md says how and how well.
"""
