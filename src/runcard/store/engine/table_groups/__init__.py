"""Tables in groups; `store.engine.tables` has all of them."""
