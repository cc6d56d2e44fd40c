-- An exit-all (kind 4) has amount 0: what it takes is known when it is executed.
select from_account, sum(amount + fee), bool_or(kind = 4), array_agg(nonce order by nonce)
from transactions
where status = 'accepted' and from_account = any ($1::bigint[])
group by from_account
