-- Proofs that were stored and turned out to be worth nothing: kept for a person to look
-- at, while the batch is proven again. A batch whose proof is set aside is sealed again,
-- and its transactions are executed.
create table refused_proofs (
    id          bigint primary key generated always as identity,
    batch       bigint not null references batches (number),
    circuit     text not null,
    key_hash    bytea not null,
    shape       text not null,
    proof       bytea not null,
    inputs      bytea not null,
    epoch       bigint not null,
    late        boolean not null,
    worker      text not null,                       -- that stored it, by the row
    attempt     integer not null,
    stored_at   timestamptz not null,
    reason      text not null check (reason <> ''),
    refused_by  text not null check (refused_by <> ''), -- role or worker that found out
    refused_at  timestamptz not null default clock_timestamp()
);

create index refused_proofs_by_batch on refused_proofs (batch, id);

create trigger refused_proofs_immutable before update on refused_proofs
    for each row execute function refuse_rewrite();

drop trigger batches_transition on batches;
create trigger batches_transition before update of status on batches
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('sealed', 'proven'), ('proven', 'sealed'), ('proven', 'settling'), ('settling', 'proven'),
        ('settling', 'settled'), ('settled', 'proven'), ('settled', 'final')))
    execute function refuse_transition();

drop trigger transactions_transition on transactions;
create trigger transactions_transition before update of status on transactions
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('accepted', 'executed'), ('accepted', 'rejected'), ('rejected', 'accepted'),
        ('executed', 'proven'), ('proven', 'executed'), ('proven', 'settled'), ('settled', 'proven'), ('settled', 'final')))
    execute function refuse_transition();

---- create above / drop below ----

drop trigger transactions_transition on transactions;
create trigger transactions_transition before update of status on transactions
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('accepted', 'executed'), ('accepted', 'rejected'), ('rejected', 'accepted'),
        ('executed', 'proven'), ('proven', 'settled'), ('settled', 'proven'), ('settled', 'final')))
    execute function refuse_transition();
drop trigger batches_transition on batches;
create trigger batches_transition before update of status on batches
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('sealed', 'proven'), ('proven', 'settling'), ('settling', 'proven'),
        ('settling', 'settled'), ('settled', 'proven'), ('settled', 'final')))
    execute function refuse_transition();
drop table refused_proofs;
