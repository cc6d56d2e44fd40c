-- The same ids, and what lives on the same nonces.
select id, from_account, nonce, status from transactions
where id = any ($1::bytea[])
union
select t.id, t.from_account, t.nonce, t.status
from unnest($2::bigint[], $3::bigint[]) as wanted (from_account, nonce)
join transactions t on t.from_account = wanted.from_account and t.nonce = wanted.nonce
where t.status <> 'rejected'
