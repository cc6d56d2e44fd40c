-- River's job of a dead worker, if it is still in that worker's attempt: back in the
-- queue at once, or a dead letter when its attempts are used up; cancelled if it was
-- given up meanwhile.
update river_job
set state = case when metadata ? 'cancel_attempted_at' then 'cancelled' when attempt < max_attempts then 'available' else 'discarded' end::river_job_state,
    finalized_at = case when attempt < max_attempts and not metadata ? 'cancel_attempted_at' then null else now() end,
    scheduled_at = now(),
    errors = array_append(errors, jsonb_build_object(
        'at', to_jsonb(now()), 'attempt', attempt, 'error', 'lease expired: the worker is gone', 'trace', ''))
where id = $1 and state = 'running' and attempt = $2
returning state = 'available'
