"""
Development certificates: an authority made on first use, and server certificates signed by it.

Five rules, from which the rest follows:

- **Trusting the authority gives little away.** ``ca.pem`` may sign for ``localhost``, ``test`` and what is
  below them (RFC 6761 §6.2, §6.3: nobody can own those), for ``127.0.0.0/8`` and ``::1``, and for TLS servers
  only. Its extensions say so (RFC 5280 §4.2.1.10): whoever steals its key cannot pass for a bank. One
  authority below it, which is bound by the same, is allowed for chains of three.
- **A name beyond those gets an authority of its own**, ``ca-<digest>.pem``, which may sign for the same, the
  further names and what is below them. So what was trusted once is never remade for a new name, nor does it
  come to permit everything bit by bit; the price is one more authority to trust.
- **Clients have another authority**, ``client-ca.pem``, which may sign for TLS clients only. A server trusts
  it, if it asks for certificates; nobody else has to.
- **Each set of names has its own files**, in whatever order it is asked for: ``server.pem`` for
  :data:`DEFAULT_NAMES`, ``server-<digest>.pem`` for any other. Two users of a directory do not disturb each
  other.
- **A certificate stays when it is, octet for octet, what would be written today** with its serial number and
  dates, and has time left. Else it is made anew: an old one, a corrupt one, one of another authority or of a
  release with other rules. Its key stays if it can be read, so that trust in an authority survives a broken
  ``ca.pem``, and a server may load its two files while another process renews the certificate.

The directory belongs to this package: a file of one of those names that does not fit is replaced.

A doubt: RFC 5280 §6.1 lets a client take a trust anchor for a mere name and key, and so overlook its
constraints; OpenSSL, Go and the browsers of today heed them, an old client may not.

What is wrong on purpose is made by :mod:`wptproto.certs.catalogue`.
"""

from __future__ import annotations

from wptproto.certs.keeping import Certificates, check_pair, ensure, ensure_client
from wptproto.certs.telling import client_instructions, instructions
from wptproto.certs.where import default_directory
from wptproto.default_names import DEFAULT_NAMES

__all__ = [
    "DEFAULT_NAMES",
    "Certificates",
    "check_pair",
    "client_instructions",
    "default_directory",
    "ensure",
    "ensure_client",
    "instructions",
]
