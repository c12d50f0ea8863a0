-- As phases_by_failures.sql, of measurements.
WITH failing AS MATERIALIZED (
    SELECT m.sequence_path, m.phase, m.name, m.run_id, count(*) AS failures
    FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.is_final AND m.outcome = 'FAIL'
        AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    GROUP BY m.sequence_path, m.phase, m.name, m.run_id
), names AS (
    SELECT sequence_path, phase, name, sum(failures)::bigint AS failures, count(*) AS runs FROM failing GROUP BY 1, 2, 3
)
SELECT
    (
        SELECT count(*) FROM runs r WHERE procedure_id = %(procedure)s AND started_at >= %(since)s
            AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ),
    (SELECT count(DISTINCT run_id) FROM failing), (SELECT sum(failures)::bigint FROM names),
    (SELECT count(*) FROM names),
    (
        SELECT json_agg(json_build_array(sequence_path, phase, name, failures, runs)) FROM (
            SELECT * FROM names
            ORDER BY failures DESC, runs DESC, phase, sequence_path NULLS FIRST, name LIMIT 20
        ) top
    )
