-- By part and procedure: units whose first run is selected, and those of them that passed it.
SELECT p.name, c.name, count(*) FILTER (WHERE outcome = 'PASS'), count(*)
FROM (
    SELECT procedure_id, part_id, started_at, outcome,
        row_number() OVER (PARTITION BY procedure_id, unit_id ORDER BY started_at, id) AS attempt
    FROM runs r WHERE NOT EXISTS (SELECT FROM units u WHERE u.id = r.unit_id AND u.sample IS NOT NULL)
) r JOIN parts p ON p.id = part_id JOIN procedures c ON c.id = procedure_id
WHERE attempt = 1 AND started_at >= %(since)s GROUP BY p.name, c.name ORDER BY 1, 2
