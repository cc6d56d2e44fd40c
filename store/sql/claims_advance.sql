-- No row comes back when the revision is another than the one that was looked at.
insert into claims_followed (head, final, revision) values ($1, $2, $3::bigint + 1)
on conflict (only_row) do update set head = excluded.head, final = excluded.final, revision = excluded.revision
where claims_followed.revision = $3
returning head, final, revision
