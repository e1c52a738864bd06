"""Certificates for localhost that are valid when the test says, from an authority made for the test."""

import ssl
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
x509_extensions = authority
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = keyCertSign
[ca]
default_ca = own
[own]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = server
unique_subject = no
[any]
commonName = supplied
[server]
subjectAltName = DNS:localhost
"""
KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config ca.cnf"


class Authority:
    """`file`: what has to be trusted. Needs the program openssl."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "ca.pem"
        (folder / "serial").write_text("01")
        (folder / "index").touch()
        (folder / "ca.cnf").write_text(CONFIG)
        self._openssl(f"req -x509 {KEY} -days 30 -subj /CN=authority -keyout ca.key -out ca.pem")
        self._openssl(f"req -new {KEY} -subj /CN=localhost -keyout key.pem -out new.csr")

    def certify(self, context: ssl.SSLContext, begins: datetime) -> None:
        """From now on, this server's certificate is valid from then on, for a year."""
        dates = f"-startdate {begins:%Y%m%d%H%M%SZ} -enddate {begins + timedelta(days=365):%Y%m%d%H%M%SZ}"
        self._openssl(
            f"ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in new.csr -out cert.pem {dates}"
        )
        context.load_cert_chain(self._folder / "cert.pem", self._folder / "key.pem")

    def _openssl(self, command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=self._folder, check=True, capture_output=True, timeout=20)
