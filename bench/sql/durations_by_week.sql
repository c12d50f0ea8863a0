-- Of all and by week: how many runs, and how long they took in seconds: mean, median, 95 %%, shortest, longest.
SELECT to_char(week, 'IYYY-"W"IW'), count(*), avg(took),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took), min(took), max(took)
FROM (
    SELECT date_trunc('week', started_at AT TIME ZONE 'Europe/Berlin') AS week,
        date_part('epoch', ended_at - started_at) AS took
    FROM runs r WHERE started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
) timed GROUP BY GROUPING SETS ((), (week)) ORDER BY week NULLS FIRST
