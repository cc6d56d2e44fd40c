-- $2 is the settlement that takes the place; zero-length when it is not stored yet.
update settlements set status = 'replaced' where batch = $1 and status in ('prepared', 'sent') and tx_hash <> $2
