select from_account, sum(amount + fee), array_agg(nonce order by nonce)
from transactions
where status = 'accepted' and from_account = any ($1::bigint[])
group by from_account
