"""The columnar copy of what was recorded, and the questions put to it. The copy may be deleted; it is made again."""
