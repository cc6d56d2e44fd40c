-- One statement and so one snapshot: a batch is in both tables or in none.
with last as (
    select distinct on (account) account, after_owner, after_token, after_nonce, after_balance, after_l1, after_leaf
    from account_changes order by account, batch desc
)
select coalesce(a.index, l.account)
from accounts a full join last l on l.account = a.index
where (a.owner, a.token, a.nonce, a.balance, a.l1, a.leaf)
    is distinct from (l.after_owner, l.after_token, l.after_nonce, l.after_balance, l.after_l1, l.after_leaf)
order by 1
limit $1
