update batch_groups set status = 'direct', reason = $3 where first = $1 and last = $2 and status = 'planned'
