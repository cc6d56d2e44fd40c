-- $1 is 0 for no bound.
select number, status, shape, key_hash, old_root, new_root, commitment,
       used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops,
       transactions, sealed_at, proven_at, settled_at, final_at
from batches where $1::bigint = 0 or number < $1 order by number desc limit $2
