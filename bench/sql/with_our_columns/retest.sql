WITH first AS MATERIALIZED (
    SELECT f.procedure_id, f.unit_id, f.attempts, f.passed_at, f.last_outcome, f.station_id AS first_station,
        p.station_id AS passing_station
    FROM runs_with_our_columns f LEFT JOIN runs_with_our_columns p
        ON p.procedure_id = f.procedure_id AND p.unit_id = f.unit_id AND p.attempt = p.passed_at AND p.attempt > 1
    WHERE f.attempt = 1 AND f.attempts > 1 AND f.sample IS NULL AND f.started_at >= %(since)s
), moves AS (
    SELECT first_station, passing_station, count(*) AS n FROM first
    WHERE first_station IS NOT NULL AND passing_station IS NOT NULL
    GROUP BY first_station, passing_station ORDER BY n DESC, first_station, passing_station LIMIT 400
)
SELECT n, retested, failed_first, passed_later, known, moved,
    (
        SELECT json_agg(json_build_array(a, c) ORDER BY a) FROM (
            SELECT 1 AS a, n - retested AS c UNION ALL
            SELECT least(attempts, 10), count(*) FROM first GROUP BY 1
        ) counts
    ),
    (
        SELECT json_agg(json_build_array(f.name, p.name, m.n) ORDER BY m.n DESC, first_station, passing_station)
        FROM moves m JOIN stations f ON f.id = first_station JOIN stations p ON p.id = passing_station
    ),
    (SELECT count(*) FROM first WHERE attempts > 2),
    (
        SELECT json_agg(
            json_build_array(u.serial_number, c.name, attempts, passed_at, last_outcome)
            ORDER BY attempts DESC, unit_id, procedure_id
        )
        FROM (SELECT * FROM first WHERE attempts > 2 ORDER BY attempts DESC, unit_id, procedure_id LIMIT 50) page
        JOIN units u ON u.id = unit_id JOIN procedures c ON c.id = procedure_id
    )
FROM (
    SELECT count(*) AS n FROM runs_with_our_columns
    WHERE attempt = 1 AND sample IS NULL AND started_at >= %(since)s
) units, (
    SELECT count(*) AS retested, count(*) FILTER (WHERE passed_at IS DISTINCT FROM 1) AS failed_first,
        count(*) FILTER (WHERE passed_at > 1) AS passed_later,
        count(*) FILTER (WHERE passed_at > 1 AND first_station IS NOT NULL AND passing_station IS NOT NULL) AS known,
        count(*) FILTER (WHERE passed_at > 1 AND first_station <> passing_station) AS moved
    FROM first
) total
