-- What the planner sees: unsettled batches up to the first unproven one, behind which
-- nothing is decided. A sealed batch without a live job is a dead letter, unless its proof
-- was set aside: a reaper queues its job again.
with first as (select min(number) as number from batches where status = 'sealed')
select b.number, b.status, b.key_hash, b.proven_at, b.used_exits + b.used_l1_ops, octet_length(b.words) / 32,
       b.status = 'sealed' and not exists (
           select from river_job j
           where j.kind = 'prove_batch' and (j.args->>'batch')::bigint = b.number
             and j.state not in ('discarded', 'cancelled', 'completed'))
       and not exists (
           select from refused_proofs r where r.batch = b.number and r.circuit = 'transition' and not exists (
               select from river_job j
               where j.kind = 'prove_batch' and (j.args->>'batch')::bigint = b.number and j.state in ('discarded', 'cancelled')))
from batches b, first
where b.status in ('sealed', 'proven', 'settling') and (first.number is null or b.number <= first.number)
order by b.number
