-- Of each specification of a measurement in the last runs of units: when the first and the last value was measured
-- (microseconds since 1970), how many, failed ones, mean, deviation over all and by moving range at a station, values
-- below and above limits (per million), skewness, percentiles (of 741 or more), values beyond Tukey's fences, and of
-- how many values the Anderson-Darling statistic is, and it.
WITH chosen AS (
    SELECT m.phase, m.sequence_path, m.name, m.uom, m.lower, m.upper, m.num, m.outcome, m.started_at, m.run_id,
        m.position, r.station_id
    FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.phase = %(phase)s AND m.name = %(name)s AND m.is_final
        AND m.num IS NOT NULL AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM runs l WHERE l.unit_id = r.unit_id AND l.procedure_id = r.procedure_id
                AND (l.started_at, l.id) > (r.started_at, r.id)
        )
), ordered AS MATERIALIZED (
    SELECT *, dense_rank() OVER (ORDER BY phase, sequence_path, name, uom, lower, upper) AS spec,
        row_number() OVER in_time AS place, lag(num) OVER at_station AS before
    FROM chosen
    WINDOW in_time AS (
        PARTITION BY phase, sequence_path, name, uom, lower, upper ORDER BY started_at, run_id, position
    ), at_station AS (
        PARTITION BY phase, sequence_path, name, uom, lower, upper, station_id ORDER BY started_at, run_id, position
    )
), figures AS MATERIALIZED (
    SELECT spec, min(phase) AS phase, min(sequence_path) AS sequence_path, min(name) AS name, min(uom) AS uom,
        min(lower) AS lower, min(upper) AS upper, min(started_at) AS first_at, max(started_at) AS last_at,
        count(*) AS n, count(*) FILTER (WHERE outcome = 'FAIL') AS failed, avg(num) AS mean,
        stddev_samp(num) AS overall, avg(abs(num - before)) * sqrt(pi()) / 2 AS within,
        CASE WHEN min(lower) IS NOT NULL THEN 1e6::float8 * count(*) FILTER (WHERE num < lower) / count(*) END AS below,
        CASE WHEN min(upper) IS NOT NULL THEN 1e6::float8 * count(*) FILTER (WHERE num > upper) / count(*) END AS above,
        percentile_cont(ARRAY[0.00135, 0.5, 0.99865, 0.25, 0.75]) WITHIN GROUP (ORDER BY num) AS quantiles
    FROM ordered GROUP BY spec
), shape AS (
    SELECT spec,
        sum((num - mean) ^ 3) / n / (sum((num - mean) ^ 2) / n) ^ 1.5 * sqrt(n::float8 * (n - 1)) / (n - 2) AS skewness,
        count(*) FILTER (
            WHERE num < quantiles[4] - 1.5 * (quantiles[5] - quantiles[4])
                OR num > quantiles[5] + 1.5 * (quantiles[5] - quantiles[4])
        ) AS outliers
    FROM ordered JOIN figures USING (spec) GROUP BY spec, n
), judged AS (
    -- Of more than 5000 values, so many: evenly spaced in order of time, from the first to the last.
    SELECT spec, num, row_number() OVER (PARTITION BY spec ORDER BY num) AS rank, count(*) OVER every AS n,
        avg(num) OVER every AS mean, stddev_samp(num) OVER every AS s
    FROM ordered JOIN figures f USING (spec)
    WHERE f.n <= 5000
        OR (f.n - 1) * (((place - 1) * 4999 + f.n - 2) / (f.n - 1)) / 4999 = place - 1
    WINDOW every AS (PARTITION BY spec)
), normality AS (
    SELECT spec, n, -n - sum(
        (2 * rank - 1) * ln(erfc((mean - num) / s / sqrt(2)) / 2)
        + (2 * (n - rank) + 1) * ln(erfc((num - mean) / s / sqrt(2)) / 2)
    ) / n AS statistic
    FROM judged WHERE n >= 8 GROUP BY spec, n
)
SELECT phase, sequence_path, name, uom, lower, upper, (extract(epoch FROM first_at) * 1000000)::bigint,
    (extract(epoch FROM last_at) * 1000000)::bigint, f.n, failed, mean, overall, within, below, above, skewness,
    CASE WHEN f.n >= 741 THEN quantiles[:3] END, outliers, a.n, a.statistic
FROM figures f JOIN shape USING (spec) LEFT JOIN normality a USING (spec) ORDER BY spec
