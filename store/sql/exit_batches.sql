select distinct t.batch from transactions t join batches b on b.number = t.batch
where t.to_l1 = $1 and t.kind in (3, 4) and t.batch is not null and t.batch > $2 and b.status in ('settled', 'final')
order by t.batch
limit $3
