select distinct on (account) account, before_leaf, before_owner = decode(repeat('00', 32), 'hex')
from account_changes where batch > $2 and batch <= $1
order by account, batch
