-- What accepted transactions of the senders $1 will take; their nonces ascending.
-- Debits of a sender stay below 2^128: admission checks them against the balance.
select from_account, sum(amount + fee)::text, array_agg(nonce order by nonce)
from transactions
where status = 'accepted' and from_account = any ($1::bigint[])
group by from_account
