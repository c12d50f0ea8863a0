"""STDF V4, the binary files of semiconductor testers, in either byte order; plain, or packed by gzip or bzip2.

This module reads the syntax: bytes become records, in constant memory. `parts` turns records into runs. The first
record is 2 bytes long, and the bytes of this length show the byte order. Records of unknown kinds are skipped. Four
zero bytes where a record should begin are the padding of a tape, and end the file.

Source: Teradyne, "Standard Test Data Format (STDF) Specification, Version 4".
"""

import struct
from collections.abc import Callable, Collection, Iterator
from struct import Struct as Layout
from typing import Any, BinaryIO

from msgspec import UNSET

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.report import RunReport
from runcard.importers.content.unpacking import unpacked
from runcard.importers.stdf import records
from runcard.importers.stdf.binary_fields import Cursor, Remembered, read_fields, shortest_decimal
from runcard.importers.stdf.lot import look_ahead
from runcard.importers.stdf.parts import read_parts
from runcard.importers.stdf.records import Bound, Description, Ftr, Gdr, Inputs, Mpr, Ptr, Record

Decode = Callable[[bytes], Record]

_BLOCK_BYTES = 256 << 10
_MEND = "Upload the file as the tester wrote it."

# Bits of OPT_FLAG of PTR and MPR.
_NO_LOW_SPEC, _NO_HIGH_SPEC, _DEFAULT_LOW, _DEFAULT_HIGH, _NO_LOW, _NO_HIGH = (
    1 << bit for bit in range(2, 8)
)
_NO_INPUT = 2

# The lengths of an FTR without arrays: it may end after any field from TEST_FLG on.
_FTR_LENGTHS = (7, 8, 12, 16, 20, 24, 28, 32, 34, 36)

# By REC_TYP and REC_SUB: the fields up to the last that is used. `=` gives the value that stands for missing.
_RECORDS: dict[tuple[int, int], tuple[type[Record], str]] = {
    (1, 10): (records.Mir, "U4=0 U4=0 U1 C1 C1 C1 U2=65535 C1" + " Cn" * 30),
    (1, 20): (records.Mrr, "U4=0 C1 Cn Cn"),
    (1, 40): (records.Hbr, "U1 U1 U2 U4 C1 Cn"),
    (1, 50): (records.Sbr, "U1 U1 U2 U4 C1 Cn"),
    (1, 60): (records.Pmr, "U2 U2 Cn Cn Cn"),
    (1, 80): (records.Sdr, "U1 U1 kU1" + " Cn" * 6),
    (2, 10): (records.Wir, "U1 U1 U4=0 Cn"),
    (2, 20): (records.Wrr, "U1 U1 U4=0 U4 U4 U4 U4 U4 Cn"),
    (2, 30): (records.Wcr, "R4 R4 R4 U1 C1 I2 I2 C1 C1"),
    (5, 10): (records.Pir, "U1 U1"),
    (5, 20): (records.Prr, "U1 U1 U1 U2=65535 U2=65535 U2=65535 I2=-32768 I2=-32768 U4 Cn Cn Bn"),
    (10, 30): (records.Tsr, "U1 U1 C1 U4 U4 U4 U4 Cn Cn Cn"),
    (20, 10): (records.Bps, "Cn"),
    (20, 20): (records.Eps, ""),
    (50, 30): (records.Dtr, "Cn"),
}


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes begins with a FAR record, of two bytes in either order."""
    return head[:4] in (b"\x02\x00\x00\x0a", b"\x00\x02\x00\x0a")


def parse(file: BinaryIO) -> Iterator[RunReport]:
    """The runs of a lot, one for each part, in the order in which the parts ended; see `parts`.

    The file is read twice, so it must be able to seek. Raises UnreadableReport, PayloadTooLarge and InvalidInput,
    after the runs that come before the fault.
    """
    ahead = look_ahead(lambda kinds: read_records(file, kinds))
    yield from read_parts(ahead, lambda kinds: read_records(file, kinds))


def read_records(file: BinaryIO, kinds: Collection[type[Record]]) -> Iterator[Record]:
    """The records of these kinds, in the order of the file. Raises UnreadableReport and PayloadTooLarge."""
    stream = unpacked(file)
    order = _byte_order(stream.read(6))
    decoders = _decoders(order, kinds)
    unpack_header = Layout(f"{order}HBB").unpack_from
    rest, offset = b"", 6
    while block := stream.read(_BLOCK_BYTES):
        buffer, at = rest + block, 0
        end = len(buffer) - 4
        while at <= end:
            length, kind, sub = unpack_header(buffer, at)
            after = at + 4 + length
            if after > end + 4:
                break
            decode = decoders.get((kind << 8) | sub)
            if decode is not None:
                try:
                    yield decode(buffer[at + 4 : after])
                except (struct.error, LookupError) as error:
                    raise UnreadableReport(
                        f"The record of kind {kind}/{sub} at byte {offset + at} is shorter than its fields. {_MEND}"
                    ) from error
            elif not (kind or sub or length):
                return
            at = after
        rest = buffer[at:]
        offset += at
    if rest.strip(b"\0"):
        raise UnreadableReport(f"The file ends inside the record at byte {offset}. Upload it whole.")


def _byte_order(start: bytes) -> str:
    length, kind, cpu, version = start[:2], start[2:4], start[4:5], start[5:6]
    orders = {b"\x02\0": "<", b"\0\x02": ">"}
    if length not in orders or kind != b"\0\x0a" or len(start) < 6:
        raise UnreadableReport(f"The file is no STDF: it does not begin with an FAR record. {_MEND}")
    if version != b"\x04":
        raise UnreadableReport(f"The file is STDF version {version[0]}. Upload version 4.")
    if cpu == b"\0":
        raise UnreadableReport(
            "The file has floating-point numbers of a DEC computer (FAR.CPU_TYPE 0). Convert it to type 1 or 2."
        )
    return orders[length]


def _decoders(order: str, kinds: Collection[type[Record]]) -> dict[int, Decode]:
    """The decoder of each of these kinds, by REC_TYP and REC_SUB as one number."""
    decoders: dict[int, Decode] = {
        (kind << 8) | sub: _field_decoder(order, record, fields)
        for (kind, sub), (record, fields) in _RECORDS.items()
        if record in kinds
    }
    results: dict[int, tuple[type[Record], Callable[[str], Decode]]] = {
        (15 << 8) | 10: (Ptr, _ptr_decoder),
        (15 << 8) | 15: (Mpr, _mpr_decoder),
        (15 << 8) | 20: (Ftr, _ftr_decoder),
        (50 << 8) | 10: (Gdr, _gdr_decoder),
    }
    return decoders | {key: make(order) for key, (record, make) in results.items() if record in kinds}


def _field_decoder(order: str, record: type[Record], fields: str) -> Decode:
    codes = tuple(fields.split())

    def decode(body: bytes) -> Record:
        made: Any = record
        found: Record = made(*read_fields(Cursor(body, order), codes))
        return found

    return decode


def _ptr_decoder(order: str) -> Decode:
    unpack = Layout(f"{order}IBBBBf").unpack_from
    remembered = Remembered[tuple[int, bytes], Description]()

    def describe(number: int, tail: bytes) -> Description:
        cursor = Cursor(tail, order)
        text, alarm_id = cursor.text(), cursor.text()
        flags = cursor.number("B")
        cursor.skip(3)
        low, high, units = cursor.decimal(), cursor.decimal(), cursor.text()
        for _format in range(3):
            cursor.text()
        description = _described(
            text, alarm_id, units, flags, (low, high), (cursor.decimal(), cursor.decimal())
        )
        return remembered.keep((number, tail), description, len(tail))

    def decode(body: bytes) -> Record:
        number, head, site, test_flg, parm_flg, result = unpack(body)
        tail = body[12:]
        description = remembered.get((number, tail)) or describe(number, tail)
        return Ptr(number, head, site, test_flg, parm_flg, shortest_decimal(result), description)

    return decode


def _mpr_decoder(order: str) -> Decode:
    unpack = Layout(f"{order}IBBBBHH").unpack_from
    remembered = Remembered[tuple[int, int, bytes], Inputs]()

    def describe(number: int, pin_count: int, tail: bytes) -> Inputs:
        cursor = Cursor(tail, order)
        text, alarm_id = cursor.text(), cursor.text()
        flags = cursor.number("B")
        cursor.skip(3)
        low, high, start, step = (cursor.decimal() for _field in range(4))
        pins = cursor.numbers("H", pin_count)
        units, units_in = cursor.text(), cursor.text()
        for _format in range(3):
            cursor.text()
        description = _described(
            text, alarm_id, units, flags, (low, high), (cursor.decimal(), cursor.decimal())
        )
        has_input = flags is not None and not flags & _NO_INPUT
        inputs = Inputs(
            description, pins, start if has_input else None, step if has_input else None, units_in
        )
        return remembered.keep((number, pin_count, tail), inputs, len(tail))

    def decode(body: bytes) -> Record:
        number, head, site, test_flg, parm_flg, pin_count, count = unpack(body)
        # The states of pins have four bits each, two in a byte.
        at = 12 + (pin_count + 1) // 2
        results = Layout(f"{order}{count}f").unpack_from(body, at)
        tail = body[at + 4 * count :]
        inputs = remembered.get((number, pin_count, tail)) or describe(number, pin_count, tail)
        return Mpr(
            number,
            head,
            site,
            test_flg,
            parm_flg,
            tuple(shortest_decimal(result) for result in results),
            inputs,
        )

    return decode


def _described(
    text: str,
    alarm_id: str,
    units: str,
    flags: int | None,
    limits: tuple[float | None, float | None],
    specs: tuple[float | None, float | None],
) -> Description:
    """What a record says besides its result. flags: OPT_FLAG; None: the record ends before it, and has no limits."""
    if flags is None:
        return Description(text, alarm_id, units)

    def bound(value: float | None, none_flag: int, default_flag: int = 0) -> Bound:
        assert flags is not None
        if flags & none_flag:
            return None
        return UNSET if value is None or flags & default_flag else value

    return Description(
        text,
        alarm_id,
        units,
        bound(limits[0], _NO_LOW, _DEFAULT_LOW),
        bound(limits[1], _NO_HIGH, _DEFAULT_HIGH),
        bound(specs[0], _NO_LOW_SPEC),
        bound(specs[1], _NO_HIGH_SPEC),
    )


def _ftr_decoder(order: str) -> Decode:
    prefix = Layout(f"{order}IBBBBIIIIiihHH")
    remembered = Remembered[tuple[int, str, str], Description]()

    def decode(body: bytes) -> Record:
        if len(body) < prefix.size and len(body) not in _FTR_LENGTHS:
            raise IndexError
        number, head, site, test_flg, flags, cycle, address, _, failing, _, _, _, returned, programmed = (
            prefix.unpack_from(body.ljust(prefix.size, b"\0"))
        )
        missing = flags if len(body) > 7 else 255
        cursor = Cursor(body, order)
        cursor.skip(min(prefix.size, len(body)))
        # Each pin has an index of two bytes and a state of four bits.
        cursor.skip(2 * (returned + programmed) + (returned + 1) // 2 + (programmed + 1) // 2)
        cursor.bits()
        vector, _, _, text, alarm_id, _, result_text = (cursor.text() for _field in range(7))
        key = (number, text, alarm_id)
        description = remembered.get(key) or remembered.keep(key, Description(text, alarm_id), len(text))
        return Ftr(
            number,
            head,
            site,
            test_flg,
            description,
            cycl_cnt=None if missing & 1 or len(body) < 12 else cycle,
            rel_vadr=None if missing & 2 or len(body) < 16 else address,
            num_fail=None if missing & 8 or len(body) < 24 else failing,
            vect_nam=vector,
            rslt_txt=result_text,
        )

    return decode


def _gdr_decoder(order: str) -> Decode:
    def decode(body: bytes) -> Record:
        cursor = Cursor(body, order)
        count = cursor.number("H") or 0
        values = [cursor.value() for _field in range(count)]
        return Gdr(tuple(value for value in values if value is not None))

    return decode
