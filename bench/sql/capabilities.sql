-- Of each specification in the last runs of units: how many values, failed ones, mean, deviation over all and by the
-- moving range of values of a station in order of time, Cp, Cpk, Pp, Ppk; the lowest Ppk first.
WITH ordered AS (
    SELECT m.phase, m.sequence_path, m.name, m.uom, m.lower, m.upper, m.num, m.outcome, abs(m.num - lag(m.num) OVER (
        PARTITION BY m.phase, m.name, m.sequence_path, m.uom, m.lower, m.upper, r.station_id
        ORDER BY m.started_at, m.run_id, m.position
    )) AS moved
    FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.is_final AND m.num IS NOT NULL
        AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM runs l WHERE l.unit_id = r.unit_id AND l.procedure_id = r.procedure_id
                AND (l.started_at, l.id) > (r.started_at, r.id)
        )
), figures AS (
    SELECT phase, sequence_path, name, uom, lower, upper, count(*) AS n,
        count(*) FILTER (WHERE outcome = 'FAIL') AS failed, avg(num) AS mean,
        stddev_samp(num) AS overall, avg(moved) * sqrt(pi()) / 2 AS within
    FROM ordered GROUP BY phase, name, sequence_path, uom, lower, upper
)
SELECT phase, sequence_path, name, uom, lower, upper, n, failed, mean, overall, within,
    (upper - lower) / nullif(within, 0) / 6, least(mean - lower, upper - mean) / nullif(within, 0) / 3,
    (upper - lower) / nullif(overall, 0) / 6, least(mean - lower, upper - mean) / nullif(overall, 0) / 3 AS ppk
FROM figures ORDER BY ppk NULLS LAST, phase, sequence_path NULLS FIRST, name
