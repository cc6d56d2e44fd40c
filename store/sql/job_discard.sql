update river_job
set state = 'discarded', finalized_at = now(),
    errors = array_append(errors, jsonb_build_object(
        'at', to_jsonb(now()), 'attempt', attempt, 'error', 'discarded by an operator', 'trace', ''))
where id = $1 and kind in ('prove_batch', 'aggregate_batches')
  and state in ('available', 'scheduled', 'retryable', 'pending')
