"""The v1 API, wire-compatible with TofuPilot's v1 clients. Frozen."""
