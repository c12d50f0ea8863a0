SELECT p.name, c.name, count(*) FILTER (WHERE passed_at = 1), count(*)
FROM runs_with_our_columns JOIN parts p ON p.id = part_id JOIN procedures c ON c.id = procedure_id
WHERE attempt = 1 AND sample IS NULL AND started_at >= %(since)s GROUP BY p.name, c.name ORDER BY 1, 2
