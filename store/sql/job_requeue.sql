-- River's job of a dead worker, if it is still in that worker's attempt: back in the
-- queue after a delay ($3), or a dead letter ($4) when it is given up or its attempts are
-- used up; cancelled if nobody needs it any more. In one statement, as whoever claims
-- jobs takes it the moment that it is available.
with fate as (
    select id, case when metadata ? 'cancel_attempted_at' then 'cancelled'
                    when $4::boolean or attempt >= max_attempts then 'discarded'
                    else 'available' end as state
    from river_job where id = $1 and state = 'running' and attempt = $2
    for update
)
update river_job j
set state = fate.state::river_job_state,
    finalized_at = case when fate.state = 'available' then null else now() end,
    scheduled_at = now() + $3::interval,
    errors = array_append(errors, jsonb_build_object(
        'at', to_jsonb(now()), 'attempt', attempt, 'error', 'lease expired: the worker is gone', 'trace', ''))
from fate where j.id = fate.id
returning j.state = 'available'
