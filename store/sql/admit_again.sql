-- Rejected before: accepted anew, at the end of the order. The signature may be another
-- one over the same content.
update transactions t
set status = 'accepted', seq = default, received_at = now(), signature = item.signature,
    reject_code = null, reject_detail = null
from unnest($1::bytea[], $2::bytea[]) as item (id, signature)
where t.id = item.id and t.status = 'rejected'
