select id, kind, from_account, to_account, token, amount_packed, fee_packed, nonce, valid_until,
       to_owner, to_l1, public_key, signature, seq, received_at, status, batch, position, assigned_index,
       reject_code, reject_detail
from transactions where batch = $1 order by position
