def doctor() -> None: pass
