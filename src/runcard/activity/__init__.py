"""Which calls of the APIs were made: noted as each is answered, written down a moment later."""
