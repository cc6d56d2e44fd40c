select clock_timestamp() >= $1::timestamptz + $2::interval
