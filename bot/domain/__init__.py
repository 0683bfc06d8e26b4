"""The rules of the business: plain data in, plain data out. The clock is an argument, money is in
fen, and an answer that is to be expected is returned, not raised."""
