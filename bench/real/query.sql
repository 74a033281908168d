-- query.sql - inserts, an index, joins, aggregates
create table t(a integer primary key, b integer, c text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 150000)
insert into t select i, (i * 7919) % 10007, 'row ' || (i % 977) from n;
create index tb on t(b);
select c, count(*), sum(b), avg(a) from t group by c order by 3 desc limit 3;
select count(*) from t x join t y on x.b = y.a where y.c like '%7';
update t set b = b + 1 where a % 3 = 0;
select max(b), min(c), total(a * 1.5) from t where c between 'row 2' and 'row 5';
