-- How many runs are selected; of the phases that took the most time in them: their share of it, how many, and how long
-- they took in seconds: mean, median, 95 %%, shortest, longest.
WITH names AS (
    SELECT sequence_path, name, sum(greatest(took, 0)) AS whole, count(*) AS n, avg(took) AS mean,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took) AS quantiles, min(took) AS low, max(took) AS high
    FROM (
        SELECT p.sequence_path, p.name, date_part('epoch', p.ended_at - p.started_at) AS took
        FROM phases p JOIN runs r ON r.id = p.run_id
        WHERE p.procedure_id = %(procedure)s AND p.is_final AND p.outcome <> 'SKIP'
            AND p.started_at >= %(since)s AND r.started_at >= %(since)s
            AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ) timed GROUP BY sequence_path, name
)
SELECT
    (
        SELECT count(*) FROM runs r WHERE procedure_id = %(procedure)s AND started_at >= %(since)s
            AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ),
    (SELECT sum(n)::bigint FROM names), (SELECT count(*) FROM names),
    (
        SELECT json_agg(json_build_array(sequence_path, name, whole / total, n, mean, quantiles, low, high)) FROM (
            SELECT *, sum(whole) OVER () AS total FROM names
            ORDER BY whole DESC, name, sequence_path NULLS FIRST LIMIT 20
        ) top
    )
