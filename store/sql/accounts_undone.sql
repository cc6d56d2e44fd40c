-- All accounts after batch $1: those of now, with the first change behind that batch undone.
with undone as (
    select distinct on (account) account, before_owner, before_token, before_nonce, before_balance, before_l1, before_leaf
    from account_changes where batch > $1
    order by account, batch
)
select a.index,
       coalesce(u.before_owner, a.owner), coalesce(u.before_token, a.token), coalesce(u.before_nonce, a.nonce),
       coalesce(u.before_balance, a.balance), coalesce(u.before_l1, a.l1), coalesce(u.before_leaf, a.leaf)
from accounts a left join undone u on u.account = a.index
where u.before_owner is distinct from decode(repeat('00', 32), 'hex')
order by a.index
