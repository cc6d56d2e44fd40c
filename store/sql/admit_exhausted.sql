-- Indices are given out in sequence, so the last one is taken when none is left.
select exists (select from accounts where index = 4294967295)
