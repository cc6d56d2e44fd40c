-- The first unproven batch, if no job of it is alive. SealBatch writes batch and job
-- in one transaction, so a batch without any has lost it to a person; unless its proof was
-- set aside a moment ago: a reaper queues its job again.
with first as (
    select number, key_hash from batches where status = 'sealed' order by number limit 1
), job as (
    select j.id, j.state::text as state
    from river_job j, first
    where j.kind = 'prove_batch' and (j.args->>'batch')::bigint = first.number
      and decode(substr(j.args->>'key_hash', 3), 'hex') = first.key_hash
    order by j.id desc limit 1
), failure as (
    select f.class, f.detail from proof_failures f, first where f.batch = first.number order by f.id desc limit 1
)
select first.number, job.id, job.state,
       (select count(*) from batches where number > first.number and status = 'proven'),
       failure.class, failure.detail
from first left join job on true left join failure on true
where job.state in ('discarded', 'cancelled')
   or ((job.id is null or job.state = 'completed')
       and not exists (select from refused_proofs r where r.batch = first.number and r.circuit = 'transition' and r.key_hash = first.key_hash))
