-- Exits of an L1 address, by batch: what its owner can claim.
create index transactions_exits on transactions (to_l1, batch) where kind in (3, 4) and batch is not null;
