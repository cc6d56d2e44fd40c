select holder, acquired_at from epochs where role = $1
