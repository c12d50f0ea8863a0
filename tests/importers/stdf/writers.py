"""Writers of lots, made without the importer: STDF through Semi-ATE's library, ATDF by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib import import_module

from msgspec import UNSET, structs

from runcard.importers.stdf.records import (
    ABNORMAL_END,
    FAILED,
    INVALID,
    NOT_JUDGED,
    PART_FAILED,
    PART_NOT_JUDGED,
    RETEST_BY_ID,
    RETEST_BY_PLACE,
    Bps,
    Description,
    Dtr,
    Eps,
    Ftr,
    Gdr,
    Hbr,
    Mir,
    Mpr,
    Mrr,
    Pir,
    Pmr,
    Prr,
    Ptr,
    Record,
    Sbr,
    Sdr,
    Tsr,
    Wcr,
    Wir,
    Wrr,
)

# How STDF says that a number is missing.
_MISSING = {
    "burn_tim": 65535,
    "soft_bin": 65535,
    "hard_bin": 65535,
    "num_test": 65535,
    "x_coord": -32768,
    "y_coord": -32768,
    "setup_t": 0,
    "start_t": 0,
    "finish_t": 0,
}
_BIN_FIELDS = {"number": "BIN_NUM", "count": "BIN_CNT", "pf": "BIN_PF", "name": "BIN_NAM"}
_LETTERS = {
    "test_flg": {1: "A", 4: "U", 8: "T", 16: "N", 32: "X"},
    "parm_flg": {1: "S", 2: "D", 4: "O", 8: "H", 16: "L"},
}


def write_stdf(records: Iterable[Record], order: str = "<") -> bytes:
    far = _stdf("FAR", order, CPU_TYPE=2 if order == "<" else 1, STDF_VER=4)
    content: bytes = far + b"".join(_stdf_record(record, order) for record in records)
    return content


def write_atdf(records: Iterable[Record], separator: str = "|") -> bytes:
    """With values in the base unit."""
    lines = [["A", "4", "2", "U"], *(_atdf_fields(record) for record in records)]
    names = ["FAR", *(type(record).__name__.upper() for record in records)]
    return "".join(
        f"{name}:{separator.join(fields)}\n" for name, fields in zip(names, lines, strict=True)
    ).encode()


# STDF


@cache
def _class(name):
    return getattr(import_module(f"Semi_ATE.STDF.{name}"), name)


def _stdf(name, order, **fields):
    record = _class(name)("V4", order)
    for field, value in fields.items():
        record.set_value(field, value)
    packed: bytes = record.__repr__()
    return packed


def _bits(flags):
    # This library packs the highest bit first.
    return list(f"{flags:08b}")


def _stdf_record(record, order):
    match record:
        case Ptr():
            described = _described(record.description)
            return _stdf(
                "PTR",
                order,
                **_head(record),
                RESULT=0.0 if record.result is None else record.result,
                **described,
            )
        case Mpr():
            return _mpr(record, order)
        case Ftr():
            return _ftr(record, order)
        case Gdr():
            return _gdr(record, order)
        case Eps():
            return bytes([0, 0, 20, 20])
        case _:
            return _stdf(type(record).__name__.upper(), order, **_plain(record))


def _mpr(record, order):
    inputs = record.inputs
    described = _described(inputs.description)
    flags = int("".join(described["OPT_FLAG"]), 2)
    described["OPT_FLAG"] = _bits(flags if inputs.start_in is None else flags & ~2)
    return _stdf(
        "MPR",
        order,
        **_head(record),
        RTN_ICNT=len(inputs.pins),
        RSLT_CNT=len(record.results),
        RTN_STAT=[1] * len(inputs.pins),
        RTN_RSLT=list(record.results),
        START_IN=0.0 if inputs.start_in is None else inputs.start_in,
        INCR_IN=0.0 if inputs.incr_in is None else inputs.incr_in,
        RTN_INDX=list(inputs.pins),
        UNITS_IN=inputs.units_in,
        **described,
    )


def _ftr(record, order):
    flags = 1 * (record.cycl_cnt is None) | 2 * (record.rel_vadr is None) | 8 * (record.num_fail is None)
    return _stdf(
        "FTR",
        order,
        **_head(record),
        OPT_FLAG=_bits(flags | 0x34),
        CYCL_CNT=record.cycl_cnt or 0,
        REL_VADR=record.rel_vadr or 0,
        NUM_FAIL=record.num_fail or 0,
        REPT_CNT=0,
        XFAIL_AD=0,
        YFAIL_AD=0,
        VECT_OFF=0,
        RTN_ICNT=0,
        PGM_ICNT=0,
        RTN_INDX=[],
        RTN_STAT=[],
        PGM_INDX=[],
        PGM_STAT=[],
        FAIL_PIN=[],
        VECT_NAM=record.vect_nam,
        TIME_SET="",
        OP_CODE="",
        TEST_TXT=record.description.text,
        ALARM_ID=record.description.alarm_id,
        PROG_TXT="",
        RSLT_TXT=record.rslt_txt,
    )


def _gdr(record, order):
    fields = b"".join(bytes([10, len(value)]) + value.encode("latin-1") for value in record.values)
    body = len(record.values).to_bytes(2, "little" if order == "<" else "big") + fields
    return len(body).to_bytes(2, "little" if order == "<" else "big") + bytes([50, 10]) + body


def _head(record):
    flags = {"TEST_FLG": _bits(record.test_flg)}
    if not isinstance(record, Ftr):
        flags["PARM_FLG"] = _bits(record.parm_flg)
    return {"TEST_NUM": record.number, "HEAD_NUM": record.head_num, "SITE_NUM": record.site_num} | flags


def _described(said: Description):
    """The fields of a parametric record from TEST_TXT on."""
    flags = 2
    values = {}
    for name, field, none, default in (
        ("low", "LO_LIMIT", 64, 16),
        ("high", "HI_LIMIT", 128, 32),
        ("low_spec", "LO_SPEC", 4, 0),
        ("high_spec", "HI_SPEC", 8, 0),
    ):
        bound = getattr(said, name)
        flags |= none if bound is None else default if bound is UNSET else 0
        values[field] = 0.0 if bound is None or bound is UNSET else bound
    return values | {
        "TEST_TXT": said.text,
        "ALARM_ID": said.alarm_id,
        "OPT_FLAG": _bits(flags),
        "RES_SCAL": 0,
        "LLM_SCAL": 0,
        "HLM_SCAL": 0,
        "UNITS": said.units,
        "C_RESFMT": "",
        "C_LLMFMT": "",
        "C_HLMFMT": "",
    }


def _plain(record):
    """The fields of a record that STDF has as they are."""
    fields: dict[str, object] = {}
    for name, value in structs.asdict(record).items():
        field = name.upper()
        if isinstance(record, Hbr) and name in _BIN_FIELDS:
            field = type(record).__name__[0] + _BIN_FIELDS[name]
        if name == "site_nums":
            fields |= {"SITE_CNT": len(value), "SITE_NUM": list(value)}
        elif name == "part_flg":
            fields[field] = _bits(value or 0)
        elif name == "part_fix":
            continue
        elif isinstance(value, str):
            fields[field] = (
                (value or " ") if field.endswith(("_COD", "_PF", "_TYP")) and _is_one(field) else value
            )
        elif value is not None:
            fields[field] = value
        else:
            fields[field] = _MISSING.get(name, 0)
    return fields


def _is_one(field):
    return field in {
        "MODE_COD",
        "RTST_COD",
        "PROT_COD",
        "CMOD_COD",
        "DISP_COD",
        "HBIN_PF",
        "SBIN_PF",
        "TEST_TYP",
    }


# ATDF

_ORDERS: dict[type[Record], str] = {
    Mir: (
        "lot_id part_typ job_nam node_nam tstr_typ setup_t start_t oper_nam mode_cod stat_num sblot_id test_cod "
        "rtst_cod job_rev exec_typ exec_ver prot_cod cmod_cod burn_tim tst_temp user_txt aux_file pkg_typ famly_id "
        "date_cod facil_id floor_id proc_id oper_frq spec_nam spec_ver flow_id setup_id dsgn_rev eng_id rom_cod "
        "serl_num supr_nam"
    ),
    Mrr: "finish_t disp_cod usr_desc exc_desc",
    Hbr: "head_num site_num number count pf name",
    Sbr: "head_num site_num number count pf name",
    Pmr: "pmr_indx chan_typ chan_nam phy_nam log_nam",
    Sdr: "head_num site_grp site_nums hand_typ hand_id card_typ card_id load_typ load_id",
    Wir: "head_num start_t site_grp wafer_id",
    Wrr: "head_num finish_t part_cnt wafer_id site_grp rtst_cnt abrt_cnt good_cnt func_cnt",
    Wcr: "wf_flat pos_x pos_y wafr_siz die_ht die_wid wf_units center_x center_y",
    Pir: "head_num site_num",
    Tsr: "head_num site_num test_num test_nam test_typ exec_cnt fail_cnt alrm_cnt seq_name test_lbl",
    Bps: "seq_name",
    Eps: "",
    Dtr: "text_dat",
}


def _atdf_fields(record):
    match record:
        case Ptr():
            result = "" if record.result is None or record.test_flg & INVALID else repr(record.result)
            fields = [*_where(record), result, *_flags(record), *_said(record.description)]
            return [*fields, "", "", "", *_specs(record.description)]
        case Mpr():
            inputs = record.inputs
            results = ",".join(repr(one) for one in record.results)
            axis = [_number(inputs.start_in), _number(inputs.incr_in), inputs.units_in]
            pins = ",".join(str(pin) for pin in inputs.pins)
            fields = [*_where(record), "", results, *_flags(record), *_said(inputs.description), *axis, pins]
            return [*fields, "", "", "", *_specs(inputs.description)]
        case Ftr():
            facts = [_number(record.cycl_cnt), _number(record.rel_vadr), "", _number(record.num_fail)]
            fields = [*_where(record), *_flags(record), record.vect_nam, "", *facts, *[""] * 9]
            return [*fields, record.description.text, record.description.alarm_id, "", record.rslt_txt]
        case Prr():
            return _part_end(record)
        case Gdr():
            return [f"T{value}" for value in record.values]
        case _:
            return [_atdf_value(record, name) for name in _ORDERS[type(record)].split()]


def _part_end(record):
    flags = record.part_flg
    judged = "" if flags & PART_NOT_JUDGED else "F" if flags & PART_FAILED else "P"
    retest = "I" if flags & RETEST_BY_ID else "C" if flags & RETEST_BY_PLACE else ""
    numbers = [_number(one) for one in (record.hard_bin, record.soft_bin, record.x_coord, record.y_coord)]
    start = [str(record.head_num), str(record.site_num), record.part_id, _number(record.num_test), judged]
    end = [
        retest,
        "Y" if flags & ABNORMAL_END else "",
        _number(record.test_t),
        record.part_txt,
        record.part_fix,
    ]
    return [*start, *numbers, *end]


def _where(record):
    return [str(record.number), str(record.head_num), str(record.site_num)]


def _flags(record):
    judged = "" if record.test_flg & NOT_JUDGED else "F" if record.test_flg & FAILED else "P"
    letters = [
        letter
        for name, known in _LETTERS.items()
        for flag, letter in known.items()
        if getattr(record, name, 0) & flag
    ]
    return [judged, "".join(letters)]


def _said(said):
    return [said.text, said.alarm_id, "", said.units, _number(said.low), _number(said.high)]


def _specs(said):
    return [_number(said.low_spec), _number(said.high_spec)]


def _number(value):
    return "" if value is None or value is UNSET else repr(value)


def _atdf_value(record, name):
    value = getattr(record, name)
    if name in ("setup_t", "start_t", "finish_t") and value is not None:
        moment = datetime.fromtimestamp(value, UTC)
        months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        return f"{moment:%H:%M:%S} {moment.day}-{months[moment.month - 1]}-{moment.year}"
    if isinstance(value, tuple):
        return ",".join(str(one) for one in value)
    return value if isinstance(value, str) else _number(value)
