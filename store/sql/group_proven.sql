-- A group that was given up stays so.
update batch_groups set status = 'proven', proven_at = clock_timestamp() where first = $1 and status = 'planned'
