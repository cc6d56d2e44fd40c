-- River's job of a dead worker, if it is still in that worker's attempt: back in the
-- queue at once, or a dead letter when its attempts are used up.
update river_job
set state = case when attempt < max_attempts then 'available' else 'discarded' end::river_job_state,
    finalized_at = case when attempt < max_attempts then null else now() end,
    scheduled_at = now(),
    errors = array_append(errors, jsonb_build_object(
        'at', to_jsonb(now()), 'attempt', attempt, 'error', 'lease expired: the worker is gone', 'trace', ''))
where id = $1 and state = 'running' and attempt = $2
returning state = 'available'
