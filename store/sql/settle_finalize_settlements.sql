update settlements set status = 'final' where batch = any ($1::bigint[]) and status = 'mined'
