"""The database itself: connections, tables, types of columns, migrations, locks."""
