-- The first unsettled batch behind $1, whatever its status.
select number, status, shape, key_hash, old_root, new_root, commitment,
       used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops,
       transactions, sealed_at, proven_at, settled_at, final_at
from batches where number > $1 and status in ('sealed', 'proven', 'settling') order by number limit 1
