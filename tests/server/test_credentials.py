"""Certificates of servers and clients, versions and protocols: what is asked for, and what clients find."""

from __future__ import annotations

import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.programs import needs
from tests.helpers.waiting import assert_soon
from wptproto import CertificateError, ConfigError, Server, certs
from wptproto.certs.catalogue import CATALOGUE, ensure_entry
from wptproto.server import credentials, tls_terms

# RFC 8446 §6.2, RFC 5246 §7.2.2: alerts, as OpenSSL's clients of any version call them.
UNKNOWN_CA = "(?i)unknown.ca"
NO_CERTIFICATE = "(?i)certificate.required"
NO_PROTOCOL = "(?i)no.application.protocol"

# X509_V_ERR_... of OpenSSL: what its clients say of each entry that they refuse.
CODES = {
    "expired": 10,
    "not-yet-valid": 9,
    "wrong-host": 62,
    "no-name": 62,
    "self-signed": 18,
    "untrusted-root": 19,
    "incomplete-chain": 20,
    "wrong-usage": 26,
    "weak-key": 66,
    "weak-signature": 68,
    "revoked": 23,
}
REFUSED_BY_STRICT_CLIENTS = {"common-name-only"}


def made(certs_dir: Path, **settings: Any) -> Server:
    return Server(
        routes=[("GET", "/", lambda request, response: request.protocol_version)],
        http_port=None,
        certs_dir=certs_dir,
        **settings,
    )


@pytest.fixture(scope="module")
def server(certs_dir: Path) -> Iterator[Server]:
    with made(certs_dir, h2_port=0) as server:
        yield server


def connected(
    server: Server, context: ssl.SSLContext, name: str = "localhost", *, port: int | None = None
) -> ssl.SSLSocket:
    sock = socket.create_connection(("127.0.0.1", port or server.https_port or 0), timeout=20)
    try:
        return context.wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def answered(server: Server, context: ssl.SSLContext, name: str = "localhost") -> bytes:
    """Return what comes for a request of HTTP/1.1; with TLS 1.3 a refusal of a client comes no earlier."""
    with connected(server, context, name) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with sock.makefile("rb") as file:
            return file.read()


def knowing_revocations(server: Server) -> ssl.SSLContext:
    context = server.client_context()
    context.hostname_checks_common_name = False
    context.load_verify_locations(server.revoked)
    return context


class TestCatalogue:
    @pytest.mark.parametrize("name", CATALOGUE)
    def test_by_sni(self, server: Server, name: str) -> None:
        """A client that asks by SNI for an entry's name finds it on any port, and the one thing wrong."""
        context = knowing_revocations(server)
        if name == "revoked":
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        for port in (server.https_port, server.h2_port):
            check(server, context, name, f"{name}.localhost", port)

    @pytest.mark.parametrize("name", CATALOGUE)
    def test_by_name(self, certs_dir: Path, name: str) -> None:
        """A server of that name has it for whoever asks, and whatever for."""
        with made(certs_dir, tls=name) as server:
            context = knowing_revocations(server)
            if name == "revoked":
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            check(server, context, name, "localhost", server.https_port)

    def test_what_is_revoked_is_in_the_list_alone(self, server: Server) -> None:
        """Nobody can tell by the certificate that it was revoked."""
        with connected(server, server.client_context(), "revoked.localhost") as sock:
            assert sock.version() == "TLSv1.3"

    @pytest.mark.parametrize("name", ["expired", "wrong-usage"])
    def test_the_log(self, server: Server, name: str, caplog: pytest.LogCaptureFixture) -> None:
        """That the client refuses a certificate stands in the log."""
        with pytest.raises(ssl.SSLCertVerificationError):
            connected(server, server.client_context(), f"{name}.localhost")
        assert_soon(lambda: "the client refuses the certificate (" in caplog.text)

    def test_names_that_are_not_in_it(self, server: Server) -> None:
        """Who asks for another name has the server's own certificate, and its names are not looked up."""
        for name in ("localhost", "www1.localhost", "other.localhost", "EXPIRED.localhost.test"):
            context = server.client_context()
            context.check_hostname = False
            with connected(server, context, name) as sock:
                assert common_name(sock) == "localhost"

    def test_a_name_in_another_case(self, server: Server) -> None:
        """Host names have no case (RFC 9110 §4.2.3)."""
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            connected(server, server.client_context(), "Expired.LOCALHOST")

    def test_a_name_that_the_certificate_is_for(self, certs_dir: Path) -> None:
        """Who wants an entry's name for the server's own certificate has it."""
        names = ["localhost", "expired.localhost"]
        with made(certs_dir, names=names) as server:
            with connected(server, server.client_context(), "expired.localhost"):
                pass
            with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
                connected(server, server.client_context(), "not-yet-valid.localhost")

    def test_names_of_others(self, certs_dir: Path) -> None:
        """An entry is for the server's names, too, by the authority that these need."""
        with made(certs_dir, names=["a.example"], tls="expired") as server:
            assert server.ca != certs_dir / "ca.pem"
            with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
                connected(server, server.client_context(), "a.example")

    def test_a_certificate_of_one_s_own(self, certs_dir: Path) -> None:
        """A server with files of one's own shows nothing else."""
        files = certs.ensure(certs_dir)
        with made(certs_dir, certificate=files.certificate, key=files.key) as server:
            context = ssl.create_default_context(cafile=files.ca)
            context.check_hostname = False
            with connected(server, context, "expired.localhost") as sock:
                assert common_name(sock) == "localhost"

    def test_contexts_are_kept(self, certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An entry is read once, when it is first asked for."""
        asked = []
        make_context = tls_terms.make_context

        def counted(certificate: Path, *rest: Any, **more: Any) -> ssl.SSLContext:
            asked.append(certificate.stem)
            return make_context(certificate, *rest, **more)

        monkeypatch.setattr(credentials, "make_context", counted)
        with made(certs_dir) as server:
            context = server.client_context()
            for name in ("valid", "valid", "localhost", "rsa", "valid"):
                with connected(server, context, name if name == "localhost" else f"{name}.localhost"):
                    pass
        assert asked == ["server", "valid", "rsa"]

    def test_one_that_cannot_be_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """If there is no certificate to be had, the client gets internal_error, and the log says why."""
        with made(tmp_path) as server:
            context = server.client_context()
            (tmp_path / "catalogue").write_text("in the way")
            with pytest.raises(ssl.SSLError, match=r"(?i)alert.internal.error"):
                connected(server, context, "expired.localhost")
            assert_soon(lambda: "there is no certificate for expired.localhost: cannot write" in caplog.text)
            with connected(server, context):
                pass

    def test_an_unknown_name(self, certs_dir: Path) -> None:
        """The error has the names that there are."""
        with pytest.raises(ConfigError, match=r"no certificate 'expird' .* there are valid, .*, expired, "):
            made(certs_dir, tls="expird")

    def test_no_two_certificates(self, certs_dir: Path) -> None:
        """A certificate is one's own, or the catalogue's."""
        with pytest.raises(ConfigError, match="tls: there is no place for 'expired'"):
            made(certs_dir, tls="expired", certificate="a.pem", key="b.pem")

    @needs("curl")
    @pytest.mark.parametrize(
        ("name", "status"),
        [("valid", 0), ("rsa", 0), ("intermediate", 0), ("many-names", 0), ("no-common-name", 0),
         ("expired", 60), ("wrong-host", 60), ("self-signed", 60), ("weak-key", 60), ("revoked", 60)],
    )  # fmt: skip
    def test_curl(self, server: Server, name: str, status: int) -> None:
        """curl finds the same: 60 is what it says of a certificate that it does not take."""
        url = f"https://{name}.localhost:{server.https_port}/"
        command = ["curl", "--silent", "--cacert", str(server.ca), "--max-time", "20", url]
        if name == "revoked":
            command[1:1] = ["--crlfile", str(server.revoked)]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        assert (done.returncode, done.stdout) == (status, b"" if status else b"HTTP/2.0")

    @needs("openssl")
    @pytest.mark.parametrize(
        ("name", "subjects"),
        [
            ("valid", ["server", "development"]),
            ("intermediate", ["server", "intermediate", "development"]),
            ("reversed-chain", ["server", "development", "intermediate"]),
            ("incomplete-chain", ["server"]),
            ("self-signed", ["server"]),
            ("untrusted-root", ["server", "nobody"]),
        ],
    )
    def test_what_is_sent(self, server: Server, name: str, subjects: list[str]) -> None:
        """Certificates leave in that order."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.https_port}", "-showcerts"]
        command += ["-servername", f"{name}.localhost"]
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)
        lines = [line for line in done.stdout.splitlines() if line.lstrip()[1:4] == " s:"]
        words = ("development", "intermediate", "nobody")
        assert [next((word for word in words if word in line), "server") for line in lines] == subjects


def check(server: Server, context: ssl.SSLContext, name: str, host: str, port: int | None) -> None:
    """Connect, and find of an entry what the catalogue says."""
    if name in CODES or name in REFUSED_BY_STRICT_CLIENTS:
        assert not CATALOGUE[name].accepted
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            connected(server, context, host, port=port)
        assert caught.value.verify_code == CODES.get(name, 62)
    else:
        assert CATALOGUE[name].accepted
        with connected(server, context, host, port=port) as sock:
            assert sock.version() == "TLSv1.3"


def common_name(sock: ssl.SSLSocket) -> str:
    subject: Any = (sock.getpeercert() or {})["subject"]
    return str(dict(line[0] for line in subject)["commonName"])


class TestClientCertificates:
    def test_none(self, certs_dir: Path) -> None:
        """Nobody is asked, unless that is wanted; who has one is answered, too."""
        with made(certs_dir) as server:
            context = server.client_context()
            context.load_cert_chain(*server.client_certificate())
            assert answered(server, context).endswith(b"HTTP/1.1")

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    @pytest.mark.parametrize(
        ("mode", "shown", "refused_by"),
        [
            ("asked", "none", None),
            ("asked", "good", None),
            ("asked", "stranger's", UNKNOWN_CA),
            ("required", "none", "(?i)certificate.required|handshake.failure"),
            ("required", "good", None),
            ("required", "stranger's", UNKNOWN_CA),
            ("required", "server's", UNKNOWN_CA),
            ("refused", "none", None),
            ("refused", "good", UNKNOWN_CA),
            ("refused", "stranger's", UNKNOWN_CA),
        ],
    )
    def test_modes(
        self,
        certs_dir: Path,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        version: ssl.TLSVersion,
        mode: str,
        shown: str,
        refused_by: str | None,
    ) -> None:
        """Each mode takes what it says, and refuses the rest by an alert, with a reason in the log."""
        with made(certs_dir, client_certificates=mode) as server:
            context = server.client_context()
            context.minimum_version = context.maximum_version = version
            if shown == "good":
                context.load_cert_chain(*server.client_certificate("alice"))
            elif shown == "stranger's":
                files = certs.ensure_client(tmp_path)
                context.load_cert_chain(files.certificate, files.key)
            elif shown == "server's":
                files = certs.ensure(certs_dir)
                context.load_cert_chain(files.certificate, files.key)
            if refused_by is None:
                assert answered(server, context).endswith(b"HTTP/1.1")
            else:
                with pytest.raises(ssl.SSLError, match=refused_by):
                    answered(server, context)
                why = (
                    "shows no certificate, and this"
                    if shown == "none"
                    else "client's certificate is refused: "
                )
                assert_soon(lambda: why in caplog.text)

    def test_for_names_of_the_catalogue(self, certs_dir: Path) -> None:
        """An entry that is shown by SNI does not change what is asked of clients."""
        with made(certs_dir, client_certificates="required") as server:
            context = server.client_context()
            with pytest.raises(ssl.SSLError, match=NO_CERTIFICATE):
                answered(server, context, "valid.localhost")
            context.load_cert_chain(*server.client_certificate())
            assert answered(server, context, "valid.localhost").endswith(b"HTTP/1.1")

    def test_another_authority(self, certs_dir: Path, tmp_path: Path) -> None:
        """With a PEM file of one's own, its clients are taken, and ours are not."""
        other = certs.ensure_client(tmp_path, "bob")
        with made(certs_dir, client_certificates="required", client_ca=other.ca) as server:
            context = server.client_context()
            context.load_cert_chain(other.certificate, other.key)
            assert answered(server, context).endswith(b"HTTP/1.1")
            context = server.client_context()
            context.load_cert_chain(*server.client_certificate())
            with pytest.raises(ssl.SSLError, match=UNKNOWN_CA):
                answered(server, context)

    @needs("curl")
    def test_curl(self, certs_dir: Path) -> None:
        """curl shows the files as they are; without them it gets the alert."""
        with made(certs_dir, client_certificates="required") as server:
            certificate, key = server.client_certificate()
            url = ["--cacert", str(server.ca), "--max-time", "20", server.https_url()]
            for more, output in ((["--cert", str(certificate), "--key", str(key)], b"HTTP/2.0"), ([], b"")):
                done = subprocess.run(
                    ["curl", "--silent", *more, *url], capture_output=True, timeout=30, check=False
                )
                assert done.stdout == output

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"client_certificates": "maybe"}, "'maybe' is none of none, asked, required, refused"),
            ({"client_ca": "ca.pem"}, "client_ca: an authority is of use where"),
            ({"client_ca": "ca.pem", "client_certificates": "refused"}, "client_ca: an authority"),
        ],
    )
    def test_what_makes_no_sense(self, certs_dir: Path, settings: dict[str, Any], message: str) -> None:
        """What cannot be is said when it is asked for."""
        with pytest.raises(ConfigError, match=message):
            made(certs_dir, **settings)

    def test_an_authority_that_is_none(self, certs_dir: Path, tmp_path: Path) -> None:
        """A file that is not there, or is no PEM, is named."""
        (tmp_path / "none.pem").write_text("none")
        for name in ("none.pem", "nowhere.pem"):
            server = made(certs_dir, client_certificates="asked", client_ca=tmp_path / name)
            with pytest.raises(CertificateError, match=f"cannot use .*{name} as authority for clients: "):
                server.listen()


class TestVersions:
    @pytest.mark.parametrize(
        "versions",
        [("TLSv1.2",), ("TLSv1.3",), ("TLSv1.3", "TLSv1.2"), ("TLSv1", "TLSv1.1"), ("TLSv1.1", "TLSv1.2")],
    )
    def test_what_is_spoken(self, certs_dir: Path, versions: tuple[str, ...]) -> None:
        """The versions that were asked for, old ones, too, and no others."""
        spoken = set()
        with made(certs_dir, tls_versions=versions) as server:
            for version in ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"):
                context = speaking(server.client_context(), version)
                try:
                    with closing(connected(server, context)) as sock:
                        spoken.add(sock.version())
                except (ssl.SSLError, ConnectionError):
                    pass
        assert spoken == set(versions)

    def test_one_version(self, certs_dir: Path) -> None:
        """One version may be given by itself, and the catalogue goes by it, too."""
        with (
            made(certs_dir, tls_versions="TLSv1.2") as server,
            connected(server, server.client_context(), "valid.localhost") as sock,
        ):
            assert sock.version() == "TLSv1.2"

    @pytest.mark.parametrize(
        ("versions", "message"),
        [
            (("SSLv3",), "'SSLv3' is none of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
            ((), "tls_versions: there is none"),
            (("TLSv1.1", "TLSv1.3"), "so TLSv1.2 cannot be left out"),
        ],
    )
    def test_what_cannot_be(self, certs_dir: Path, versions: tuple[str, ...], message: str) -> None:
        """What OpenSSL cannot do is said when it is asked for."""
        with pytest.raises(ConfigError, match=message):
            made(certs_dir, tls_versions=versions)

    def test_a_version_that_was_left_out(self, certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An OpenSSL may have been built without old versions."""
        monkeypatch.setitem(tls_terms._VERSIONS, "TLSv1", (ssl.TLSVersion.TLSv1, False))
        with pytest.raises(ConfigError, match="TLSv1 is not in OpenSSL"):
            made(certs_dir, tls_versions=["TLSv1"])


def speaking(context: ssl.SSLContext, version: str) -> ssl.SSLContext:
    """Have a client speak one version, however old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]
    return context


class TestAlpn:
    @pytest.mark.parametrize("nothing", [None, ()])
    def test_not_spoken_of(self, certs_dir: Path, nothing: Sequence[str] | None) -> None:
        """Without ALPN, what a client offers is not looked at, and HTTP/1.1 is spoken."""
        with made(certs_dir, alpn=nothing) as server:
            context = server.client_context()
            context.set_alpn_protocols(["h2"])
            with connected(server, context) as sock:
                assert sock.selected_alpn_protocol() is None
            assert answered(server, context).endswith(b"HTTP/1.1")

    def test_another_protocol(self, certs_dir: Path) -> None:
        """One that is not known is chosen, if both have it, and what is spoken then, the octets tell."""
        with made(certs_dir, alpn=["h2-16", "http/1.0"]) as server:
            for offered in ("http/1.0", "h2-16"):
                context = server.client_context()
                context.set_alpn_protocols(["h2", offered])
                with connected(server, context) as sock:
                    assert sock.selected_alpn_protocol() == offered
                assert answered(server, context).endswith(b"HTTP/1.1")
            with connected(server, context) as sock:
                sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
                assert sock.recv(9)[3] == 4  # SETTINGS
            context.set_alpn_protocols(["h2", "http/1.1"])
            with pytest.raises(ssl.SSLError, match=NO_PROTOCOL):
                connected(server, context)

    def test_of_a_client_that_offers_nothing(self, certs_dir: Path) -> None:
        """A client without ALPN speaks HTTP/1.1, whatever there was to choose from."""
        with made(certs_dir, alpn="spdy/3") as server:
            context = server.client_context()
            assert answered(server, context).endswith(b"HTTP/1.1")

    @pytest.mark.parametrize("name", ["", "é", "a" * 256])
    def test_what_is_no_name(self, certs_dir: Path, name: str) -> None:
        """A protocol's name has 1 to 255 octets (RFC 7301 §3.1)."""
        with pytest.raises(ConfigError, match="alpn: a protocol's name has 1 to 255 characters of ASCII"):
            made(certs_dir, alpn=[name])


class TestOwnFiles:
    def test_half_of_a_pair(self, certs_dir: Path) -> None:
        """A certificate without its key is of no use, nor is a key without its certificate."""
        for half in ({"certificate": "a.pem"}, {"key": "a.pem"}):
            with pytest.raises(ConfigError, match="a certificate needs its key, and a key its certificate"):
                made(certs_dir, **half)

    def test_files_that_do_not_fit(self, certs_dir: Path, tmp_path: Path) -> None:
        """The error says what is wrong with them, better than OpenSSL does."""
        files, others = certs.ensure(certs_dir), certs.ensure(tmp_path)
        server = made(certs_dir, certificate=files.certificate, key=others.key)
        with pytest.raises(CertificateError, match=r"does not fit certificate .*: it belongs to another one"):
            server.listen()
        assert server.ca == files.certificate

    def test_no_port_of_tls(self, tmp_path: Path) -> None:
        """Where nobody speaks TLS, nothing is made."""
        with Server(https_port=None, certs_dir=tmp_path / "certs", tls="expired"):
            assert not (tmp_path / "certs").exists()


def test_files_of_the_catalogue_are_those_of_servers(server: Server, certs_dir: Path) -> None:
    """What a server shows by SNI is what a program can have by name."""
    identity = ensure_entry("rsa", certs_dir)
    context = server.client_context()
    with connected(server, context, "rsa.localhost") as sock:
        shown = ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True) or b"")
    assert "".join(shown.split()) in "".join(identity.certificate.read_text().split())
