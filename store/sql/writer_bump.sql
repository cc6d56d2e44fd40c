-- Waits for every write under the old epoch: those hold the row for share.
insert into epochs (role, epoch, holder) values ($1, 1, $2)
on conflict (role) do update
set epoch = epochs.epoch + 1, holder = excluded.holder, acquired_at = now()
returning epoch
