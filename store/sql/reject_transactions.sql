-- Only accepted ones: the caller compares the count.
update transactions t
set status = 'rejected', reject_code = rejected.code, reject_detail = rejected.detail
from unnest($1::bytea[], $2::text[], $3::text[]) as rejected (id, code, detail)
where t.id = rejected.id and t.status = 'accepted'
