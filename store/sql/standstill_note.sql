insert into standstills (role, reason) values ($1, $2) on conflict (role) do update set reason = excluded.reason
