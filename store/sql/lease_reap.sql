-- A new epoch, so that the worker learns of it at its next heartbeat.
update leases set epoch = epoch + 1, released = true
where batch = $1 and circuit = $2 and key_hash = $3 and epoch = $4
  and not released and expires_at <= clock_timestamp()
