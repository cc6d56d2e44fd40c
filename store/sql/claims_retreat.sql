-- Also where nothing was read yet, so that a search that is under way is found out.
insert into claims_followed (head, final, revision) values (0, 0, 1)
on conflict (only_row) do update set
    head = least(claims_followed.head, greatest($1::bigint - 1, 0)),
    final = least(claims_followed.final, greatest($1::bigint - 1, 0)),
    revision = claims_followed.revision + 1
