"""Contracts, receipts, and the review of clauses when money is missing."""
