-- The first unsettled batch, whatever its status.
select 
from batches where status in ('sealed', 'proven', 'settling') order by number limit 1
