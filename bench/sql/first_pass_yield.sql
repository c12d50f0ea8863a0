-- Of the units whose first run is selected: all; passed by the first, by the second and by the last run. Of those first
-- runs' measurements: judged, failed. The first run of a unit, and what follows, is told by all of its runs.
SELECT units.*, judged.*
FROM (
    SELECT count(*), count(*) FILTER (WHERE first.outcome = 'PASS'),
        count(*) FILTER (WHERE first.outcome = 'PASS' OR second = 'PASS'),
        count(*) FILTER (WHERE coalesce(last.outcome, first.outcome) = 'PASS')
    FROM (
        SELECT procedure_id, unit_id, started_at, outcome, row_number() OVER attempts AS attempt,
            lead(outcome) OVER attempts AS second
        FROM runs r WHERE NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
        WINDOW attempts AS (PARTITION BY procedure_id, unit_id ORDER BY started_at, id)
    ) first LEFT JOIN LATERAL (
        SELECT outcome FROM runs l
        WHERE first.second IS NOT NULL AND l.procedure_id = first.procedure_id AND l.unit_id = first.unit_id
        ORDER BY started_at DESC, id DESC LIMIT 1
    ) last ON true
    WHERE attempt = 1 AND started_at >= %(since)s
) units, (
    SELECT count(*) FILTER (WHERE m.outcome IN ('PASS', 'FAIL')), count(*) FILTER (WHERE m.outcome = 'FAIL')
    FROM runs r JOIN measurements m ON m.run_id = r.id
    WHERE m.is_final AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM runs e WHERE e.procedure_id = r.procedure_id AND e.unit_id = r.unit_id
                AND (e.started_at, e.id) < (r.started_at, r.id)
        )
) judged
