"""The production line of `runcard demo`: two cells that make stereo amplifiers, with typical faults."""
