"""What all lists share: which runs, which page, and what rows say of the records that they refer to."""
