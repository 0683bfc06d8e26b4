"""Personal data by subject, out and gone: a customer, one of its people, or one of
ours. Each has its traces (what leads to them), its columns (what of a row is theirs) and its
erasure; `told` finds the chats, `erasing` has the statements, `data` is the way in."""
