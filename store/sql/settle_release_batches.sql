-- Batches $1 to $2 of a replaced settlement that are not among $3 to $4 of the one in its place.
update batches set status = 'proven' where number between $1 and $2 and number not between $3 and $4 and status = 'settling'
