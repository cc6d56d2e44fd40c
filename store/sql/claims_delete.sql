delete from claims where block > $1 and block <= $2
