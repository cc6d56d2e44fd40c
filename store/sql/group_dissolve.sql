-- Batches that settle in another range than their group's leave the rest of it to settle directly.
update batch_groups set status = 'direct', reason = $3
where int8range(first, last, '[]') && int8range($1, $2, '[]') and (first, last) <> ($1, $2) and status <> 'direct'
