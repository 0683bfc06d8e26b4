"""What people forecast: submitted, locked, signed twice, compared. The machine's is in
`handlers.machine_forecast`; neither writes over the other."""
