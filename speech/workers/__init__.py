"""Engines in processes of their own, so that what hangs or dies takes nothing with it."""
