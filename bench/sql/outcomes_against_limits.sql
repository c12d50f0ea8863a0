-- Of values with a limit that were called PASS or FAIL: how many, passed ones outside of their limits and failed ones
-- inside; of how many measurements; those of the most, and the newest of the values.
WITH judged AS NOT MATERIALIZED (
    SELECT m.phase, m.sequence_path, m.name, m.uom, m.lower, m.upper, m.num, m.run_id, m.position, m.started_at,
        m.outcome = 'PASS' AS has_passed,
        coalesce(m.num < m.lower, false) OR coalesce(m.num > m.upper, false) AS is_outside
    FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.is_final AND m.num IS NOT NULL AND m.outcome IN ('PASS', 'FAIL')
        AND (m.lower IS NOT NULL OR m.upper IS NOT NULL) AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
), names AS MATERIALIZED (
    SELECT phase, sequence_path, name, count(*) AS n,
        count(*) FILTER (WHERE has_passed AND is_outside) AS passed_outside,
        count(*) FILTER (WHERE NOT has_passed AND NOT is_outside) AS failed_inside
    FROM judged GROUP BY phase, sequence_path, name
)
SELECT sum(n)::bigint, sum(passed_outside)::bigint, sum(failed_inside)::bigint,
    count(*) FILTER (WHERE passed_outside + failed_inside > 0),
    (
        SELECT json_agg(json_build_array(phase, sequence_path, name, n, passed_outside, failed_inside)) FROM (
            SELECT * FROM names WHERE passed_outside + failed_inside > 0
            ORDER BY passed_outside + failed_inside DESC, phase, sequence_path NULLS FIRST, name LIMIT 100
        ) top
    ),
    (
        SELECT json_agg(json_build_array(
            has_passed, run_id, (extract(epoch FROM started_at) * 1000000)::bigint, phase, sequence_path, name, uom,
            lower, upper, num
        )) FROM (
            SELECT * FROM judged WHERE has_passed = is_outside
            ORDER BY started_at DESC, run_id DESC, position DESC LIMIT 20
        ) newest
    )
FROM names
