-- As yield.sql, of all and by day of the first run.
SELECT to_char(day, 'YYYY-MM-DD'), count(*), count(*) FILTER (WHERE first.outcome = 'PASS'),
    count(*) FILTER (WHERE first.outcome = 'PASS' OR second = 'PASS'),
    count(*) FILTER (WHERE coalesce(last.outcome, first.outcome) = 'PASS'), sum(judged)::bigint, sum(failed)::bigint
FROM (
    SELECT procedure_id, unit_id, id, started_at, outcome,
        date_trunc('day', started_at AT TIME ZONE 'Europe/Berlin') AS day,
        row_number() OVER attempts AS attempt, lead(outcome) OVER attempts AS second
    FROM runs r
    WHERE (procedure_id, unit_id) IN (SELECT procedure_id, unit_id FROM runs WHERE started_at >= %(since)s)
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    WINDOW attempts AS (PARTITION BY procedure_id, unit_id ORDER BY started_at, id)
) first LEFT JOIN LATERAL (
    SELECT outcome FROM runs l
    WHERE first.second IS NOT NULL AND l.procedure_id = first.procedure_id AND l.unit_id = first.unit_id
    ORDER BY started_at DESC, id DESC LIMIT 1
) last ON true CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.outcome IN ('PASS', 'FAIL')) AS judged,
        count(*) FILTER (WHERE m.outcome = 'FAIL') AS failed
    FROM measurements m WHERE m.run_id = first.id AND m.is_final
) inside
WHERE attempt = 1 AND started_at >= %(since)s
GROUP BY GROUPING SETS ((), (day)) ORDER BY day NULLS FIRST
