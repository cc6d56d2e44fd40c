-- Proofs to be made: one row for each, for ever. It is the job, and while a worker is at it
-- also that worker's lease: (id, epoch) with status running names one attempt, and nothing but
-- that attempt may end it. The epoch only grows.
create table proof_jobs (
    id           bigint primary key generated always as identity,
    batch        bigint not null references batches (number),  -- of a group the first
    last         bigint not null references batches (number),  -- batch, or the last of a group
    circuit      text not null check (circuit <> ''),
    shape        text not null check (shape <> ''),
    key_hash     bytea not null check (octet_length(key_hash) = 32),
    status       text not null default 'available'
                 check (status in ('available', 'running', 'completed', 'cancelled', 'discarded')),
    attempt      integer not null default 0 check (attempt >= 0),  -- times begun, without those that were handed back
    epoch        bigint not null default 0 check (epoch >= 0),
    created_at   timestamptz not null default now(),
    due_at       timestamptz not null default now(),  -- not to be begun before
    holder       text,                                -- these four: of the last attempt
    begun_at     timestamptz,
    heartbeat_at timestamptz,
    expires_at   timestamptz,
    finished_at  timestamptz,
    memory_above bigint check (memory_above >= 0),    -- of the worker on which it ran out, for
    memory_until timestamptz,                         -- workers with more until then
    constraint proof_jobs_key unique (batch, circuit, key_hash),
    constraint proof_jobs_range check (last >= batch and last - batch < 64),
    constraint proof_jobs_lease check (
        status <> 'running' or (epoch > 0 and attempt > 0 and num_nulls(holder, begun_at, heartbeat_at, expires_at) = 0)),
    constraint proof_jobs_finished check ((status in ('completed', 'cancelled', 'discarded')) = (finished_at is not null)),
    constraint proof_jobs_memory check (num_nulls(memory_above, memory_until) in (0, 2))
) with (fillfactor = 80);

-- What a worker looks for, in its order; what is running; what is counted.
create index proof_jobs_open on proof_jobs (batch, id) where status in ('available', 'running', 'discarded');

-- What is there already. Until now the queue was kept by River (river_job; a new database has
-- none), which deletes completed jobs after a day and may hold several of one proof: the one
-- that is alive counts, else the last. What was running is begun anew.
create table old_jobs (
    id bigint, batch bigint, circuit text, key_hash bytea, status text, attempt integer,
    created_at timestamptz, due_at timestamptz, finished_at timestamptz, memory_above bigint, memory_until timestamptz
);

do $$
begin
    if to_regclass(format('%I.river_job', current_schema())) is null then
        return;
    end if;
    insert into old_jobs
    select distinct on (batch, circuit, key_hash) * from (
        select id, (args->>'batch')::bigint as batch, args->>'circuit' as circuit, decode(substr(args->>'key_hash', 3), 'hex') as key_hash,
               case when state in ('completed', 'cancelled', 'discarded') then state::text
                    when metadata ? 'cancel_attempted_at' then 'cancelled' else 'available' end as status,
               attempt, created_at, case when state = 'running' then now() else scheduled_at end, finalized_at,
               (metadata->'memory'->>'above')::bigint, (metadata->'memory'->>'until')::timestamptz
        from river_job where kind in ('prove_batch', 'aggregate_batches')
    ) jobs
    order by batch, circuit, key_hash, status = 'available' desc, id desc;
    -- Another application may keep its jobs beside ours.
    if not exists (select from river_job where kind not in ('prove_batch', 'aggregate_batches')) then
        drop table if exists river_job, river_leader, river_queue, river_client, river_client_queue, river_notification, river_migration;
        drop function if exists river_job_state_in_bitmask;
        drop function if exists river_job_notify;
        drop type if exists river_job_state;
    end if;
end $$;

-- Every batch needs a proof, and every group that was to be folded.
insert into proof_jobs (batch, last, circuit, shape, key_hash, status, attempt, epoch, created_at, due_at,
                        holder, begun_at, heartbeat_at, expires_at, finished_at, memory_above, memory_until)
select n.batch, n.last, n.circuit, n.shape, n.key_hash, fate.status, coalesce(o.attempt, l.job_attempt, 0), coalesce(l.epoch, 0),
       coalesce(o.created_at, n.since), coalesce(o.due_at, n.since), l.holder, l.acquired_at, l.heartbeat_at, l.expires_at,
       case when fate.status <> 'available' then coalesce(o.finished_at, now()) end, o.memory_above, o.memory_until
from (
    select number as batch, number as last, 'transition' as circuit, shape, key_hash, sealed_at as since, status <> 'sealed' as proven, false as direct
    from batches
    union all
    select first, last, 'aggregate', shape, key_hash, planned_at, status = 'proven', status = 'direct'
    from batch_groups where last > first
) n
left join old_jobs o using (batch, circuit, key_hash)
left join leases l using (batch, circuit, key_hash)
cross join lateral (
    select case when n.proven then 'completed'
                when n.direct then case when o.status in ('completed', 'discarded') then o.status else 'cancelled' end
                else coalesce(o.status, 'available') end as status
) fate
order by coalesce(o.id, 0), n.batch;

drop table old_jobs, leases;

create trigger proof_jobs_transition before update of status on proof_jobs
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('available', 'running'), ('available', 'completed'), ('available', 'cancelled'), ('available', 'discarded'),
        ('running', 'available'), ('running', 'completed'), ('running', 'cancelled'), ('running', 'discarded'),
        ('completed', 'available'), ('completed', 'discarded'), ('discarded', 'available'), ('discarded', 'completed'),
        ('cancelled', 'available')))
    execute function refuse_transition();

create trigger proof_jobs_first_status before insert on proof_jobs
    for each row when (new.status <> 'available')
    execute function refuse_first_status();

create trigger proof_jobs_immutable before update on proof_jobs
    for each row
    when ((old.id, old.batch, old.last, old.circuit, old.shape, old.key_hash) is distinct from
          (new.id, new.batch, new.last, new.circuit, new.shape, new.key_hash) or new.epoch < old.epoch)
    execute function refuse_rewrite();

-- There is no way back: the program before this one kept its queue in River's tables.
