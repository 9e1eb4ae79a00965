"""
Certificates by name, each of them wrong, or odd, in one way; and some that are as they should be.

What is wrong with one is all that is wrong: it is for the same hosts as the server's own, and for
``NAME.localhost``, by the same authority, which stays within what it may sign for. Each is one file, with the
key in front of the chain, so that it can be replaced while a server loads it.

What a library cannot be made to send is not here. OpenSSL wants the server's certificate in front, so only
what stands behind it is ever in a wrong order; and Python's ``ssl`` has no way to staple an OCSP response
(RFC 6066 §8), so who is to find that ``revoked`` is revoked has to be given the authority's list, which lies
beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from wptproto.certs.host_names import parsed, tag
from wptproto.certs.keeping import ensure, folder_of, key_of, made
from wptproto.certs.voucher import Voucher
from wptproto.default_names import CATALOGUE_DOMAIN, DEFAULT_NAMES
from wptproto.errors import ConfigError
from wptproto.private_files import keep_private

__all__ = ["CATALOGUE", "Entry", "Identity", "ensure_entry", "entry_named", "listing"]


class Entry(NamedTuple):
    """
    What there is by one name.

    Attributes:
        what: What is wrong, or odd, in one sentence.
        client: What a client has to do that trusts the authority, in one sentence.
        accepted: Whether that is to go on.
        is_weak: Whether OpenSSL takes it for too weak to be loaded, unless it is told otherwise.
    """

    what: str
    client: str
    accepted: bool = False
    is_weak: bool = False


class Identity(NamedTuple):
    """
    Where the files of an entry are; all PEM.

    Attributes:
        ca: Certificate of the authority, for clients to trust.
        certificate: The server's key, its certificate, and what is sent after that.
        revoked: What the authority has revoked (RFC 5280 §5); None where that is beside the point.
    """

    ca: Path
    certificate: Path
    revoked: Path | None


_GO_ON = "Go on."
_WANTS_NAMES = "Refuse: whom it is for, subject alternative names say, and nothing else (RFC 9110 §4.3.4)."

CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {
        "valid": Entry("Nothing is wrong with it.", _GO_ON, accepted=True),
        "ecdsa": Entry(
            "Nothing is wrong with it; its key is on the curve P-384, not P-256.", _GO_ON, accepted=True
        ),
        "rsa": Entry("Nothing is wrong with it; its key is RSA of 2048 bits.", _GO_ON, accepted=True),
        "intermediate": Entry(
            "Nothing is wrong with it; another authority stands between it and the root, and is sent.",
            _GO_ON,
            accepted=True,
        ),
        "many-names": Entry(
            "Nothing is wrong with it; it is for 500 names more, and takes 16 KiB.",
            "Go on, however many names there are.",
            accepted=True,
        ),
        "no-common-name": Entry(
            "Nothing is wrong with it; its subject is empty, and its alternative names are critical.",
            "Go on: the subject does not matter (RFC 5280 §4.2.1.6).",
            accepted=True,
        ),
        "reversed-chain": Entry(
            "Behind the server's certificate, the root is sent first, and then what the root has signed.",
            "Go on, if it can put them in order, as one of TLS 1.3 should (RFC 8446 §4.4.2); one of TLS 1.2"
            " may refuse (RFC 5246 §7.4.2).",
            accepted=True,
        ),
        "expired": Entry(
            "It was valid for 90 days, and is not any more.", "Refuse: its time is over (RFC 5280 §4.1.2.5)."
        ),
        "not-yet-valid": Entry(
            "It will be valid in a year.", "Refuse: its time has not come (RFC 5280 §4.1.2.5)."
        ),
        "wrong-host": Entry(
            "It is for elsewhere.test, and no other host.",
            "Refuse: it is for another host (RFC 9110 §4.3.4).",
        ),
        "no-name": Entry("It has no names at all, neither alternative ones nor a common name.", _WANTS_NAMES),
        "common-name-only": Entry(
            "The host stands in its common name alone, and not among alternative names.", _WANTS_NAMES
        ),
        "self-signed": Entry(
            "It is signed with its own key.", "Refuse: nobody vouches for it (RFC 5280 §6.1)."
        ),
        "untrusted-root": Entry(
            "It is signed by an authority that nobody knows, whose own certificate is sent, too.",
            "Refuse: what the peer sends is not trusted for that (RFC 5280 §6.1).",
        ),
        "incomplete-chain": Entry(
            "The authority between it and the root is not sent.",
            "Refuse, unless it has that certificate from elsewhere (RFC 5246 §7.4.2).",
        ),
        "wrong-usage": Entry(
            "Its extended key usage is that of clients.",
            "Refuse: it is not for servers (RFC 5280 §4.2.1.12).",
        ),
        "weak-key": Entry(
            "Its key is RSA of 1024 bits.",
            "Refuse: such keys have not been good enough since 2013 (NIST SP 800-131A).",
            is_weak=True,
        ),
        "weak-signature": Entry(
            "It is signed over its SHA-1 digest.",
            "Refuse: others with that digest can be made (RFC 9155; RFC 8446 §4.4.2.4).",
            is_weak=True,
        ),
        "revoked": Entry(
            "Its authority has revoked it, in a list that lies beside it; no OCSP response is stapled.",
            "Refuse, if it was given the list (RFC 5280 §6.3); else it cannot know, and goes on.",
        ),
    }
)
"""Every entry by its name; first those with which nothing is wrong."""


def entry_named(name: str) -> Entry:
    """
    Return the entry of that name.

    Raises:
        ConfigError: There is none.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise ConfigError(
            f"tls: there is no certificate {name!r} in the catalogue; there are {', '.join(CATALOGUE)}"
        )
    return entry


def ensure_entry(
    name: str,
    directory: Path | None = None,
    names: Sequence[str] = DEFAULT_NAMES,
    *,
    now: datetime | None = None,
) -> Identity:
    """
    Have an entry's certificate in the folder ``catalogue`` of *directory*, with its key and its authority.

    What is there and fits stays untouched. It is made anew after 300 days, with another key.

    Args:
        name: Of the entry.
        directory: Where certificates are; None means ``default_directory()``.
        names: Host names and addresses that it is for, besides ``NAME.localhost``.
        now: The present time, with its zone; None asks the clock.

    Returns:
        Absolute paths. The same names yield the same paths.

    Raises:
        ConfigError: There is no such entry.
        CertificateError: One of the names is none, or the directory cannot be written in.
    """
    entry_named(name)
    moment = datetime.now(UTC) if now is None else now
    parent = folder_of(directory)
    authority = ensure(parent, names, now=moment).ca
    host = name + CATALOGUE_DOMAIN
    hosts = parsed([host, *names])
    stem = name if hosts == parsed([host, *DEFAULT_NAMES]) else f"{name}-{tag(hosts)}"
    folder = parent / "catalogue"
    certificate = folder / f"{stem}.pem"
    revoked = folder / f"{stem}-crl.pem" if name == "revoked" else None
    keep_private(certificate, ours=True)
    files = [authority, key_of(authority), certificate, *([revoked] if revoked is not None else [])]
    voucher = Voucher(certificate, files, [name, *hosts], ("catalogue.py", "faulty.py"))

    def make() -> tuple[datetime, datetime]:
        # Another thread or process may have made it while this one waited.
        if voucher.holds(moment):
            return moment, moment
        from wptproto.certs.faulty import make_entry

        period = make_entry(name, host, hosts, (authority, key_of(authority)), certificate, revoked, moment)
        voucher.write(voucher.digest(), *period)
        return period

    if not voucher.holds(moment):
        made(folder, make)
    return Identity(authority, certificate, revoked)


def listing(revoked: Identity, port: int) -> str:
    """
    Tell of every entry what is wrong with it, what a client has to do, and how curl asks for it.

    Args:
        revoked: The entry ``revoked``, which is there; the others are made when somebody asks for them.
        port: Where the server speaks TLS.

    Returns:
        Lines for a terminal, ending in a newline.
    """
    import shlex

    lines = [
        "A server with a generated certificate shows each of these to who asks by SNI for NAME.localhost;",
        "`wptproto serve --tls NAME` and Server(tls=NAME) show it to everyone.",
    ]
    for name, entry in CATALOGUE.items():
        command = ["curl", "--cacert", str(revoked.ca), f"https://{name}{CATALOGUE_DOMAIN}:{port}/"]
        if name == "revoked":
            command[1:1] = ["--crlfile", str(revoked.revoked)]
        lines += ["", name, f"    {entry.what}", f"    {entry.client}", f"    {shlex.join(command)}"]
    return "\n".join([*lines, ""])
