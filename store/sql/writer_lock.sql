-- Session lock, one per schema and role.
select pg_try_advisory_lock(hashtextextended('settle/' || current_schema() || '/' || $1, 0))
