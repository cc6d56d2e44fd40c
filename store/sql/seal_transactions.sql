-- Only accepted ones: the caller compares the count.
update transactions t
set status = 'executed', batch = $1, position = executed.place - 1, assigned_index = executed.assigned
from unnest($2::bytea[], $3::bigint[]) with ordinality as executed (id, assigned, place)
where t.id = executed.id and t.status = 'accepted'
