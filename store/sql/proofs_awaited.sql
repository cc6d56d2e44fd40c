-- The first batch whose proof was set aside, or is gone, which is recorded as a failure, and
-- whose job is done or gone, so that nobody makes another one. Two that look at once take different batches.
select b.number, b.shape, b.key_hash, done.id
from batches b
left join lateral (
    select j.id from river_job j
    where j.kind = 'prove_batch' and j.state = 'completed' and (j.args->>'batch')::bigint = b.number
      and decode(substr(j.args->>'key_hash', 3), 'hex') = b.key_hash
    order by j.id desc limit 1
) done on true
where b.status = 'sealed'
  and exists (select from proof_failures f where f.batch = b.number and f.circuit = 'transition' and f.key_hash = b.key_hash)
  and not exists (
      select from river_job j
      where j.kind = 'prove_batch' and j.state <> 'completed' and (j.args->>'batch')::bigint = b.number
        and decode(substr(j.args->>'key_hash', 3), 'hex') = b.key_hash)
order by b.number
limit 1
for update of b skip locked
