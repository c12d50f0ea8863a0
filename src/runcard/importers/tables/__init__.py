"""Tables (CSV, XLSX), read by a mapping of their columns, or by header cells that say what each column measures."""
