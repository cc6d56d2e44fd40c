-- A range spans less than 64 batches. What was claimed before the batch was settled was
-- claimed on a branch that the chain has left.
select n.batch, coalesce(f.head, 0), coalesce(f.head >= s.block_number, false),
       array(select c.index from claims c where c.batch = n.batch and c.block >= s.block_number order by c.index),
       array(select c.tx_hash from claims c where c.batch = n.batch and c.block >= s.block_number order by c.index)
from unnest($1::bigint[]) as n (batch)
left join claims_followed f on true
left join lateral (
    select block_number from settlements
    where batch between n.batch - 63 and n.batch and last >= n.batch and status in ('mined', 'final')
    limit 1
) s on true
