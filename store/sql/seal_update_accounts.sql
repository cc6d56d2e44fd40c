-- Only those that are as the batch found them: the caller compares the count.
update accounts a
set nonce = new.nonce, balance = new.balance, leaf = new.leaf
from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::numeric[], $5::bytea[])
    as new (index, old_leaf, nonce, balance, leaf)
where a.index = new.index and a.leaf = new.old_leaf
