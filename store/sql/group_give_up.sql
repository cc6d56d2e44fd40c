update batch_groups set status = 'direct', reason = $2 where first = $1 and status <> 'direct'
