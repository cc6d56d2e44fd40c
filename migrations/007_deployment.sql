-- What a deployment sends to L1, stored before it is sent: a run that breaks off goes on
-- with the same transactions and deploys nothing twice. name says what is deployed and
-- with which parameters. Rows stay when the deployment is done.
create table deployment_transactions (
    id        bigint primary key generated always as identity,
    name      text not null check (name <> ''),
    tx_hash   bytea not null unique check (octet_length(tx_hash) = 32),
    raw_tx    bytea not null check (octet_length(raw_tx) > 0),
    stored_at timestamptz not null default now()
);

---- create above / drop below ----

drop table deployment_transactions;
