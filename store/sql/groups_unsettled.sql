-- Groups that hold unsettled batches, with the fate of their last job.
select g.first, g.last, g.status, coalesce(g.shape, ''), coalesce(g.key_hash, decode(repeat('00', 32), 'hex')), g.reason, g.planned_at, g.proven_at,
       g.status = 'planned' and coalesce((
           select j.state in ('discarded', 'cancelled', 'completed') from river_job j
           where j.kind = 'aggregate_batches' and (j.args->>'batch')::bigint = g.first
           order by j.id desc limit 1), true)
from batch_groups g
where g.last >= (select min(number) from batches where status in ('sealed', 'proven', 'settling'))
order by g.first
