insert into accounts (index, owner, token, nonce, balance, l1, leaf)
select * from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bytea[], $7::bytea[])
on conflict (index) do nothing
