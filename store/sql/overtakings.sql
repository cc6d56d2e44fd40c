-- Of each batch whose job was put back after a dead worker, or whose proof failed or was
-- set aside: the last such time, when its proof was begun again, and how many proofs of
-- later batches were begun in between.
select f.batch, f.failed_at, l.acquired_at,
       (select count(*) from leases o
        where o.circuit = l.circuit and o.batch > l.batch and o.acquired_at > f.failed_at and o.acquired_at < l.acquired_at)
from (
    select batch, key_hash, max(failed_at) as failed_at
    from proof_failures where circuit = 'transition' group by batch, key_hash
) f
join leases l on l.batch = f.batch and l.circuit = 'transition' and l.key_hash = f.key_hash and l.acquired_at > f.failed_at
order by f.batch
