delete from standstills where role = $1
