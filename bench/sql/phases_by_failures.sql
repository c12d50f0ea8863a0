-- How many runs are selected, and which phases failed most in them, with how many there are of all.
WITH failing AS MATERIALIZED (
    SELECT p.sequence_path, p.name, p.run_id, count(*) AS failures
    FROM phases p JOIN runs r ON r.id = p.run_id
    WHERE p.procedure_id = %(procedure)s AND p.is_final AND p.outcome IN ('FAIL', 'ERROR')
        AND p.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    GROUP BY p.sequence_path, p.name, p.run_id
), names AS (
    SELECT sequence_path, name, sum(failures)::bigint AS failures, count(*) AS runs FROM failing GROUP BY 1, 2
)
SELECT
    (
        SELECT count(*) FROM runs r WHERE procedure_id = %(procedure)s AND started_at >= %(since)s
            AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ),
    (SELECT count(DISTINCT run_id) FROM failing), (SELECT sum(failures)::bigint FROM names),
    (SELECT count(*) FROM names),
    (
        SELECT json_agg(json_build_array(sequence_path, name, failures, runs)) FROM (
            SELECT * FROM names ORDER BY failures DESC, runs DESC, name, sequence_path NULLS FIRST LIMIT 20
        ) top
    )
