-- $2 is 0 for no bound.
select batch,
       account, before_owner, before_token, before_nonce, before_balance, before_l1, before_leaf,
       account, after_owner, after_token, after_nonce, after_balance, after_l1, after_leaf
from account_changes
where account = $1 and ($2::bigint = 0 or batch < $2)
order by batch desc
limit $3
