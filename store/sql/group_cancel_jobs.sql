-- The jobs of groups that settle directly are cancelled as River does it: a waiting one
-- at once; of a running one its worker hears by the next heartbeat.
update river_job j
set state = case when j.state = 'running' then j.state else 'cancelled' end,
    finalized_at = case when j.state = 'running' then null else now() end,
    metadata = j.metadata || jsonb_build_object('cancel_attempted_at', now())
from batch_groups g
where int8range(g.first, g.last, '[]') && int8range($1, $2, '[]') and g.status = 'direct'
  and j.kind = 'aggregate_batches' and (j.args->>'batch')::bigint = g.first
  and j.state in ('available', 'scheduled', 'retryable', 'pending', 'running')
