-- Units that were run once need no telling apart.
WITH counted AS (
    SELECT day, count(*) AS runs, CASE WHEN unit_id IS NULL THEN count(*) ELSE 1 END AS most,
        count(*) FILTER (WHERE outcome = 'PASS') AS pass, count(*) FILTER (WHERE outcome = 'FAIL') AS fail,
        count(*) FILTER (WHERE outcome = 'ERROR') AS error, count(*) FILTER (WHERE outcome = 'TIMEOUT') AS timeout,
        count(*) FILTER (WHERE outcome = 'ABORTED') AS aborted
    FROM (
        SELECT date_trunc('day', started_at AT TIME ZONE 'Europe/Berlin') AS day, outcome,
            CASE WHEN attempts > 1 THEN unit_id END AS unit_id,
            CASE WHEN attempts > 1 THEN procedure_id END AS procedure_id
        FROM runs_with_our_columns WHERE sample IS NULL AND started_at >= %(since)s
    ) chosen GROUP BY GROUPING SETS ((procedure_id, unit_id), (day, procedure_id, unit_id))
)
SELECT to_char(day, 'YYYY-MM-DD'), sum(runs)::bigint, sum(most)::bigint, sum(pass)::bigint,
    sum(least(pass, most))::bigint, sum(fail)::bigint, sum(least(fail, most))::bigint, sum(error)::bigint,
    sum(least(error, most))::bigint,
    sum(timeout)::bigint, sum(least(timeout, most))::bigint, sum(aborted)::bigint, sum(least(aborted, most))::bigint
FROM counted GROUP BY day ORDER BY day NULLS FIRST
