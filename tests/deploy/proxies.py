"""nginx and Caddy of this machine, with the samples of deploy/ as they are shipped but for ports and paths."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.deploy.shipped import DEPLOY

_MAIN = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
user root;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/runcard.conf;
}}
"""


class Ports(NamedTuple):
    http: int
    https: int


class Certificate(NamedTuple):
    """Signed by itself, for `localhost`."""

    certificate: Path
    key: Path


def free_ports() -> Ports:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        return Ports(first.getsockname()[1], second.getsockname()[1])


def made_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / "runcard.pem", folder / "runcard.key")
    made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


class Site(NamedTuple):
    """What a sample is filled in with; servers: their ports on this machine."""

    folder: Path
    ports: Ports
    certificate: Certificate
    servers: Sequence[int]


def nginx_program() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def lay_nginx(site: Site) -> Path:
    """The configuration that includes the sample."""
    site.folder.mkdir(exist_ok=True)
    sample = (DEPLOY / "nginx.conf").read_text("utf-8")
    sample = re.sub(r" *listen \[::\].*\n", "", sample)
    sample = sample.replace("listen 80;", f"listen 127.0.0.1:{site.ports.http};")
    sample = sample.replace("listen 443 ssl;", f"listen 127.0.0.1:{site.ports.https} ssl;")
    sample = sample.replace("/etc/ssl/certs/runcard.pem", str(site.certificate.certificate))
    sample = sample.replace("/etc/ssl/private/runcard.key", str(site.certificate.key))
    sample = sample.replace("runcard.example.com", "localhost")
    servers = "".join(f"server 127.0.0.1:{port};\n" for port in site.servers)
    sample = sample.replace("server 127.0.0.1:8000;", servers)
    (site.folder / "runcard.conf").write_text(sample, "utf-8")
    main = site.folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=site.folder), "utf-8")
    return main


@contextmanager
def running_nginx(site: Site) -> Iterator[None]:
    """nginx, which takes connections from the beginning of the block on."""
    program, main = nginx_program(), lay_nginx(site)
    assert program is not None
    # It listens before it leaves its child to itself.
    start: list[str | Path] = [program, "-c", main, "-e", site.folder / "start.log"]
    subprocess.run(start, check=True, capture_output=True)
    try:
        yield
    finally:
        stop: list[str | Path] = [program, "-c", main, "-e", site.folder / "stop.log", "-s", "stop"]
        subprocess.run(stop, check=True, capture_output=True)


def caddy_program() -> str | None:
    return shutil.which("caddy", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


def lay_caddy(site: Site) -> tuple[Path, dict[str, str]]:
    """The sample, and the variables that it reads."""
    site.folder.mkdir(exist_ok=True)
    sample = (DEPLOY / "Caddyfile").read_text("utf-8")
    ports = f"http_port {site.ports.http}\n\thttps_port {site.ports.https}\n\tdefault_bind 127.0.0.1\n"
    sample = sample.replace("\tskip_install_trust\n", f"\tskip_install_trust\n\t{ports}")
    (site.folder / "Caddyfile").write_text(sample, "utf-8")
    return site.folder / "Caddyfile", {
        "PATH": os.environ["PATH"],
        "HOME": str(site.folder),
        "SITE_HOST": "localhost",
        "SITE_TLS": f"{site.certificate.certificate} {site.certificate.key}",
        "SITE_SERVERS": " ".join(f"127.0.0.1:{port}" for port in site.servers),
        "CADDY_ADMIN": f"unix/{site.folder}/admin.sock",
    }


@contextmanager
def running_caddy(site: Site) -> Iterator[None]:
    """Caddy, which takes connections from the beginning of the block on."""
    program, (sample, environment) = caddy_program(), lay_caddy(site)
    assert program is not None
    with (site.folder / "caddy.log").open("ab") as log:
        start: list[str | Path] = [program, "start", "--config", sample, "--adapter", "caddyfile"]
        subprocess.run(start, env=environment, check=True, stdout=log, stderr=log)
        try:
            yield
        finally:
            stop = [program, "stop", "--address", environment["CADDY_ADMIN"]]
            subprocess.run(stop, env=environment, check=True, stdout=log, stderr=log)
