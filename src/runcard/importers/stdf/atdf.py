"""ATDF, the text twin of STDF V4; plain, or packed by gzip or bzip2.

This module reads the syntax: lines become the records of `records`, and `parts` turns those into runs. Each line is a
record (`PIR:1|2`); a line that begins with a blank continues the record before it. The character after the A of the
first record, `FAR:A|4|2|U`, separates fields.

If the first record ends with `U`, physical values are in the base unit. Otherwise they are scaled by the exponent of
their record, and units begin with its prefix (mV). A unit without this prefix contradicts the exponent: some writers
give exponents beside values in the base unit. These values are scaled too, as the specification says, with a remark.

Texts end after 255 characters, as in STDF. Unlike in STDF, a record cannot say that it has no limit if the first record
of its number had one.

Source: Teradyne, "ATDF Specification, Version 2", for files of STDF V4.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from msgspec import UNSET
from msgspec.structs import fields as struct_fields

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.report import RunReport
from runcard.importers.content.unpacking import unpacked
from runcard.importers.report.remarks import Remark
from runcard.importers.stdf import records
from runcard.importers.stdf.atdf_fields import (
    MEND,
    Fields,
    attributes,
    integer_of,
    moment_of,
    real_of,
    whole_lines,
)
from runcard.importers.stdf.binary_fields import Remembered
from runcard.importers.stdf.lot import look_ahead
from runcard.importers.stdf.parts import read_parts
from runcard.importers.stdf.records import (
    Bound,
    Description,
    Ftr,
    Gdr,
    Inputs,
    Mpr,
    Prr,
    Ptr,
    Record,
)

_MAX_EXPONENT = 127
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
# Scaling exponents and their prefixes of units; the first prefix is that of the specification.
_PREFIXES = {
    15: ("f",),
    12: ("p",),
    9: ("n",),
    6: ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"),
    3: ("m",),
    2: ("%",),
    -3: ("K", "k"),
    -6: ("M",),
    -9: ("G",),
    -12: ("T",),
}
# More units than any test program has.
_MOST_DOUBTS = 10_000

Decode = Callable[[Fields], Record]

_TIMES = frozenset(("setup_t", "start_t", "finish_t"))
_REALS = frozenset(("wafr_siz", "die_ht", "die_wid"))
# The fields of each record in the order of ATDF, up to the last that is used.
_RECORDS: dict[str, tuple[type[Record], str]] = {
    "MIR": (
        records.Mir,
        (
            "lot_id part_typ job_nam node_nam tstr_typ setup_t start_t oper_nam mode_cod stat_num sblot_id test_cod "
            "rtst_cod job_rev exec_typ exec_ver prot_cod cmod_cod burn_tim tst_temp user_txt aux_file pkg_typ famly_id "
            "date_cod facil_id floor_id proc_id oper_frq spec_nam spec_ver flow_id setup_id dsgn_rev eng_id rom_cod "
            "serl_num supr_nam"
        ),
    ),
    "MRR": (records.Mrr, "finish_t disp_cod usr_desc exc_desc"),
    "HBR": (records.Hbr, "head_num site_num number count pf name"),
    "SBR": (records.Sbr, "head_num site_num number count pf name"),
    "PMR": (records.Pmr, "pmr_indx chan_typ chan_nam phy_nam log_nam"),
    "SDR": (records.Sdr, "head_num site_grp site_nums hand_typ hand_id card_typ card_id load_typ load_id"),
    "WIR": (records.Wir, "head_num start_t site_grp wafer_id"),
    "WRR": (
        records.Wrr,
        "head_num finish_t part_cnt wafer_id site_grp rtst_cnt abrt_cnt good_cnt func_cnt",
    ),
    "WCR": (records.Wcr, "wf_flat pos_x pos_y wafr_siz die_ht die_wid wf_units center_x center_y"),
    "PIR": (records.Pir, "head_num site_num"),
    "TSR": (
        records.Tsr,
        "head_num site_num test_num test_nam test_typ exec_cnt fail_cnt alrm_cnt seq_name test_lbl",
    ),
    "BPS": (records.Bps, "seq_name"),
    "EPS": (records.Eps, ""),
    "DTR": (records.Dtr, "text_dat"),
}
_ALARM_FLAGS = {
    "A": records.ALARM,
    "U": records.UNRELIABLE,
    "T": records.TIMEOUT,
    "N": records.NOT_EXECUTED,
    "X": records.ABORTED,
}
_PARAMETRIC_FLAGS = {
    "S": records.SCALE_ERROR,
    "D": records.DRIFT,
    "O": records.OSCILLATION,
    "H": records.TOO_HIGH,
    "L": records.TOO_LOW,
}


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes begins with a FAR record in text."""
    return head.startswith(b"FAR:A")


def parse(file: BinaryIO) -> Iterator[RunReport | Remark]:
    """The runs of a lot, one for each part, in the order in which the parts ended; see `parts`.

    A remark on a unit that contradicts its exponent follows the first part that has it.

    The file is read twice, so it must be able to seek. Raises UnreadableReport, PayloadTooLarge and InvalidInput,
    after the runs that come before the fault.
    """
    doubts: list[Remark] = []
    ahead = look_ahead(lambda kinds: read_records(file, kinds, doubts))
    for report in read_parts(ahead, lambda kinds: read_records(file, kinds, doubts)):
        yield report
        yield from doubts
        doubts.clear()


def read_records(file: BinaryIO, kinds: Collection[type[Record]], doubts: list[Remark]) -> Iterator[Record]:
    """The records of these kinds, in the order of the file. doubts: receives the remarks on their units.

    Raises UnreadableReport and PayloadTooLarge.
    """
    lines = whole_lines(unpacked(file))
    _, first = next(lines, (1, ""))
    separator, is_scaled = attributes(first)
    decoders = _decoders(kinds, _Scales(doubts, is_scaled=is_scaled))
    for number, line in lines:
        name, _, rest = line.partition(":")
        decode = decoders.get(name)
        if decode is None:
            if not _NAME.fullmatch(name):
                raise UnreadableReport(f"Line {number} is {line[:40]!r}, which is no ATDF record. {MEND}")
            continue
        try:
            yield decode(Fields(rest.split(separator)))
        except (ValueError, ArithmeticError) as error:
            raise UnreadableReport(f"Line {number}, record {name}: {error}. {MEND}") from error


def _decoders(kinds: Collection[type[Record]], scales: "_Scales") -> dict[str, Decode]:
    """The decoder of each of these kinds, by the name of the record."""
    decoders: dict[str, tuple[type[Record], Decode]] = {
        name: (record, _field_decoder(record, layout.split())) for name, (record, layout) in _RECORDS.items()
    }
    decoders |= {
        "PRR": (Prr, _part_end),
        "PTR": (Ptr, _parametric_decoder(scales)),
        "MPR": (Mpr, _multiple_decoder(scales)),
        "FTR": (Ftr, _functional_decoder()),
        "GDR": (Gdr, _generic),
    }
    return {name: decode for name, (record, decode) in decoders.items() if record in kinds}


def _field_decoder(record: type[Record], names: list[str]) -> Decode:
    types = {field.name: type(field.default) for field in struct_fields(record)}
    made: Any = record

    def value(fields: Fields, position: int, name: str) -> object:
        if name in _TIMES:
            return moment_of(fields.text(position))
        if types[name] is str:
            return fields.text(position)
        if types[name] is tuple:
            return tuple(
                number for item in fields.items(position) if (number := integer_of(item)) is not None
            )
        return real_of(fields.text(position)) if name in _REALS else fields.integer(position)

    def decode(fields: Fields) -> Record:
        found: Record = made(**{name: value(fields, position, name) for position, name in enumerate(names)})
        return found

    return decode


def _part_end(fields: Fields) -> Record:
    judged = {"P": 0, "F": records.PART_FAILED, "": records.PART_NOT_JUDGED}
    retests = {"I": records.RETEST_BY_ID, "C": records.RETEST_BY_PLACE}
    flags = judged.get(fields.text(4), records.PART_NOT_JUDGED) | retests.get(fields.text(9), 0)
    if fields.text(10) == "Y":
        flags |= records.ABNORMAL_END
    return Prr(
        head_num=fields.integer(0),
        site_num=fields.integer(1),
        part_flg=flags,
        num_test=fields.integer(3),
        hard_bin=fields.integer(5),
        soft_bin=fields.integer(6),
        x_coord=fields.integer(7),
        y_coord=fields.integer(8),
        test_t=fields.integer(11),
        part_id=fields.text(2),
        part_txt=fields.text(12),
        part_fix=fields.text(13).upper(),
    )


class _Scales:
    """The scaling exponents of each test number: those of the record, else of the number's first record.

    doubts: receives the remarks on units.
    """

    def __init__(self, doubts: list[Remark], *, is_scaled: bool) -> None:
        self._is_scaled = is_scaled
        self._first: dict[int, list[int]] = {}
        self._doubts = doubts
        self._doubted: set[tuple[int, str]] = set()

    def of(self, number: int, texts: Sequence[str]) -> list[int]:
        """The exponents of the result, the low and the high limit."""
        if not self._is_scaled:
            return [0, 0, 0]
        first = self._first.get(number)
        found = [integer_of(text) for text in texts]
        exponents = [
            (first[position] if first else 0) if own is None else own for position, own in enumerate(found)
        ]
        if max(map(abs, exponents)) > _MAX_EXPONENT:
            raise ValueError(f"{exponents} are no scaling exponents")
        self._first.setdefault(number, exponents)
        return exponents

    def base_unit(self, number: int, units: str, exponent: int) -> str:
        """The unit without the prefix of its exponent. A unit that lacks the prefix is remarked on, once a number."""
        prefixes = _PREFIXES.get(exponent, ()) if self._is_scaled else ()
        if not units or not prefixes:
            return units
        for prefix in prefixes:
            if units.startswith(prefix) and len(units) > 1:
                return units.removeprefix(prefix)
        doubted = (number, units)
        # The unit % is itself the prefix, so nothing would be left of it.
        if units != "%" and doubted not in self._doubted and len(self._doubted) < _MOST_DOUBTS:
            self._doubted.add(doubted)
            self._doubts.append(Remark(_doubt(number, units, exponent, prefixes[0])))
        return units


def _doubt(number: int, units: str, exponent: int, prefix: str) -> str:
    scaled = real_of("1", exponent)
    return (
        f"Test {number}: unit {units!r} contradicts exponent {exponent}, which stands for the prefix {prefix!r}. Its "
        f"values were scaled, 1 to {scaled:g}. If they were in {units!r} already, end the first line with U "
        "(FAR:A|4|2|U) and import the file again."
    )


class _Described(NamedTuple):
    description: Description
    exponent: int


def _describe(fields: Fields, number: int, scales: _Scales, at: int, specs_at: int) -> _Described:
    """What a parametric record says besides its result. at, specs_at: the positions of TEST_TXT and LO_SPEC."""
    exponent, low_exponent, high_exponent = scales.of(
        number, [fields.text(specs_at + offset) for offset in (2, 3, 4)]
    )

    def bound(position: int, scale: int) -> Bound:
        found = real_of(fields.text(position), scale)
        return UNSET if found is None else found

    description = Description(
        fields.text(at),
        fields.text(at + 1),
        scales.base_unit(number, fields.text(at + 3), exponent),
        bound(at + 4, low_exponent),
        bound(at + 5, high_exponent),
        bound(specs_at, exponent),
        bound(specs_at + 1, exponent),
    )
    return _Described(description, exponent)


def _parametric_decoder(scales: _Scales) -> Decode:
    remembered = Remembered[tuple[str, ...], _Described]()

    def decode(fields: Fields) -> Record:
        number = fields.needed(0)
        key = (fields.texts[0], *fields.texts[6:])
        described = remembered.get(key)
        if described is None:
            described = remembered.keep(key, _describe(fields, number, scales, 6, 15), sum(map(len, key)))
        test_flg, parm_flg = _flags(fields, 4)
        result = real_of(fields.text(3), described.exponent)
        if result is None:
            test_flg |= records.INVALID
        return Ptr(
            number, fields.needed(1), fields.needed(2), test_flg, parm_flg, result, described.description
        )

    return decode


def _multiple_decoder(scales: _Scales) -> Decode:
    remembered = Remembered[tuple[str, ...], tuple[Inputs, int]]()

    def describe(fields: Fields, number: int) -> tuple[Inputs, int]:
        description, exponent = _describe(fields, number, scales, 7, 20)
        pins = tuple(pin for item in fields.items(16) if (pin := integer_of(item)) is not None)
        start, step = real_of(fields.text(13)), real_of(fields.text(14))
        has_input = start is not None and step is not None
        inputs = Inputs(
            description, pins, start if has_input else None, step if has_input else None, fields.text(15)
        )
        return inputs, exponent

    def decode(fields: Fields) -> Record:
        number = fields.needed(0)
        key = (fields.texts[0], *fields.texts[7:])
        found = remembered.get(key)
        if found is None:
            found = remembered.keep(key, describe(fields, number), sum(map(len, key)))
        inputs, exponent = found
        test_flg, parm_flg = _flags(fields, 5)
        results = tuple(result for item in fields.items(4) if (result := real_of(item, exponent)) is not None)
        return Mpr(number, fields.needed(1), fields.needed(2), test_flg, parm_flg, results, inputs)

    return decode


def _functional_decoder() -> Decode:
    remembered = Remembered[tuple[int, str, str], Description]()

    def decode(fields: Fields) -> Record:
        number = fields.needed(0)
        key = (number, fields.text(20), fields.text(21))
        description = remembered.get(key) or remembered.keep(key, Description(key[1], key[2]), len(key[1]))
        test_flg, _ = _flags(fields, 3)
        return Ftr(
            number,
            fields.needed(1),
            fields.needed(2),
            test_flg,
            description,
            cycl_cnt=fields.integer(7),
            rel_vadr=fields.integer(8),
            num_fail=fields.integer(10),
            vect_nam=fields.text(5),
            rslt_txt=fields.text(23),
        )

    return decode


def _flags(fields: Fields, position: int) -> tuple[int, int]:
    """TEST_FLG and PARM_FLG, from the letter of the outcome and the letters of the faults after it."""
    outcomes = {"P": 0, "A": 0, "F": records.FAILED}
    test_flg = outcomes.get(fields.text(position), records.NOT_JUDGED)
    parm_flg = 0
    for letter in fields.text(position + 1):
        test_flg |= _ALARM_FLAGS.get(letter, 0)
        parm_flg |= _PARAMETRIC_FLAGS.get(letter, 0)
    return test_flg, parm_flg


def _generic(fields: Fields) -> Record:
    texts = (fields.text(position) for position in range(len(fields.texts)))
    return Gdr(tuple(value for text in texts if (value := _generic_value(text))))


def _generic_value(text: str) -> str:
    """The value after the letter of its type; empty where there is none."""
    kind, value = text[:1], text[1:].strip()
    if kind in ("F", "D") and value:
        return str(real_of(value))
    if kind in ("U", "M", "B", "I", "S", "L") and value:
        return str(integer_of(value))
    return value.upper() if kind in ("X", "Y") else value
