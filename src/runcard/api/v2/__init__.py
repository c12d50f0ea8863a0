"""The v2 API, wire-compatible with TofuPilot's v2 clients."""
