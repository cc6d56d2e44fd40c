-- Proof jobs with batch, lease and last failure. Newest batch first. A job to fold a
-- group that settles directly by now has nothing left to do, like one whose proof is stored.
select j.id, b.number, coalesce((j.args->>'last')::bigint, b.number), j.args->>'circuit', j.args->>'shape', key.hash, j.state::text, j.attempt,
       j.created_at, j.scheduled_at, j.attempted_at, j.finalized_at, b.status, done.yes,
       l.holder, l.heartbeat_at,
       (j.metadata->'memory'->>'above')::bigint, (j.metadata->'memory'->>'until')::timestamptz,
       (select count(*) from proof_failures f
        where f.batch = b.number and f.circuit = j.args->>'circuit' and f.key_hash = key.hash),
       f.class, f.detail, f.failed_at
from river_job j
cross join lateral (select decode(substr(j.args->>'key_hash', 3), 'hex') as hash) key
join batches b on b.number = (j.args->>'batch')::bigint
left join proofs p on p.batch = b.number and p.circuit = j.args->>'circuit' and p.key_hash = key.hash
left join batch_groups g on g.first = b.number and j.kind = 'aggregate_batches'
cross join lateral (
    -- as in proof_exists.sql: a row beside a sealed batch or a planned group is nobody's proof
    select p.batch is not null and case when j.kind = 'aggregate_batches' then coalesce(g.status <> 'planned', true) else b.status <> 'sealed' end
           or coalesce(g.status = 'direct', false) as yes
) done
left join leases l on l.job_id = j.id and not l.released and j.state = 'running'
left join lateral (
    select class, detail, failed_at from proof_failures
    where batch = b.number and circuit = j.args->>'circuit' and key_hash = key.hash
    order by id desc limit 1
) f on true
where j.kind in ('prove_batch', 'aggregate_batches')
  and ($1::bigint = 0 or j.id = $1)
  and ($2::bigint = 0 or b.number = $2)
  and (not $3::boolean or (not done.yes and j.state in ('discarded', 'cancelled')))
  and ($4::text[] is null or j.state::text = any($4))
order by b.number desc, j.id desc
limit nullif($5::bigint, 0)
