-- Of the units whose first run is selected, and of all their runs: how many were run again, passed then, and where.
WITH attempts AS MATERIALIZED (
    SELECT procedure_id, unit_id, station_id, outcome, started_at, id,
        row_number() OVER (PARTITION BY procedure_id, unit_id ORDER BY started_at, id) AS attempt
    FROM runs r WHERE NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
), again AS MATERIALIZED (
    SELECT procedure_id, unit_id, count(*) AS attempts, min(attempt) FILTER (WHERE outcome = 'PASS') AS passed_at,
        min(station_id) FILTER (WHERE attempt = 1) AS first_station,
        (array_agg(station_id ORDER BY attempt) FILTER (WHERE outcome = 'PASS'))[1] AS passing_station,
        (array_agg(outcome ORDER BY attempt DESC))[1] AS last_outcome
    FROM attempts
    WHERE (procedure_id, unit_id) IN (SELECT procedure_id, unit_id FROM attempts WHERE attempt = 2)
    GROUP BY procedure_id, unit_id HAVING min(started_at) >= %(since)s
), first AS (
    SELECT count(*) AS n FROM attempts WHERE attempt = 1 AND started_at >= %(since)s
), moves AS (
    SELECT first_station, passing_station, count(*) AS n FROM again
    WHERE passed_at > 1 AND first_station IS NOT NULL AND passing_station IS NOT NULL
    GROUP BY first_station, passing_station ORDER BY n DESC, first_station, passing_station LIMIT 400
)
SELECT n, retested, failed_first, passed_later, known, moved,
    (
        SELECT json_agg(json_build_array(a, c) ORDER BY a) FROM (
            SELECT 1 AS a, n - retested AS c UNION ALL
            SELECT least(attempts, 10), count(*) FROM again GROUP BY 1
        ) counts
    ),
    (
        SELECT json_agg(json_build_array(f.name, p.name, m.n) ORDER BY m.n DESC, first_station, passing_station)
        FROM moves m JOIN stations f ON f.id = first_station JOIN stations p ON p.id = passing_station
    ),
    (SELECT count(*) FROM again WHERE attempts > 2),
    (
        SELECT json_agg(
            json_build_array(u.serial_number, c.name, attempts, passed_at, last_outcome)
            ORDER BY attempts DESC, unit_id, procedure_id
        )
        FROM (SELECT * FROM again WHERE attempts > 2 ORDER BY attempts DESC, unit_id, procedure_id LIMIT 50) page
        JOIN units u ON u.id = unit_id JOIN procedures c ON c.id = procedure_id
    )
FROM first, (
    SELECT count(*) AS retested, count(*) FILTER (WHERE passed_at IS DISTINCT FROM 1) AS failed_first,
        count(*) FILTER (WHERE passed_at > 1) AS passed_later,
        count(*) FILTER (WHERE passed_at > 1 AND first_station IS NOT NULL AND passing_station IS NOT NULL) AS known,
        count(*) FILTER (WHERE passed_at > 1 AND first_station <> passing_station) AS moved
    FROM again
) total
