"""Every RUNCARD_* variable and every key of runcard.toml, read once at start."""

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, ValidationError, convert

MIB = 1024 * 1024
# In an environment variable, commas separate the items of these settings.
_LISTS = ("allowed_hosts", "trusted_proxies")


class SettingsError(Exception):
    """A setting cannot be used; the message names it, its value and the mend."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of an installation. Each key is also read from RUNCARD_<KEY IN UPPER CASE>, or from the file that
    RUNCARD_<KEY IN UPPER CASE>_FILE names.

    data_dir: the one directory that holds the SQLite file, the attachments and the signing key.
    database_url: None: SQLite inside data_dir; else postgresql://user:password@host/name.
    database_read_url: a streaming replica of that PostgreSQL database, which answers pages and lists as long as it has
        seen what was committed before; None: there is none.
    attachments_url: None: files inside data_dir; else an object store such as s3://bucket/prefix.
    attachments_endpoint: address of an S3-compatible server other than the vendor's own.
    documents_url: None: documents of runs stay in the database; else a folder or an object store, such as
        file:///srv/documents or s3://bucket/prefix, where those of old runs move.
    documents_endpoint: as attachments_endpoint, for documents_url.
    documents_days: how long after it was recorded the document of a run stays in the database.
    public_url: the root URL under which stations reach this server, for the links it hands out; None: taken from
        each request.
    allowed_hosts: host names of this server that a request may bring into links where public_url is not set, besides
        the names that only a local network has.
    trusted_proxies: addresses and networks of proxies whose X-Forwarded-For, -Proto, -Host and X-Request-ID count.
    secret_key: signs links and forms; None: a key file in data_dir. Needed where several hosts serve one database.
        Several keys are separated by commas, the newest first: the first one signs, all of them verify.
    signing_key: signs the heads of the proof: the PEM text of an Ed25519 key, or the path of a file with it; None: a
        key file in data_dir.
    heads_file: signed heads are appended to this file; None: heads.jsonl in data_dir. A file on another machine
        convicts somebody who rebuilds the whole database.
    heads_command: is run for each signed head, which comes on its standard input; None: no command.
    heads_every_s: how often a head is signed, if anything was changed.
    import_memory_bytes, import_cpu_s: how much memory the parser of one report file may take, and how much processor
        time for each pass through the file.
    upload_expires_s, download_expires_s: how long a signed link works.
    list_timeout_s: how long a list of phases, measurements or logs may take to make.
    columnar_copy: whether to keep a columnar copy, which makes such lists fast and answers questions.
    columns_url: None: the columnar copy is a DuckDB file in data_dir, which one process owns; else a ClickHouse that
        all servers share: clickhouse://user:password@host:port/database, or clickhouses:// with TLS.
    columns_cluster: the cluster of that ClickHouse whose servers all hold the copy; None: it is one server.
    recording_timeout_s: how long the recording process may be silent before it is ended and replaced.
    write_timeout_s: how long a request waits to be recorded before it is withdrawn and refused.
    copy_timeout_s: how long a list waits for the columnar copy to catch up with what was committed before the request.
    operators_by_email: refuse a v2 run whose operator is named by anything but an e-mail.
    memory_mb: how much memory this server may take, in MiB; None: all that the machine or its cgroup has. Caches,
        large bodies and password hashes share it.
    activity: whether to log API calls.
    activity_days: how long API calls are kept.
    ready_copy_behind_s: how far behind the columnar copy may be while the server says that it is ready.
    stop_delay_s: how long a server that was told to stop goes on and says that it is not ready, before it stops.
    metrics_token: whoever brings it may read /metrics.
    metrics_port, metrics_host: where /metrics is served besides, to everybody who can reach it; None: nowhere.
    otel_endpoint: the root URL of an OpenTelemetry collector that gets traces by OTLP over HTTP; None: no traces.
    otel_sample_ratio: the share of requests that are traced, of those whose caller does not trace them already.
    log_format: of the lines on standard error.
    runs_envelope: what GET /v1/runs answers. tofupilot clients from 1.3 to 2.1 need the object; later ones take both.
    """

    data_dir: Path = Path("data")
    database_url: str | None = None
    database_read_url: str | None = None
    attachments_url: str | None = None
    attachments_endpoint: str | None = None
    documents_url: str | None = None
    documents_endpoint: str | None = None
    documents_days: Annotated[int, Meta(ge=1, le=36_500)] = 90
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] | None = None
    trusted_proxies: tuple[str, ...] | None = None
    secret_key: str | None = None
    signing_key: str | None = None
    heads_file: Path | None = None
    heads_command: str | None = None
    heads_every_s: Annotated[int, Meta(ge=1, le=86_400)] = 300
    max_body_bytes: int = 64 * MIB
    max_upload_bytes: int = 100 * MIB
    import_memory_bytes: Annotated[int, Meta(ge=128 * MIB)] = 1024 * MIB
    import_cpu_s: Annotated[int, Meta(ge=1)] = 300
    upload_expires_s: int = 900
    download_expires_s: int = 86_400
    list_timeout_s: int = 20
    recording_timeout_s: Annotated[int, Meta(ge=2, le=3600)] = 10
    write_timeout_s: Annotated[int, Meta(ge=2, le=3600)] = 30
    columnar_copy: bool = True
    columns_url: str | None = None
    columns_cluster: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    copy_timeout_s: int = 2
    memory_mb: Annotated[int, Meta(ge=256)] | None = None
    activity: bool = True
    activity_days: Annotated[int, Meta(ge=1, le=3650)] = 14
    ready_copy_behind_s: Annotated[int, Meta(ge=1)] = 600
    stop_delay_s: Annotated[int, Meta(ge=0, le=300)] = 0
    metrics_token: Annotated[str, Meta(min_length=16)] | None = None
    metrics_port: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    metrics_host: str = "127.0.0.1"
    otel_endpoint: Annotated[str, Meta(pattern=r"^https?://[^\s?#@]+$")] | None = None
    otel_sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 1.0
    log_format: Literal["text", "json"] = "text"
    runs_envelope: Literal["array", "object"] = "object"
    operators_by_email: bool = False

    def __post_init__(self) -> None:
        for proxy in self.trusted_proxies or ():
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError as error:
                raise ValueError(
                    f"trusted_proxies names {proxy[:100]!r}, which is no address or network; give one such as "
                    "10.0.0.7 or 10.0.0.0/24"
                ) from error

    @property
    def sqlite_path(self) -> Path:
        return self.data_dir / "runcard.sqlite3"

    @property
    def activity_path(self) -> Path:
        return self.data_dir / "activity.sqlite3"

    @property
    def copy_path(self) -> Path:
        return self.data_dir / "analytics.duckdb"


def load_settings(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """The settings of an installation: `overrides` win over RUNCARD_* variables, and these over the data directory's
    runcard.toml.

    Overrides that are None count as not given. Raises SettingsError for an unknown key or an unusable value.
    """
    variables = _from_environment(os.environ if environment is None else environment)
    given = {key: value for key, value in overrides.items() if value is not None}
    data_dir = Path(str(given.get("data_dir") or variables.get("data_dir") or Settings().data_dir))
    merged: dict[str, object] = {**_from_file(data_dir / "runcard.toml"), **variables, **given}
    merged["data_dir"] = str(data_dir)
    try:
        return convert(merged, Settings, strict=False, dec_hook=_decode_path)
    except ValidationError as error:
        raise SettingsError(
            f"A setting cannot be used: {error}. See docs/settings.md for the keys."
        ) from error


def check_is_there(settings: Settings) -> None:
    """Check that the data directory holds the database, unless `database_url` is set. Raises SettingsError."""
    if settings.database_url is None and not settings.sqlite_path.is_file():
        raise SettingsError(
            f"data_dir {settings.data_dir} holds no Runcard installation. Name the right directory, or "
            "make an installation with `runcard init` or `runcard serve`."
        )


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key in Settings.__struct_fields__:
        name = f"RUNCARD_{key.upper()}"
        value, file = environment.get(name), environment.get(f"{name}_FILE")
        if value and file:
            raise SettingsError(f"{name} and {name}_FILE are both given; keep one of them.")
        if value or file:
            given = value or _from_secret_file(f"{name}_FILE", Path(file or ""))
            found[key] = _parted(given) if key in _LISTS else given
    return found


def _parted(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _from_secret_file(name: str, path: Path) -> str:
    """The text of a file, without the line end that editors add."""
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsError(
            f"{name} names {path}, which cannot be read: {reason}. Mend the file, or name another."
        ) from error


def _from_file(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        return dict(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}. Mend or remove it.") from error


def _decode_path(kind: type, value: object) -> object:
    return Path(str(value)) if kind is Path else value
