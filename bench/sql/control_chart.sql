-- The newest 500 values, in order of time, as a chart of individuals with moving ranges at a station: whether there
-- are older ones; of each segment: limits, how many values, centre, sigma, its first and last point; the points (run,
-- microseconds since 1970, value, moving range, outcome, segment); where limits changed; ranges beyond their limit;
-- which points break which rule.
WITH newest AS MATERIALIZED (
    SELECT r.started_at AS run_started_at, m.phase, m.sequence_path, m.name, m.uom, m.lower, m.upper, m.num, m.outcome,
        m.started_at, m.run_id, m.position, r.station_id
    FROM runs r CROSS JOIN LATERAL (
        -- By run, so that they come in its order and the older ones are not looked at.
        SELECT * FROM measurements m WHERE m.run_id = r.id AND m.phase = %(phase)s AND m.name = %(name)s
            AND m.is_final AND m.num IS NOT NULL
        OFFSET 0
    ) m
    WHERE r.procedure_id = %(procedure)s AND r.started_at >= %(since)s
        AND NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
    ORDER BY r.started_at DESC, m.run_id DESC, m.started_at DESC, m.position DESC LIMIT 501
), charted AS (
    SELECT *, row_number() OVER (ORDER BY started_at, run_id, position) - 1 AS place,
        abs(num - lag(num) OVER at_station) AS spread, sign(num - lag(num) OVER in_time) AS step
    FROM (
        SELECT * FROM newest
        ORDER BY run_started_at DESC, run_id DESC, started_at DESC, position DESC LIMIT 500
    ) wanted
    WINDOW in_time AS (
        PARTITION BY phase, sequence_path, name, uom, lower, upper ORDER BY started_at, run_id, position
    ), at_station AS (
        PARTITION BY phase, sequence_path, name, uom, lower, upper, station_id ORDER BY started_at, run_id, position
    )
), segments AS (
    SELECT phase, sequence_path, name, uom, lower, upper, count(*) AS n, avg(num) AS centre,
        avg(spread) * sqrt(pi()) / 2 AS sigma, min(place) AS first, max(place) AS last,
        rank() OVER (ORDER BY min(place)) - 1 AS segment
    FROM charted GROUP BY phase, sequence_path, name, uom, lower, upper
), points AS MATERIALIZED (
    SELECT c.*, s.segment, round(((num - centre) / sigma)::numeric, 9)::float8 AS z,
        lag(step) OVER (PARTITION BY s.segment ORDER BY place) * step < 0 AS turns,
        spread > sigma * (2 / sqrt(pi()) + 3 * sqrt(2 - 4 / pi())) AS is_beyond,
        lag(s.segment) OVER (PARTITION BY c.phase, c.sequence_path ORDER BY place) <> s.segment AS is_changed
    FROM charted c JOIN segments s
        ON s.phase = c.phase AND s.sequence_path IS NOT DISTINCT FROM c.sequence_path
        AND s.uom IS NOT DISTINCT FROM c.uom AND s.lower IS NOT DISTINCT FROM c.lower
        AND s.upper IS NOT DISTINCT FROM c.upper
), marked AS (
    SELECT place, abs(z) > 3 AS one_beyond,
        (z > 2 AND count(*) FILTER (WHERE z > 2) OVER last_3 >= 2)
            OR (z < -2 AND count(*) FILTER (WHERE z < -2) OVER last_3 >= 2) AS two_of_three,
        (z > 1 AND count(*) FILTER (WHERE z > 1) OVER last_5 >= 4)
            OR (z < -1 AND count(*) FILTER (WHERE z < -1) OVER last_5 >= 4) AS four_of_five,
        8 IN (count(*) FILTER (WHERE z > 0) OVER last_8, count(*) FILTER (WHERE z < 0) OVER last_8) AS eight,
        9 IN (count(*) FILTER (WHERE z > 0) OVER last_9, count(*) FILTER (WHERE z < 0) OVER last_9) AS nine,
        6 IN (count(*) FILTER (WHERE step > 0) OVER last_6, count(*) FILTER (WHERE step < 0) OVER last_6) AS trend,
        count(*) FILTER (WHERE turns) OVER last_13 = 13 AS alternating,
        count(*) FILTER (WHERE abs(z) < 1) OVER last_15 = 15 AS within,
        count(*) FILTER (WHERE abs(z) > 1) OVER last_8 = 8 AS outside
    FROM points WINDOW in_time AS (PARTITION BY segment ORDER BY place), last_3 AS (in_time ROWS 2 PRECEDING),
        last_5 AS (in_time ROWS 4 PRECEDING), last_6 AS (in_time ROWS 5 PRECEDING),
        last_8 AS (in_time ROWS 7 PRECEDING), last_9 AS (in_time ROWS 8 PRECEDING),
        last_13 AS (in_time ROWS 12 PRECEDING),
        last_15 AS (in_time ROWS 14 PRECEDING)
)
SELECT (SELECT count(*) > 500 FROM newest),
    (
        SELECT json_agg(
            json_build_array(phase, sequence_path, name, uom, lower, upper, n, centre, sigma, first, last)
            ORDER BY segment
        ) FROM segments
    ),
    (
        SELECT json_agg(json_build_array(
            run_id, (extract(epoch FROM started_at) * 1000000)::bigint, num, spread, outcome, segment
        ) ORDER BY place) FROM points
    ),
    (SELECT array_agg(place ORDER BY place) FROM points WHERE is_changed),
    (SELECT array_agg(place ORDER BY place) FROM points WHERE is_beyond),
    rules.*
FROM (
    SELECT array_agg(place ORDER BY place) FILTER (WHERE one_beyond),
        array_agg(place ORDER BY place) FILTER (WHERE two_of_three),
        array_agg(place ORDER BY place) FILTER (WHERE four_of_five),
        array_agg(place ORDER BY place) FILTER (WHERE eight), array_agg(place ORDER BY place) FILTER (WHERE nine),
        array_agg(place ORDER BY place) FILTER (WHERE trend),
        array_agg(place ORDER BY place) FILTER (WHERE alternating),
        array_agg(place ORDER BY place) FILTER (WHERE within), array_agg(place ORDER BY place) FILTER (WHERE outside)
    FROM marked
) rules
