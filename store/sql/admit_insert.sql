insert into transactions (id, kind, from_account, to_account, token, amount, amount_packed, fee, fee_packed,
                          nonce, valid_until, to_owner, to_l1, public_key, signature)
select id, kind, from_account, to_account, token, amount, amount_packed, fee, fee_packed,
       nonce, valid_until, to_owner, to_l1, public_key, signature
from unnest($1::bytea[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::numeric[], $7::bigint[],
            $8::numeric[], $9::integer[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[], $14::bytea[],
            $15::bytea[])
    with ordinality as item (id, kind, from_account, to_account, token, amount, amount_packed, fee, fee_packed,
                             nonce, valid_until, to_owner, to_l1, public_key, signature, place)
order by place
