"""RFC 7541: field blocks as a client may compress them, and as it may not."""

from __future__ import annotations

from h2.errors import ErrorCodes

from tests.conformance.h2_probe import H2Probe, broken, frame
from tests.conformance.probe import Level

INDICES, SIZE, UPDATE = "RFC 7541 §2.3.3", "RFC 7541 §4.1", "RFC 7541 §4.2"
SHRINKING, ADDING = "RFC 7541 §4.3", "RFC 7541 §4.4"
INTEGER, STRING = "RFC 7541 §5.1", "RFC 7541 §5.2"
INDEXED, REMEMBERED, ONCE, NEVER, CHANGE = (
    f"RFC 7541 §{number}" for number in ("6.1", "6.2.1", "6.2.2", "6.2.3", "6.3")
)
BEYOND = (
    "Indices strictly greater than the sum of the lengths of both tables MUST be treated as a decoding error."
)
NEWEST = "The newest entry in the dynamic table is at the lowest index, and the oldest entry is at the highest index."
ENTRY = (
    "The size of an entry is the sum of its name's length in octets, its value's length in octets, and 32."
)
AT_THE_START = "This dynamic table size update MUST occur at the beginning of the first header block following the change to the dynamic table size."
TWO = "resulting in at most two dynamic table size updates"
EVICTED = "Whenever the maximum size for the dynamic table is reduced, entries are evicted from the end of the dynamic table until the size of the dynamic table is less than or equal to the maximum size."
TOO_LARGE_ENTRY = "It is not an error to attempt to add an entry that is larger than the maximum size; an attempt to add an entry larger than the maximum size causes the table to be emptied of all existing entries and results in an empty table."
OWN_NAME = "A new entry can reference the name of an entry in the dynamic table that will be evicted when adding this new entry into the dynamic table."
EXCESSIVE = "Integer encodings that exceed implementation limits -- in value or octet length -- MUST be treated as decoding errors."
PADDING = "A padding strictly longer than 7 bits MUST be treated as a decoding error."
EOS_BITS = "A padding not corresponding to the most significant bits of the code for the EOS symbol MUST be treated as a decoding error."
EOS = "A Huffman-encoded string literal containing the EOS symbol MUST be treated as a decoding error."
INDEX_0 = "The index value of 0 is not used. It MUST be treated as a decoding error if found in an indexed header field representation."
UNALTERED = "A literal header field without indexing representation results in appending a header field to the decoded header list without altering the dynamic table."
NEVER_ALTERED = "A literal header field never-indexed representation results in appending a header field to the decoded header list without altering the dynamic table."
LIMIT = "A value that exceeds this limit MUST be treated as a decoding error."

TABLE_OCTETS = 4096


def integer(value: int, prefix_bits: int, first: int = 0, zeros: int = 0) -> bytes:
    """Return an integer (§5.1), behind the bits *first*; with so many octets of zeros, longer than need be."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    value -= most
    octets = bytearray([first | most])
    while value >= 128 or zeros:
        if value < 128:
            zeros -= 1
        octets.append(0x80 | value & 127)
        value >>= 7
    return bytes([*octets, value])


def string(octets: bytes) -> bytes:
    return integer(len(octets), 7) + octets


def literal(first: int, name: bytes | int, value: bytes) -> bytes:
    """Return a literal (§6.2) of the kind *first*, its name an index, or octets."""
    bits = 6 if first == KEPT else 4
    named = integer(name, bits, first) if isinstance(name, int) else bytes([first]) + string(name)
    return named + string(value)


def update(size: int) -> bytes:
    return integer(size, 5, 0x20)


KEPT, PLAIN, SECRET = 0x40, 0x00, 0x10
# GET /x: what its handler returns is the value of its fields x. Nothing of it goes into the table.
ASKS = b"\x82\x86" + literal(PLAIN, 4, b"/x") + literal(PLAIN, 1, b"h")
NEWEST_INDEX = b"\xbe"  # 62, the first behind the static table
SECOND_INDEX = b"\xbf"
KEEP_A, KEEP_B = literal(KEPT, b"x", b"a"), literal(KEPT, b"x", b"b")
EMPTIED = update(0) + update(TABLE_OCTETS)


def blocks(*payloads: bytes) -> tuple[bytes, int]:
    """Return requests of such field blocks, and the stream of the last."""
    sends = b"".join(frame(1, 5, 2 * number + 1, payload) for number, payload in enumerate(payloads))
    return sends, 2 * len(payloads) - 1


def read(
    id: str, section: str, *payloads: bytes, says: bytes, sentence: str = "", level: Level = "MUST"
) -> H2Probe:
    """Return a probe of requests, of which the last has fields x of these values."""
    sends, stream = blocks(*payloads)
    return H2Probe(
        id="hpack-" + id,
        section=section,
        sends=sends,
        stream=stream,
        statuses=(200,),
        says=says,
        sentence=sentence,
        level=level,
    )


def undecodable(
    id: str, section: str, *payloads: bytes, sentence: str = "", level: Level = "MUST"
) -> H2Probe:
    """Return a probe of requests, of which the last cannot be decoded (RFC 9113 §4.3)."""
    sends, _ = blocks(*payloads)
    return broken("hpack-" + id, section, sends, ErrorCodes.COMPRESSION_ERROR, sentence=sentence, level=level)


def huffman(octets: bytes) -> bytes:
    """Return a field x whose value is Huffman-coded octets."""
    return literal(PLAIN, b"x", b"")[:-1] + integer(len(octets), 7, 0x80) + octets


PROBES: list[H2Probe] = [
    # --- the tables
    read("static", INDICES, ASKS, says=b""),
    read("static-last", INDICES, ASKS + b"\xbd", says=b""),
    undecodable("behind-the-static-table", INDICES, ASKS + NEWEST_INDEX, sentence=BEYOND),
    read("remembered", INDICES, ASKS + KEEP_A, ASKS + NEWEST_INDEX, says=b"a"),
    read("remembered-within-the-block", INDICES, ASKS + KEEP_A + NEWEST_INDEX, says=b"a,a"),
    read("newest-first", INDICES, ASKS + KEEP_A + KEEP_B, ASKS + NEWEST_INDEX, says=b"b", sentence=NEWEST),
    read("oldest-last", INDICES, ASKS + KEEP_A + KEEP_B, ASKS + SECOND_INDEX, says=b"a", sentence=NEWEST),
    read("twice-the-same", "RFC 7541 §2.3.2", ASKS + KEEP_A + KEEP_A, ASKS + SECOND_INDEX, says=b"a"),
    undecodable("behind-both-tables", INDICES, ASKS + KEEP_A, ASKS + SECOND_INDEX, sentence=BEYOND),
    undecodable("index-very-large", INDICES, ASKS + integer(10**6, 7, 0x80), sentence=BEYOND),
    undecodable("name-behind-both-tables", INDICES, ASKS + literal(KEPT, 62, b"a"), sentence=BEYOND),
    undecodable("name-of-nothing", INDICES, ASKS + literal(PLAIN, 99, b"a"), sentence=BEYOND),
    read("order", "RFC 7541 §3.2", ASKS + KEEP_B + literal(PLAIN, b"x", b"a") + NEWEST_INDEX, says=b"b,a,b"),
    # --- how large the table is
    read("as-large-as-the-table", SIZE, ASKS + literal(KEPT, b"x", b"0" * (TABLE_OCTETS - 33)), ASKS + NEWEST_INDEX, says=b"0000", sentence=ENTRY),
    undecodable("larger-than-the-table", ADDING, ASKS + literal(KEPT, b"x", b"0" * (TABLE_OCTETS - 32)), ASKS + NEWEST_INDEX, sentence=ENTRY),
    read("larger-than-the-table-is-a-field", ADDING, ASKS + literal(KEPT, b"x", b"0" * (TABLE_OCTETS - 32)), says=b"000", sentence=TOO_LARGE_ENTRY),
    undecodable("larger-than-the-table-empties-it", ADDING, ASKS + KEEP_A, ASKS + literal(KEPT, b"y", b"0" * TABLE_OCTETS), ASKS + NEWEST_INDEX, sentence=TOO_LARGE_ENTRY),
    read("one-too-many-evicts-the-oldest", ADDING, ASKS + KEEP_A + KEEP_B, update(68) + ASKS + literal(KEPT, b"x", b"c"), ASKS + SECOND_INDEX, says=b"b"),
    undecodable("one-too-many-keeps-no-more", ADDING, ASKS + KEEP_A + KEEP_B, update(68) + ASKS + literal(KEPT, b"x", b"c"), ASKS + b"\xc0"),
    read("name-of-what-is-evicted", ADDING, update(34) + ASKS + KEEP_A, ASKS + literal(KEPT, 62, b"b"), says=b"b", sentence=OWN_NAME),
    # --- changes of its size
    read("update-to-the-limit", UPDATE, update(TABLE_OCTETS) + ASKS + KEEP_A, says=b"a"),
    undecodable("update-past-the-limit", CHANGE, update(TABLE_OCTETS + 1) + ASKS, sentence=LIMIT),
    undecodable("update-far-past-the-limit", CHANGE, update(2**31) + ASKS, sentence=LIMIT),
    undecodable("update-behind-a-field", UPDATE, ASKS + update(TABLE_OCTETS), sentence=AT_THE_START),
    undecodable("update-between-fields", UPDATE, b"\x82" + update(0) + ASKS[1:], sentence=AT_THE_START),
    read("update-twice", UPDATE, EMPTIED + ASKS + KEEP_A, ASKS + NEWEST_INDEX, says=b"a", sentence=TWO),
    undecodable("update-thrice", UPDATE, update(1) + EMPTIED + ASKS, sentence=TWO, level="ours"),
    read("update-in-each-block", UPDATE, update(100) + ASKS, update(50) + ASKS, update(0) + ASKS, says=b""),
    undecodable("update-to-0-empties", SHRINKING, ASKS + KEEP_A, EMPTIED + ASKS + NEWEST_INDEX, sentence=EVICTED),
    undecodable("update-to-0-keeps-nothing", SHRINKING, update(0) + ASKS + KEEP_A + NEWEST_INDEX, sentence=EVICTED),
    read("update-keeps-what-fits", SHRINKING, ASKS + KEEP_A + KEEP_B, update(34) + ASKS + NEWEST_INDEX, says=b"b", sentence=EVICTED),
    undecodable("update-evicts-the-oldest", SHRINKING, ASKS + KEEP_A + KEEP_B, update(67) + ASKS + SECOND_INDEX, sentence=EVICTED),
    undecodable("update-cut-off", CHANGE, b"\x3f"),
    # --- integers
    read("integer-of-the-prefix", INTEGER, ASKS + literal(PLAIN, b"x", b"0" * 127), says=b"0" * 127),
    read("integer-of-two-octets", INTEGER, ASKS + literal(PLAIN, b"x", b"0" * 128), says=b"0" * 128),
    read("integer-of-three-octets", INTEGER, ASKS + literal(PLAIN, b"x", b"0" * 300), says=b"0" * 300),
    read("integer-with-a-zero", INTEGER, ASKS + b"\0\1x" + integer(127, 7, zeros=1) + b"0" * 127, says=b"0" * 127, level="ours"),
    undecodable("integer-endless", INTEGER, ASKS + b"\xff" + b"\xff" * 200, sentence=EXCESSIVE),
    undecodable("integer-of-endless-zeros", INTEGER, ASKS + b"\xff" + b"\x80" * 200 + b"\0", sentence=EXCESSIVE),
    undecodable("integer-of-64-bits", INTEGER, ASKS + integer(2**64 + 127, 7, 0x80), sentence=EXCESSIVE),
    undecodable("integer-of-80-bits", INTEGER, ASKS + b"\0" + integer(2**80, 7), sentence=EXCESSIVE),
    undecodable("integer-cut-off", INTEGER, ASKS + b"\xff\x80"),
    undecodable("integer-without-its-rest", INTEGER, ASKS + b"\xff"),
    # --- strings
    read("string-empty", STRING, ASKS + literal(PLAIN, b"x", b"") + KEEP_A, says=b",a"),
    read("huffman-empty", STRING, ASKS + huffman(b""), says=b""),
    read("huffman", STRING, ASKS + huffman(bytes.fromhex("f1e3c2e5f23a6ba0ab90f4ff")), says=b"www.example.com"),
    read("huffman-ends-with-an-octet", STRING, ASKS + huffman(bytes(5)), says=b"00000000"),
    read("huffman-of-the-longest-codes", STRING, ASKS + huffman(bytes.fromhex("fffffe2f")), says=b"\x02", level="ours"),
    undecodable("huffman-padded-by-8-bits", STRING, ASKS + huffman(b"\x1f\xff"), sentence=PADDING),
    undecodable("huffman-of-nothing-but-padding", STRING, ASKS + huffman(b"\xff"), sentence=PADDING),
    undecodable("huffman-padded-by-16-bits", STRING, ASKS + huffman(b"\x1f\xff\xff"), sentence=PADDING),
    undecodable("huffman-padded-with-zeros", STRING, ASKS + huffman(b"\x18"), sentence=EOS_BITS),
    undecodable("huffman-padded-with-a-zero-last", STRING, ASKS + huffman(b"\x1e"), sentence=EOS_BITS),
    undecodable("huffman-eos", STRING, ASKS + huffman(b"\xff\xff\xff\xff"), sentence=EOS),
    undecodable("huffman-eos-within", STRING, ASKS + huffman(b"\x1f\xff\xff\xff\xe3"), sentence=EOS),
    undecodable("string-cut-off", STRING, ASKS + b"\0\1x\5abc"),
    undecodable("string-not-there", STRING, ASKS + b"\0\1x"),
    undecodable("name-cut-off", STRING, ASKS + b"\0\5x"),
    undecodable("name-not-there", STRING, ASKS + b"\0"),
    # --- representations
    undecodable("index-0", INDEXED, ASKS + b"\x80", sentence=INDEX_0),
    read("kept-with-a-known-name", REMEMBERED, ASKS + KEEP_A, ASKS + literal(KEPT, 62, b"b"), ASKS + NEWEST_INDEX, says=b"b"),
    read("plain-with-a-known-name", ONCE, ASKS + KEEP_A, ASKS + literal(PLAIN, 62, b"b"), says=b"b"),
    read("plain", ONCE, ASKS + KEEP_A + literal(PLAIN, b"x", b"b"), ASKS + NEWEST_INDEX, says=b"a", sentence=UNALTERED),
    read("secret-with-a-known-name", NEVER, ASKS + KEEP_A, ASKS + literal(SECRET, 62, b"b"), says=b"b"),
    read("secret", NEVER, ASKS + KEEP_A + literal(SECRET, b"x", b"b"), ASKS + NEWEST_INDEX, says=b"a", sentence=NEVER_ALTERED),
    undecodable("plain-alone", ONCE, ASKS + literal(PLAIN, b"x", b"b"), ASKS + NEWEST_INDEX, sentence=UNALTERED),
    undecodable("secret-alone", NEVER, ASKS + literal(SECRET, b"x", b"b"), ASKS + NEWEST_INDEX, sentence=NEVER_ALTERED),
]  # fmt: skip
