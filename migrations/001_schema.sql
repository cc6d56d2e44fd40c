-- The rollup's tables. Rules that hold for every writer stand here as constraints;
-- docs/state-machines.md draws the statuses, 002_transitions.sql enforces the arrows.
--
-- Numbers: bigint with a CHECK for what is unsigned and at most 40 bits; numeric(39,0)
-- below 2^128 for amounts; bytea of 32 bytes, big-endian, for field elements and digests.

-- Who this database belongs to. Written once, with genesis.
create table rollup (
    only_row     boolean primary key default true check (only_row),
    domain       bytea not null check (octet_length(domain) = 32),
    chain_id     bigint not null check (chain_id > 0),
    address      bytea not null check (octet_length(address) = 20),
    deploy_block bigint not null check (deploy_block >= 0),
    genesis_root bytea not null check (octet_length(genesis_root) = 32),
    genesis_hash bytea not null check (octet_length(genesis_hash) = 32),
    unsafe_dev   boolean not null,
    created_at   timestamptz not null default now()
);

create table verifiers (
    circuit  text not null check (circuit <> ''),
    shape    text not null check (shape <> ''),
    key_hash bytea not null check (octet_length(key_hash) = 32),
    address  bytea not null check (octet_length(address) = 20),
    primary key (circuit, key_hash)
);

-- Executed state: one row per leaf that is not empty. leaf is its digest, so that a
-- restart computes inner nodes only.
create table accounts (
    index   bigint primary key check (index between 0 and 4294967295),
    owner   bytea not null check (octet_length(owner) = 32 and owner <> decode(repeat('00', 32), 'hex')),
    token   bigint not null check (token between 0 and 4294967295),
    nonce   bigint not null check (nonce between 0 and 1099511627775),
    balance numeric(39, 0) not null check (balance >= 0 and balance < 340282366920938463463374607431768211456),
    l1      bytea not null check (octet_length(l1) = 20),
    leaf    bytea not null check (octet_length(leaf) = 32)
) with (fillfactor = 80);

create index accounts_by_owner on accounts (owner, l1, index);

-- min_fee is the operator's configuration and no part of the state.
create table fee_accounts (
    token   bigint primary key check (token between 0 and 4294967295),
    account bigint not null references accounts (index),
    min_fee numeric(39, 0) not null default 0
            check (min_fee >= 0 and min_fee < 340282366920938463463374607431768211456)
);

-- Sealed batches. Genesis is batch 0 and has no row. words is D: its elements in
-- order, 32 bytes each; commitment is c.
create table batches (
    number       bigint primary key check (number between 1 and 4294967295),
    status       text not null default 'sealed'
                 check (status in ('sealed', 'proven', 'settling', 'settled', 'final')),
    shape        text not null check (shape <> ''),
    key_hash     bytea not null check (octet_length(key_hash) = 32),
    old_root     bytea not null check (octet_length(old_root) = 32),
    new_root     bytea not null check (octet_length(new_root) = 32),
    commitment   bytea not null check (octet_length(commitment) = 32),
    words        bytea not null check (octet_length(words) > 0 and octet_length(words) % 32 = 0),
    transactions integer not null check (transactions >= 0),
    used_transfers    integer not null check (used_transfers >= 0),
    used_accounts     integer not null check (used_accounts >= 0),
    used_nodes        integer not null check (used_nodes >= 0),
    used_fee_accounts integer not null check (used_fee_accounts >= 0),
    used_opens        integer not null check (used_opens >= 0),
    used_exits        integer not null check (used_exits >= 0),
    used_l1_ops       integer not null check (used_l1_ops >= 0),
    sealed_at  timestamptz not null default now(),
    proven_at  timestamptz,
    settled_at timestamptz,
    final_at   timestamptz,
    constraint batches_proven_at check ((status = 'sealed') = (proven_at is null)),
    constraint batches_settled_at check ((status in ('settled', 'final')) = (settled_at is not null)),
    constraint batches_final_at check ((status = 'final') = (final_at is not null))
);

-- Unproven batches are counted for back-pressure and their oldest age is watched;
-- the others are what a submitter and a watcher look for.
create index batches_unproven on batches (number) include (sealed_at) where status = 'sealed';
create index batches_unsettled on batches (number) where status in ('sealed', 'proven', 'settling');
create index batches_unfinal on batches (number) where status = 'settled';
create index batches_by_status on batches (status) include (transactions);

-- What a worker needs to prove a batch: the caller's codec, compressed, with its hash.
create table witness_inputs (
    batch   bigint primary key references batches (number),
    version integer not null check (version > 0),
    hash    bytea not null check (octet_length(hash) = 32),
    data    bytea not null
);
alter table witness_inputs alter column data set storage external; -- compressed already

-- One row per batch and touched account, from genesis (batch 0, hence no foreign key)
-- on: history, and proofs against any settled root. An empty leaf is all zero.
create table account_changes (
    batch          bigint not null check (batch between 0 and 4294967295),
    account        bigint not null check (account between 0 and 4294967295),
    before_owner   bytea not null check (octet_length(before_owner) = 32),
    before_token   bigint not null check (before_token between 0 and 4294967295),
    before_nonce   bigint not null check (before_nonce between 0 and 1099511627775),
    before_balance numeric(39, 0) not null
                   check (before_balance >= 0 and before_balance < 340282366920938463463374607431768211456),
    before_l1      bytea not null check (octet_length(before_l1) = 20),
    before_leaf    bytea not null check (octet_length(before_leaf) = 32),
    after_owner    bytea not null check (octet_length(after_owner) = 32),
    after_token    bigint not null check (after_token between 0 and 4294967295),
    after_nonce    bigint not null check (after_nonce between 0 and 1099511627775),
    after_balance  numeric(39, 0) not null
                   check (after_balance >= 0 and after_balance < 340282366920938463463374607431768211456),
    after_l1       bytea not null check (octet_length(after_l1) = 20),
    after_leaf     bytea not null check (octet_length(after_leaf) = 32),
    primary key (account, batch)
);

create index account_changes_by_batch on account_changes (batch);

-- L2 transactions that were let in. seq is the order of admission. amount and fee
-- are exact; amount_packed and fee_packed are the signed floats.
create table transactions (
    id             bytea primary key check (octet_length(id) = 32),
    seq            bigint not null generated always as identity,
    kind           smallint not null check (kind between 1 and 4),
    from_account   bigint not null references accounts (index),
    to_account     bigint not null check (to_account between 0 and 4294967295),
    token          bigint not null check (token between 0 and 4294967295),
    amount         numeric(39, 0) not null check (amount >= 0 and amount < 340282366920938463463374607431768211456),
    amount_packed  bigint not null check (amount_packed between 0 and 1099511627775),
    fee            numeric(39, 0) not null check (fee >= 0 and fee < 340282366920938463463374607431768211456),
    fee_packed     integer not null check (fee_packed between 0 and 65535),
    nonce          bigint not null check (nonce between 0 and 1099511627775),
    valid_until    bigint not null check (valid_until between 0 and 4294967295),
    to_owner       bytea not null check (octet_length(to_owner) = 32),
    to_l1          bytea not null check (octet_length(to_l1) = 20),
    public_key     bytea not null check (octet_length(public_key) = 32),
    signature      bytea not null check (octet_length(signature) = 64),
    received_at    timestamptz not null default now(),
    status         text not null default 'accepted'
                   check (status in ('accepted', 'executed', 'proven', 'settled', 'final', 'rejected')),
    batch          bigint references batches (number),
    position       integer check (position >= 0),
    assigned_index bigint check (assigned_index between 0 and 4294967295),
    reject_code    text check (reject_code <> ''),
    reject_detail  text,
    constraint transactions_placed check (
        (status in ('executed', 'proven', 'settled', 'final')) = (batch is not null)
        and (batch is null) = (position is null)),
    constraint transactions_assigned check (
        (assigned_index is not null) = (kind = 2 and batch is not null)),
    constraint transactions_rejected check (
        (status = 'rejected') = (reject_code is not null)
        and (reject_code is null) = (reject_detail is null)),
    constraint transactions_place unique (batch, position)
) with (fillfactor = 85);

-- Every sequence is new: also that of a rejected transaction submitted again.
create unique index transactions_accepted on transactions (seq) where status = 'accepted';
-- At the door: what is pending of an account, and what lives on a nonce.
create unique index transactions_live_nonce on transactions (from_account, nonce) where status <> 'rejected';
create index transactions_pending on transactions (from_account) include (amount, fee) where status = 'accepted';
create index transactions_rejected_count on transactions (seq) where status = 'rejected';

-- Proofs, once per batch, circuit and key. inputs are c, ζ, v.
create table proofs (
    batch       bigint not null references batches (number),
    circuit     text not null check (circuit <> ''),
    key_hash    bytea not null check (octet_length(key_hash) = 32),
    shape       text not null check (shape <> ''),
    proof       bytea not null check (octet_length(proof) > 0),
    inputs      bytea not null check (octet_length(inputs) = 96),
    epoch       bigint not null check (epoch > 0),
    late        boolean not null,
    worker      text not null,
    attempt     integer not null check (attempt > 0),
    assign_us   bigint not null check (assign_us >= 0),
    solve_us    bigint not null check (solve_us >= 0),
    prove_us    bigint not null check (prove_us >= 0),
    peak_memory bigint not null check (peak_memory >= 0),
    stored_at   timestamptz not null default now(),
    primary key (batch, circuit, key_hash)
);

-- The right to make a proof. A row stays for ever, so that its epoch only grows.
create table leases (
    batch        bigint not null references batches (number),
    circuit      text not null check (circuit <> ''),
    key_hash     bytea not null check (octet_length(key_hash) = 32),
    epoch        bigint not null check (epoch > 0),
    holder       text not null,
    job_id       bigint not null,
    job_attempt  integer not null check (job_attempt > 0),
    acquired_at  timestamptz not null,
    heartbeat_at timestamptz not null,
    expires_at   timestamptz not null,
    released     boolean not null default false,
    primary key (batch, circuit, key_hash)
);

create index leases_held on leases (expires_at) where not released;

create table proof_failures (
    id        bigint primary key generated always as identity,
    batch     bigint not null references batches (number),
    circuit   text not null check (circuit <> ''),
    key_hash  bytea not null check (octet_length(key_hash) = 32),
    epoch     bigint not null check (epoch > 0),
    attempt   integer not null check (attempt > 0),
    class     text not null check (class in ('witness', 'resource', 'infrastructure', 'bug')),
    detail    text not null,
    worker    text not null,
    failed_at timestamptz not null default now()
);

create index proof_failures_by_batch on proof_failures (batch, id);

-- Single-writer roles: writes carry the epoch and fail under an old one.
create table epochs (
    role        text primary key check (role in ('sequencer', 'submitter')),
    epoch       bigint not null check (epoch > 0),
    holder      text not null,
    acquired_at timestamptz not null default now()
);

-- L1 transactions that settle batches, stored with their bytes before they are sent.
create table settlements (
    id           bigint primary key generated always as identity,
    batch        bigint not null references batches (number),
    attempt      integer not null check (attempt > 0),
    status       text not null default 'prepared'
                 check (status in ('prepared', 'sent', 'mined', 'final', 'replaced', 'failed', 'reorged')),
    raw_tx       bytea not null check (octet_length(raw_tx) > 0),
    tx_hash      bytea not null unique check (octet_length(tx_hash) = 32),
    sender       bytea not null check (octet_length(sender) = 20),
    nonce        bigint not null check (nonce >= 0),
    gas_limit    bigint not null check (gas_limit > 0),
    max_fee      numeric(39, 0) not null check (max_fee >= 0),
    max_tip      numeric(39, 0) not null check (max_tip >= 0),
    prepared_at  timestamptz not null default now(),
    sent_at      timestamptz,
    block_number bigint check (block_number >= 0),
    block_hash   bytea check (octet_length(block_hash) = 32),
    gas_used     bigint check (gas_used > 0),
    gas_price    numeric(39, 0) check (gas_price >= 0),
    failure      text,
    unique (batch, attempt),
    constraint settlements_receipt check (
        status not in ('mined', 'final')
        or num_nulls(block_number, block_hash, gas_used, gas_price) = 0),
    constraint settlements_failure check ((status in ('failed', 'reorged')) = (failure is not null))
);

-- Nothing is settled twice: one live transaction per batch.
create unique index settlements_live on settlements (batch)
    where status in ('prepared', 'sent', 'mined', 'final');
create index settlements_pending on settlements (batch) where status in ('prepared', 'sent');
create index settlements_mined on settlements (batch) where status = 'mined';

---- create above / drop below ----

drop table settlements, epochs, proof_failures, leases, proofs, transactions, account_changes,
    witness_inputs, batches, fee_accounts, accounts, verifiers, rollup;
