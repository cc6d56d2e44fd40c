-- $3 is the settlement that takes the place; zero-length when it is not stored yet.
update settlements set status = 'replaced'
where int8range(batch, last, '[]') && int8range($1, $2, '[]') and status in ('prepared', 'sent') and tx_hash <> $3
returning batch, last
