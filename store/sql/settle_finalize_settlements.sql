update settlements set status = 'final' where last = any ($1::bigint[]) and status = 'mined'
