"""`/forecast`: what people have forecast, beside targets and the machine; changes, and how well
earlier ones held."""

from handlers.pages.forecast.whole import ForecastPage, page

__all__ = ["ForecastPage", "page"]
