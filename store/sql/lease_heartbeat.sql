update leases
set heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + $5::interval
where batch = $1 and circuit = $2 and key_hash = $3 and epoch = $4 and not released
returning batch, circuit, key_hash, epoch, holder, job_id, job_attempt, acquired_at, heartbeat_at, expires_at
