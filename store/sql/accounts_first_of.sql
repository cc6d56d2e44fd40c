-- The first account of each owner, L1 address and token asked for.
select a.index, a.owner, a.token, a.nonce, a.balance, a.l1, a.leaf
from unnest($1::bytea[], $2::bytea[], $3::bigint[]) as asked (owner, l1, token)
cross join lateral (
    select * from accounts
    where owner = asked.owner and l1 = asked.l1 and token = asked.token
    order by index limit 1) a
