-- The arrows of docs/state-machines.md, refused by the database for every writer.

create function refuse_transition() returns trigger language plpgsql as $$
begin
    raise exception '% does not go from % to %', tg_table_name, old.status, new.status
        using errcode = 'check_violation', constraint = tg_table_name || '_transition', table = tg_table_name;
end $$;

create function refuse_first_status() returns trigger language plpgsql as $$
begin
    raise exception '% does not begin as %', tg_table_name, new.status
        using errcode = 'check_violation', constraint = tg_table_name || '_transition', table = tg_table_name;
end $$;

-- A rejected transaction may be submitted again; settled returns to proven in a reorg.
create trigger transactions_transition before update of status on transactions
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('accepted', 'executed'), ('accepted', 'rejected'), ('rejected', 'accepted'),
        ('executed', 'proven'), ('proven', 'settled'), ('settled', 'proven'), ('settled', 'final')))
    execute function refuse_transition();

create trigger transactions_first_status before insert on transactions
    for each row when (new.status <> 'accepted')
    execute function refuse_first_status();

-- settling returns to proven when the attempt failed, settled in a reorg.
create trigger batches_transition before update of status on batches
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('sealed', 'proven'), ('proven', 'settling'), ('settling', 'proven'),
        ('settling', 'settled'), ('settled', 'proven'), ('settled', 'final')))
    execute function refuse_transition();

create trigger batches_first_status before insert on batches
    for each row when (new.status <> 'sealed')
    execute function refuse_first_status();

-- The chain has the last word: what we replaced, gave up or lost in a reorg may be mined.
create trigger settlements_transition before update of status on settlements
    for each row
    when (old.status <> new.status and (old.status, new.status) not in (
        ('prepared', 'sent'), ('prepared', 'replaced'), ('prepared', 'failed'), ('prepared', 'mined'), ('prepared', 'reorged'),
        ('sent', 'mined'), ('sent', 'replaced'), ('sent', 'failed'), ('sent', 'reorged'),
        ('mined', 'final'), ('mined', 'reorged'),
        ('replaced', 'mined'), ('failed', 'mined'), ('reorged', 'mined')))
    execute function refuse_transition();

create trigger settlements_first_status before insert on settlements
    for each row when (new.status <> 'prepared')
    execute function refuse_first_status();

-- A batch follows the one before it in number and root.
create function check_batch_follows() returns trigger language plpgsql as $$
declare
    root bytea;
begin
    if new.number = 1 then
        select genesis_root into root from rollup;
    else
        select new_root into root from batches where number = new.number - 1;
    end if;
    if root is null then
        raise exception 'batch % has no predecessor', new.number
            using errcode = 'check_violation', constraint = 'batches_follow', table = 'batches';
    elsif root <> new.old_root then
        raise exception 'batch % begins at root %, its predecessor ends at %',
            new.number, encode(new.old_root, 'hex'), encode(root, 'hex')
            using errcode = 'check_violation', constraint = 'batches_follow', table = 'batches';
    end if;
    return new;
end $$;

create trigger batches_follow before insert on batches
    for each row execute function check_batch_follows();

-- Batches settle and become final in sequence. The check runs after the statement, so
-- that one statement may move several.
create function check_batch_in_sequence() returns trigger language plpgsql as $$
begin
    if new.number > 1 and not exists (
        select from batches
        where number = new.number - 1
          and (status = 'final' or (new.status = 'settled' and status = 'settled')))
    then
        raise exception 'batch % cannot be % before its predecessor', new.number, new.status
            using errcode = 'check_violation', constraint = 'batches_sequence', table = 'batches';
    end if;
    return null;
end $$;

create trigger batches_sequence after update of status on batches
    for each row when (old.status <> new.status and new.status in ('settled', 'final'))
    execute function check_batch_in_sequence();

-- What was signed, sealed or proven is never rewritten.
create function refuse_rewrite() returns trigger language plpgsql as $$
begin
    raise exception 'a row of % is never rewritten', tg_table_name
        using errcode = 'check_violation', constraint = tg_table_name || '_immutable', table = tg_table_name;
end $$;

create trigger transactions_immutable before update on transactions
    for each row
    when ((old.id, old.kind, old.from_account, old.to_account, old.token, old.amount, old.amount_packed, old.fee,
           old.fee_packed, old.nonce, old.valid_until, old.to_owner, old.to_l1, old.public_key)
          is distinct from
          (new.id, new.kind, new.from_account, new.to_account, new.token, new.amount, new.amount_packed, new.fee,
           new.fee_packed, new.nonce, new.valid_until, new.to_owner, new.to_l1, new.public_key)
          or (old.batch is not null and (old.batch, old.position) is distinct from (new.batch, new.position)))
    execute function refuse_rewrite();

create trigger batches_immutable before update on batches
    for each row
    when ((old.number, old.shape, old.key_hash, old.old_root, old.new_root, old.commitment, old.words, old.transactions)
          is distinct from
          (new.number, new.shape, new.key_hash, new.old_root, new.new_root, new.commitment, new.words, new.transactions))
    execute function refuse_rewrite();

create trigger proofs_immutable before update on proofs
    for each row execute function refuse_rewrite();

create trigger witness_inputs_immutable before update on witness_inputs
    for each row execute function refuse_rewrite();

create trigger account_changes_immutable before update on account_changes
    for each row execute function refuse_rewrite();

create trigger rollup_immutable before update or delete on rollup
    for each row execute function refuse_rewrite();

---- create above / drop below ----

drop trigger rollup_immutable on rollup;
drop trigger account_changes_immutable on account_changes;
drop trigger witness_inputs_immutable on witness_inputs;
drop trigger proofs_immutable on proofs;
drop trigger batches_immutable on batches;
drop trigger transactions_immutable on transactions;
drop function refuse_rewrite();
drop trigger batches_sequence on batches;
drop function check_batch_in_sequence();
drop trigger batches_follow on batches;
drop function check_batch_follows();
drop trigger settlements_first_status on settlements;
drop trigger settlements_transition on settlements;
drop trigger batches_first_status on batches;
drop trigger batches_transition on batches;
drop trigger transactions_first_status on transactions;
drop trigger transactions_transition on transactions;
drop function refuse_first_status();
drop function refuse_transition();
