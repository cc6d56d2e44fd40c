-- Claims of exits, as the log of the contract on L1 tells them. Their batch may be one
-- that this database does not have yet: a copy that was restored.
create table claims (
    batch   bigint not null check (batch between 1 and 4294967295),
    index   bigint not null check (index between 0 and 4294967295),
    block   bigint not null check (block >= 0),
    tx_hash bytea not null check (octet_length(tx_hash) = 32),
    primary key (batch, index)
);
create index claims_by_block on claims (block);

-- How far that log was read: up to block head, and up to block final never again. Whatever
-- changes claims raises the revision.
create table claims_followed (
    only_row boolean primary key default true check (only_row),
    head     bigint not null check (head >= 0),
    final    bigint not null check (final between 0 and head),
    revision bigint not null check (revision > 0)
);

---- create above / drop below ----

drop table claims_followed;
drop table claims;
