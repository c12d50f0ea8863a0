-- How many values, mean, deviation, lowest, highest, percentiles; whiskers, and values beyond them; edges of bins by
-- the rule of Freedman and Diaconis, and how many values are in each; of how many values which limits were.
WITH chosen AS MATERIALIZED (
    SELECT m.phase, m.sequence_path, m.name, m.uom, m.lower, m.upper, m.num
    FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.phase = %(phase)s AND m.name = %(name)s AND m.is_final
        AND m.num IS NOT NULL AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
), figures AS (
    SELECT count(*) AS n, avg(num) AS mean, stddev_samp(num) AS s, min(num) AS lowest, max(num) AS highest,
        percentile_cont(ARRAY[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) WITHIN GROUP (ORDER BY num) AS quantiles
    FROM chosen
), bins AS (
    SELECT *, greatest(1, ceil(least(
        (highest - lowest) / nullif(coalesce(
            nullif(2 * (quantiles[5] - quantiles[3]) * n ^ (-1.0 / 3), 0), (highest - lowest) / (log(2, n) + 1)
        ), 0), 200
    )))::int AS bin_count
    FROM figures
), edges AS (
    SELECT *, ARRAY(
        SELECT lowest + i * ((highest - lowest) / bin_count) FROM generate_series(0, bin_count - 1) i
    ) || highest AS edges
    FROM bins
), counts AS (
    -- A bin includes its lower edge, the last one both.
    SELECT least(width_bucket(num, edges), bin_count) AS bin, count(*) AS n FROM chosen, edges GROUP BY 1
), box AS (
    SELECT min(num) FILTER (WHERE num >= low) AS low, max(num) FILTER (WHERE num <= high) AS high,
        count(*) FILTER (WHERE num < low OR num > high) AS outliers
    FROM chosen, (
        SELECT quantiles[3] - 1.5 * (quantiles[5] - quantiles[3]) AS low,
            quantiles[5] + 1.5 * (quantiles[5] - quantiles[3]) AS high
        FROM figures
    ) fences
)
SELECT n, mean, s, lowest, highest, quantiles, least(low, quantiles[3]), greatest(high, quantiles[5]), outliers, edges,
    ARRAY(SELECT coalesce(c.n, 0) FROM generate_series(1, bin_count) i LEFT JOIN counts c ON c.bin = i ORDER BY i),
    (
        SELECT json_agg(json_build_array(phase, sequence_path, name, uom, lower, upper, of_limits)) FROM (
            SELECT phase, sequence_path, name, uom, lower, upper, count(*) AS of_limits FROM chosen
            GROUP BY phase, sequence_path, name, uom, lower, upper
        ) limits
    )
FROM edges, box
