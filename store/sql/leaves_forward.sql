select distinct on (account) account, after_leaf, false
from account_changes where batch > $1 and batch <= $2
order by account, batch desc
