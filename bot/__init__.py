"""The engine and the vocabulary: envelopes in, handled in order, messages out. No platform, no
database, no library beyond the standard one."""
