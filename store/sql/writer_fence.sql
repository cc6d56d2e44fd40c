select epoch from epochs where role = $1 for share
