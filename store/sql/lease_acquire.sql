-- A live lease of another epoch leaves no row to return.
insert into leases as held (batch, circuit, key_hash, epoch, holder, job_id, job_attempt, acquired_at, heartbeat_at, expires_at)
values ($1, $2, $3, 1, $4, $5, $6, clock_timestamp(), clock_timestamp(), clock_timestamp() + $7::interval)
on conflict (batch, circuit, key_hash) do update
set epoch = held.epoch + 1, holder = excluded.holder, job_id = excluded.job_id, job_attempt = excluded.job_attempt,
    acquired_at = excluded.acquired_at, heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at,
    released = false
where held.released or held.expires_at <= clock_timestamp()
returning batch, circuit, key_hash, epoch, holder, job_id, job_attempt, acquired_at, heartbeat_at, expires_at
