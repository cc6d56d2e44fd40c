-- The account after batch $2: what the last change up to it left.
select account, after_owner, after_token, after_nonce, after_balance, after_l1, after_leaf
from account_changes
where account = $1 and batch <= $2
order by batch desc
limit 1
