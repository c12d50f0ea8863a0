-- By station: how many values, mean, deviation, Ppk, difference of the mean from that of all other values, and the
-- deviation of these; of all stations: F of a one-way analysis of variance, H of Kruskal and Wallis.
WITH chosen AS (
    SELECT r.station_id, m.lower, m.upper, m.num
    FROM measurements m JOIN runs r ON r.id = m.run_id
    WHERE m.procedure_id = %(procedure)s AND m.phase = %(phase)s AND m.name = %(name)s AND m.is_final
        AND m.num IS NOT NULL AND m.started_at >= %(since)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
), ranked AS MATERIALIZED (
    SELECT *, rank() OVER (ORDER BY num) AS rank, count(*) OVER (PARTITION BY num) AS ties
    FROM chosen
), every AS (
    SELECT count(*) AS n, avg(num) AS mean, sum(ties::float8 * ties - 1) AS tied FROM ranked
), stations_of AS (
    SELECT station_id, count(*) AS n, avg(num) AS mean, stddev_samp(num) AS s,
        sum(rank + (ties - 1) / 2.0::float8) AS ranks,
        CASE WHEN count(DISTINCT (lower, upper)) = 1 THEN min(lower) END AS lower,
        CASE WHEN count(DISTINCT (lower, upper)) = 1 THEN min(upper) END AS upper
    FROM ranked GROUP BY station_id
), tests AS (
    SELECT sum(s.n * (s.mean - e.mean) ^ 2) / (count(*) - 1) / (sum((s.n - 1) * coalesce(s.s, 0) ^ 2) / (e.n - count(*))) AS f,
        (12 / (e.n::float8 * (e.n + 1)) * sum(s.ranks ^ 2 / s.n) - 3 * (e.n + 1))
            / (1 - e.tied / (e.n::float8 ^ 3 - e.n)) AS h
    FROM stations_of s, every e GROUP BY e.n, e.tied
)
SELECT t.name, s.n, s.mean, s.s, least(s.mean - s.lower, s.upper - s.mean) / s.s / 3,
    CASE WHEN s.n > 1 THEN s.mean - o.mean END, o.s, f, h
FROM stations_of s JOIN stations t ON t.id = s.station_id CROSS JOIN tests CROSS JOIN LATERAL (
    SELECT avg(num) AS mean, stddev_samp(num) AS s FROM ranked r WHERE r.station_id <> s.station_id
) o
ORDER BY t.name
