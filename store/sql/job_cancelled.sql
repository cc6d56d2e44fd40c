select exists (select from river_job where id = $1 and (state = 'cancelled' or metadata ? 'cancel_attempted_at'))
