"""The parts of the local profile: what each of them runs on, and how it is started."""
