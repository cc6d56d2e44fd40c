-- Both counts come from partial indexes that hold unfinished work only.
select (select count(*) from transactions where status = 'accepted'),
       (select count(*) from batches where status = 'sealed')
