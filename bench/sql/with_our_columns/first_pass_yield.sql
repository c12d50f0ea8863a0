SELECT count(*), count(*) FILTER (WHERE passed_at = 1), count(*) FILTER (WHERE passed_at <= 2),
    count(*) FILTER (WHERE last_outcome = 'PASS'), sum(judged), sum(failed)
FROM runs_with_our_columns WHERE attempt = 1 AND sample IS NULL AND started_at >= %(since)s
