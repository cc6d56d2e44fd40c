insert into verifiers (circuit, shape, key_hash, address)
select * from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
on conflict (circuit, key_hash) do nothing
