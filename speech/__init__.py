"""Recordings and papers to text: engines that are chosen in the configuration."""
