select batch, circuit, key_hash, epoch, holder, job_id, job_attempt, acquired_at, heartbeat_at, expires_at
from leases where not released and expires_at <= clock_timestamp() order by expires_at
