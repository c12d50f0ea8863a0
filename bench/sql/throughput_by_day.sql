-- Of all and by day: runs and units by procedure, both in all and by outcome.
WITH units AS (
    SELECT day, count(*) AS runs, count(*) FILTER (WHERE outcome = 'PASS') AS pass,
        count(*) FILTER (WHERE outcome = 'FAIL') AS fail, count(*) FILTER (WHERE outcome = 'ERROR') AS error,
        count(*) FILTER (WHERE outcome = 'TIMEOUT') AS timeout, count(*) FILTER (WHERE outcome = 'ABORTED') AS aborted
    FROM (
        SELECT procedure_id, unit_id, outcome, date_trunc('day', started_at AT TIME ZONE 'Europe/Berlin') AS day
        FROM runs r WHERE started_at >= %(since)s
            AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ) chosen GROUP BY GROUPING SETS ((procedure_id, unit_id), (day, procedure_id, unit_id))
)
SELECT to_char(day, 'YYYY-MM-DD'), sum(runs)::bigint, count(*), sum(pass)::bigint, count(*) FILTER (WHERE pass > 0),
    sum(fail)::bigint, count(*) FILTER (WHERE fail > 0), sum(error)::bigint, count(*) FILTER (WHERE error > 0),
    sum(timeout)::bigint, count(*) FILTER (WHERE timeout > 0), sum(aborted)::bigint,
    count(*) FILTER (WHERE aborted > 0)
FROM units GROUP BY day ORDER BY day NULLS FIRST
