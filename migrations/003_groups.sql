-- Groups of batches that one proof settles, and settlements of several batches.

-- A decision about consecutive proven batches: planned (their proofs are to be folded
-- into one), proven (that proof is stored as proofs (first, 'aggregate', key_hash)), or
-- direct (each settles by its own proof). No two ever share a batch, so that a proof
-- or lease that is named by its first batch can belong to one only.
create table batch_groups (
    first      bigint primary key references batches (number),
    last       bigint not null references batches (number),
    status     text not null check (status in ('planned', 'proven', 'direct')),
    shape      text check (shape <> ''),                       -- of the aggregate circuit
    key_hash   bytea check (octet_length(key_hash) = 32),      -- of the aggregate circuit
    reason     text not null check (reason <> ''),             -- of the last decision about it
    planned_at timestamptz not null default clock_timestamp(),
    proven_at  timestamptz,
    constraint batch_groups_range check (last >= first and last - first < 64),
    constraint batch_groups_circuit check (num_nulls(shape, key_hash) = case when last > first then 0 else 2 end),
    constraint batch_groups_single check (status = 'direct' or last > first),
    constraint batch_groups_proven_at check (status <> 'proven' or proven_at is not null),
    constraint batch_groups_apart exclude using gist (int8range(first, last, '[]') with &&)
);

create trigger batch_groups_transition before update of status on batch_groups
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('planned', 'proven'), ('planned', 'direct'), ('proven', 'direct')))
    execute function refuse_transition();

create trigger batch_groups_first_status before insert on batch_groups
    for each row when (new.status = 'proven')
    execute function refuse_first_status();

create trigger batch_groups_immutable before update on batch_groups
    for each row
    when ((old.first, old.last, old.shape, old.key_hash, old.planned_at)
          is distinct from (new.first, new.last, new.shape, new.key_hash, new.planned_at))
    execute function refuse_rewrite();

-- All batches of a group are there, proven, and under one key. Their rows are locked
-- against a submitter that is about to settle one of them.
create function check_group_batches() returns trigger language plpgsql as $$
declare
    found bigint;
    keys  bigint;
begin
    perform from batches where number between new.first and new.last order by number for no key update;
    select count(*), count(distinct key_hash) into found, keys
    from batches where number between new.first and new.last and status = 'proven';
    if found <> new.last - new.first + 1 or keys <> 1 then
        raise exception 'group % to % has % proven batches under % keys', new.first, new.last, found, keys
            using errcode = 'check_violation', constraint = 'batch_groups_batches', table = 'batch_groups';
    end if;
    return new;
end $$;

create trigger batch_groups_batches before insert on batch_groups
    for each row execute function check_group_batches();

-- A settlement is of the batches from batch to last. One live transaction per batch.
alter table settlements add column last bigint references batches (number);
update settlements set last = batch;
alter table settlements alter column last set not null;
alter table settlements add constraint settlements_range check (last >= batch and last - batch < 64);
drop index settlements_live;
alter table settlements add constraint settlements_live
    exclude using gist (int8range(batch, last, '[]') with &&) where (status in ('prepared', 'sent', 'mined', 'final'));

alter table epochs drop constraint epochs_role_check;
alter table epochs add constraint epochs_role_check check (role in ('sequencer', 'submitter', 'aggregator'));

---- create above / drop below ----

delete from epochs where role = 'aggregator';
alter table epochs drop constraint epochs_role_check;
alter table epochs add constraint epochs_role_check check (role in ('sequencer', 'submitter'));
alter table settlements drop constraint settlements_live;
alter table settlements drop column last;
create unique index settlements_live on settlements (batch)
    where status in ('prepared', 'sent', 'mined', 'final');
drop table batch_groups;
drop function check_group_batches();
