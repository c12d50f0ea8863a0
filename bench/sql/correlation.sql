-- How many pairs, their correlation, that of their ranks, slope and intercept; and 2000 of the pairs, drawn evenly.
WITH x AS (
    SELECT DISTINCT ON (m.run_id) m.run_id, m.num FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.phase = %(phase)s AND m.name = %(name)s AND m.is_final
        AND m.num IS NOT NULL AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ORDER BY m.run_id, m.position DESC
), y AS (
    SELECT DISTINCT ON (m.run_id) m.run_id, m.num FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.phase = %(phase)s AND m.name = %(other)s AND m.is_final
        AND m.num IS NOT NULL AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ORDER BY m.run_id, m.position DESC
), pairs AS MATERIALIZED (
    SELECT run_id, x.num AS x, y.num AS y, row_number() OVER (ORDER BY run_id) - 1 AS place,
        rank() OVER (ORDER BY x.num) + (count(*) OVER (PARTITION BY x.num) - 1) / 2.0::float8 AS x_rank,
        rank() OVER (ORDER BY y.num) + (count(*) OVER (PARTITION BY y.num) - 1) / 2.0::float8 AS y_rank
    FROM x JOIN y USING (run_id)
), figures AS (
    SELECT count(*) AS n, corr(x, y) AS pearson, corr(x_rank, y_rank) AS spearman, regr_slope(y, x) AS slope,
        regr_intercept(y, x) AS intercept
    FROM pairs
)
SELECT f.*, (
    SELECT json_agg(json_build_array(run_id, x, y) ORDER BY place) FROM pairs
    WHERE f.n <= 2000 OR place IN (SELECT (f.n - 1) * i / 1999 FROM generate_series(0, 1999) i)
)
FROM figures f
