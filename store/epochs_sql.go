package store

// All statements about epochs, locks and notifications.

const (
	// Channels belong to the whole database, so the payload names the schema.
	notifySQL = `select pg_notify('settle_' || $1, current_schema())`

	currentSchemaSQL = `select current_schema()`

	// Session lock, one per schema and role.
	writerLockSQL = `select pg_try_advisory_lock(hashtextextended('settle/' || current_schema() || '/' || $1, 0))`

	writerUnlockSQL = `select pg_advisory_unlock_all()`

	writerHolderSQL = `select holder, acquired_at from epochs where role = $1`

	// Waits for every write under the old epoch: those hold the row for share.
	writerBumpSQL = `
		insert into epochs (role, epoch, holder) values ($1, 1, $2)
		on conflict (role) do update
		set epoch = epochs.epoch + 1, holder = excluded.holder, acquired_at = now()
		returning epoch`

	writerFenceSQL = `select epoch from epochs where role = $1 for share`
)
