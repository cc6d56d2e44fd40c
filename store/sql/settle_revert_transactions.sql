-- Those of settling batches are proven already.
update transactions set status = 'proven' where batch = any ($1::bigint[]) and status = 'settled'
