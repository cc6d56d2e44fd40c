-- Back in the queue at once, on any worker. What is running stays with its worker.
update river_job
set state = 'available', scheduled_at = now(), finalized_at = null, max_attempts = greatest(max_attempts, attempt + 1),
    metadata = metadata - 'memory'
where id = $1 and kind in ('prove_batch', 'aggregate_batches')
  and state in ('discarded', 'cancelled', 'available', 'scheduled', 'retryable', 'pending', 'completed')
