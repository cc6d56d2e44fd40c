package store

// All statements about accounts and their history.

const (
	accountsByIndexSQL = `select index, owner, token, nonce, balance, l1, leaf from accounts where index = any ($1::bigint[])`

	accountsByOwnerSQL = `
		select index, owner, token, nonce, balance, l1, leaf from accounts
		where owner = $1 and l1 = $2 and index > $3
		order by index
		limit $4`

	accountsAllSQL = `select index, owner, token, nonce, balance, l1, leaf from accounts order by index`

	// $2 is 0 for no bound.
	accountHistorySQL = `
		select batch,
		       account, before_owner, before_token, before_nonce, before_balance, before_l1, before_leaf,
		       account, after_owner, after_token, after_nonce, after_balance, after_l1, after_leaf
		from account_changes
		where account = $1 and ($2::bigint = 0 or batch < $2)
		order by batch desc
		limit $3`

	// The account after batch $2: what the last change up to it left.
	accountAtSQL = `
		select account, after_owner, after_token, after_nonce, after_balance, after_l1, after_leaf
		from account_changes
		where account = $1 and batch <= $2
		order by batch desc
		limit 1`

	// All accounts after batch $1: those of now, with the first change behind that batch undone.
	accountsUndoneSQL = `
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
		order by a.index`

	// One statement and so one snapshot: a batch is in both tables or in none.
	accountsAstraySQL = `
		with last as (
		    select distinct on (account) account, after_owner, after_token, after_nonce, after_balance, after_l1, after_leaf
		    from account_changes order by account, batch desc
		)
		select coalesce(a.index, l.account)
		from accounts a full join last l on l.account = a.index
		where (a.owner, a.token, a.nonce, a.balance, a.l1, a.leaf)
		    is distinct from (l.after_owner, l.after_token, l.after_nonce, l.after_balance, l.after_l1, l.after_leaf)
		order by 1
		limit $1`

	leavesForwardSQL = `
		select distinct on (account) account, after_leaf, false
		from account_changes where batch > $1 and batch <= $2
		order by account, batch desc`

	leavesBackSQL = `
		select distinct on (account) account, before_leaf, before_owner = decode(repeat('00', 32), 'hex')
		from account_changes where batch > $2 and batch <= $1
		order by account, batch`

	// The first account of each owner, L1 address and token asked for.
	accountsFirstOfSQL = `
		select a.index, a.owner, a.token, a.nonce, a.balance, a.l1, a.leaf
		from unnest($1::bytea[], $2::bytea[], $3::bigint[]) as asked (owner, l1, token)
		cross join lateral (
		    select * from accounts
		    where owner = asked.owner and l1 = asked.l1 and token = asked.token
		    order by index limit 1) a`

	// In order of index, as admission locks them, so that the two cannot deadlock.
	sealLockAccountsSQL = `select from accounts where index = any ($1::bigint[]) order by index for no key update`

	// Only those that are as the batch found them: the caller compares the count.
	sealUpdateAccountsSQL = `
		update accounts a
		set nonce = new.nonce, balance = new.balance, leaf = new.leaf
		from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::numeric[], $5::bytea[])
		    as new (index, old_leaf, nonce, balance, leaf)
		where a.index = new.index and a.leaf = new.old_leaf`

	sealOpenAccountsSQL = `
		insert into accounts (index, owner, token, nonce, balance, l1, leaf)
		select * from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bytea[], $7::bytea[])
		on conflict (index) do nothing`
)
