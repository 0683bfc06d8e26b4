"""Customers, orders and receipts out of the ERPs, forecasts into them."""
