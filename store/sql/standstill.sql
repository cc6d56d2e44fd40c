select reason, since from standstills where role = $1
