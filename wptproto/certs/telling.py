"""How clients come to trust the authority, and show certificates of their own, for a terminal."""

from __future__ import annotations

from wptproto.certs.keeping import Certificates

__all__ = ["client_instructions", "instructions"]


def instructions(certificates: Certificates) -> str:
    """
    Tell where the files are and how clients come to trust the authority.

    Returns:
        Lines for a terminal, ending in a newline; paths are quoted for a POSIX shell, or as Python literals.

    Raises:
        CertificateError: The authority's certificate cannot be read.
    """
    import shlex

    from wptproto.certs.pem import read_certificates

    # Certificate stores tell authorities apart by a nickname; the common name has the tag that makes it one.
    authority = read_certificates(certificates.ca)[0]
    nickname = shlex.quote(authority.subject.rfc4514_string().removeprefix("CN="))
    ca = shlex.quote(str(certificates.ca))
    return f"""\
authority:           {ca}
server certificate:  {shlex.quote(str(certificates.certificate))}
server key:          {shlex.quote(str(certificates.key))}

A client has to be told once to trust the authority, which can sign for no names but those it was made for.

curl
    curl --cacert {ca} https://HOST:PORT/
Python
    ssl.create_default_context(cafile={str(certificates.ca)!r})
    or for a whole process, instead of the authorities it trusts otherwise:
    SSL_CERT_FILE={ca} python ...
Firefox
    Settings, Privacy & Security, View Certificates, Authorities, Import; trust it to identify websites
Chromium on Linux (certutil is in libnss3-tools or nss-tools)
    certutil -d sql:$HOME/.pki/nssdb -A -t "C,," -n {nickname} -i {ca}
    and to remove it:
    certutil -d sql:$HOME/.pki/nssdb -D -n {nickname}
Safari and Chrome on macOS
    security add-trusted-cert -p ssl -k ~/Library/Keychains/login.keychain-db {ca}
    and to remove it:
    security delete-certificate -t -c {nickname}
Edge and Chrome on Windows
    certutil -user -addstore Root {ca}
    and to remove it:
    certutil -user -delstore Root {nickname}
"""


def client_instructions(certificates: Certificates) -> str:
    """Tell where the files of a client are, and how it shows them; as :func:`instructions` does."""
    import shlex

    ca, certificate, key = (shlex.quote(str(path)) for path in certificates)
    return f"""\
authority for clients:  {ca}
client certificate:     {certificate}
client key:             {key}

A server of ours that asks for certificates of clients trusts the authority; no client has to.

curl
    curl --cert {certificate} --key {key} https://HOST:PORT/
Python
    context.load_cert_chain({str(certificates.certificate)!r}, {str(certificates.key)!r})
"""
