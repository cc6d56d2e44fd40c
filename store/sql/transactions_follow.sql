-- Transactions follow their batches.
update transactions set status = $2 where batch = any ($1::bigint[])
