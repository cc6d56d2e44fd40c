-- Several settlements under way, in order; and why a role stands still.

-- Nothing is signed for a batch before all batches before it are settled or under way.
create function check_settlement_in_sequence() returns trigger language plpgsql as $$
begin
    if new.batch > 1 and not exists (
        select from batches where number = new.batch - 1 and status in ('settling', 'settled', 'final'))
    then
        raise exception 'batch % cannot be settled before its predecessor', new.batch
            using errcode = 'check_violation', constraint = 'settlements_sequence', table = 'settlements';
    end if;
    return new;
end $$;

create trigger settlements_sequence before insert on settlements
    for each row execute function check_settlement_in_sequence();

create index settlements_by_nonce on settlements (sender, nonce);

-- Why a role makes no progress, from when on; no row while it does.
create table standstills (
    role   text primary key check (role in ('sequencer', 'submitter', 'aggregator')),
    reason text not null check (reason <> ''),
    since  timestamptz not null default now()
);

---- create above / drop below ----

drop table standstills;
drop index settlements_by_nonce;
drop trigger settlements_sequence on settlements;
drop function check_settlement_in_sequence();
