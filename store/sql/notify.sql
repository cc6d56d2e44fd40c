-- Channels belong to the whole database, so the payload names the schema.
select pg_notify('settle_' || $1, current_schema())
