"""The line behind `runcard demo`: two cells that make stereo amplifiers, and what went wrong there."""
