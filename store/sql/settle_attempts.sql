select count(*) from settlements where batch = $1
