-- In order of index, as admission locks them, so that the two cannot deadlock.
select from accounts where index = any ($1::bigint[]) order by index for no key update
