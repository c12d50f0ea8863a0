"""The records of a lot, independent of their syntax: STDF V4 or its text twin ATDF.

Fields have the names of the STDF V4 specification, in its order; fields that no importer uses are left out. A missing
text is empty. A missing number is None, and so is a number that stands for a missing value. Times are seconds since
1970. Physical values are in the base unit (V, A, s), whatever scale they are shown in.
"""

from msgspec import UNSET, Struct, UnsetType

# None: there is no such limit. UNSET: the limit of the first record of the same number.
Bound = float | None | UnsetType

# Bits of TEST_FLG, PARM_FLG and PART_FLG.
ALARM, INVALID, UNRELIABLE, TIMEOUT, NOT_EXECUTED, ABORTED, NOT_JUDGED, FAILED = (
    1 << bit for bit in range(8)
)
SCALE_ERROR, DRIFT, OSCILLATION, TOO_HIGH, TOO_LOW, ALTERNATE_LIMITS = (1 << bit for bit in range(6))
RETEST_BY_ID, RETEST_BY_PLACE, ABNORMAL_END, PART_FAILED, PART_NOT_JUDGED = (1 << bit for bit in range(5))


class Mir(Struct, frozen=True, gc=False):
    """Master information: the lot, the program and the tester."""

    setup_t: int | None = None
    start_t: int | None = None
    stat_num: int | None = None
    mode_cod: str = ""
    rtst_cod: str = ""
    prot_cod: str = ""
    burn_tim: int | None = None
    cmod_cod: str = ""
    lot_id: str = ""
    part_typ: str = ""
    node_nam: str = ""
    tstr_typ: str = ""
    job_nam: str = ""
    job_rev: str = ""
    sblot_id: str = ""
    oper_nam: str = ""
    exec_typ: str = ""
    exec_ver: str = ""
    test_cod: str = ""
    tst_temp: str = ""
    user_txt: str = ""
    aux_file: str = ""
    pkg_typ: str = ""
    famly_id: str = ""
    date_cod: str = ""
    facil_id: str = ""
    floor_id: str = ""
    proc_id: str = ""
    oper_frq: str = ""
    spec_nam: str = ""
    spec_ver: str = ""
    flow_id: str = ""
    setup_id: str = ""
    dsgn_rev: str = ""
    eng_id: str = ""
    rom_cod: str = ""
    serl_num: str = ""
    supr_nam: str = ""


class Mrr(Struct, frozen=True, gc=False):
    """Master results: the end of the file."""

    finish_t: int | None = None
    disp_cod: str = ""
    usr_desc: str = ""
    exc_desc: str = ""


class Hbr(Struct, frozen=True, gc=False):
    """A hardware bin. pf: P or F."""

    head_num: int | None = None
    site_num: int | None = None
    number: int | None = None
    count: int | None = None
    pf: str = ""
    name: str = ""


class Sbr(Hbr, frozen=True, gc=False):
    """A software bin."""


class Pmr(Struct, frozen=True, gc=False):
    """A pin or channel with its names."""

    pmr_indx: int | None = None
    chan_typ: int | None = None
    chan_nam: str = ""
    phy_nam: str = ""
    log_nam: str = ""


class Sdr(Struct, frozen=True, gc=False):
    """A group of sites and its equipment."""

    head_num: int | None = None
    site_grp: int | None = None
    site_nums: tuple[int, ...] = ()
    hand_typ: str = ""
    hand_id: str = ""
    card_typ: str = ""
    card_id: str = ""
    load_typ: str = ""
    load_id: str = ""


class Wir(Struct, frozen=True, gc=False):
    """A wafer begins. site_grp: 255: all groups of the head."""

    head_num: int | None = None
    site_grp: int | None = None
    start_t: int | None = None
    wafer_id: str = ""


class Wrr(Struct, frozen=True, gc=False):
    """A wafer ends. Its id takes precedence over that of the Wir."""

    head_num: int | None = None
    site_grp: int | None = None
    finish_t: int | None = None
    part_cnt: int | None = None
    rtst_cnt: int | None = None
    abrt_cnt: int | None = None
    good_cnt: int | None = None
    func_cnt: int | None = None
    wafer_id: str = ""


class Wcr(Struct, frozen=True, gc=False):
    """How wafers lie: the side of the flat, and the directions in which coordinates grow."""

    wafr_siz: float | None = None
    die_ht: float | None = None
    die_wid: float | None = None
    wf_units: int | None = None
    wf_flat: str = ""
    center_x: int | None = None
    center_y: int | None = None
    pos_x: str = ""
    pos_y: str = ""


class Pir(Struct, frozen=True, gc=False):
    """A part begins at a head and site."""

    head_num: int | None = None
    site_num: int | None = None


class Prr(Struct, frozen=True, gc=False):
    """A part ends. test_t: milliseconds; part_fix: hexadecimal."""

    head_num: int | None = None
    site_num: int | None = None
    part_flg: int | None = None
    num_test: int | None = None
    hard_bin: int | None = None
    soft_bin: int | None = None
    x_coord: int | None = None
    y_coord: int | None = None
    test_t: int | None = None
    part_id: str = ""
    part_txt: str = ""
    part_fix: str = ""


class Tsr(Struct, frozen=True, gc=False):
    """A synopsis of all executions of one test number."""

    head_num: int | None = None
    site_num: int | None = None
    test_typ: str = ""
    test_num: int | None = None
    exec_cnt: int | None = None
    fail_cnt: int | None = None
    alrm_cnt: int | None = None
    test_nam: str = ""
    seq_name: str = ""
    test_lbl: str = ""


class Description(Struct, frozen=True, gc=False, eq=False):
    """What a record says about its measurement, besides the result.

    Two descriptions are equal only if they are the same object. A reader gives the same object for the same bytes, so
    that its meaning is worked out only once.
    """

    text: str = ""
    alarm_id: str = ""
    units: str = ""
    low: Bound = UNSET
    high: Bound = UNSET
    low_spec: Bound = UNSET
    high_spec: Bound = UNSET


class Ptr(Struct, frozen=True, gc=False):
    """One parametric result. result: None: the file has none."""

    number: int
    head_num: int
    site_num: int
    test_flg: int
    parm_flg: int
    result: float | None
    description: Description


class Inputs(Struct, frozen=True, gc=False):
    """What several results belong to: pins by their index, or an input that was stepped.

    Missing values are those of the first record of the same number.
    """

    description: Description
    pins: tuple[int, ...] = ()
    start_in: float | None = None
    incr_in: float | None = None
    units_in: str = ""


class Mpr(Struct, frozen=True, gc=False):
    """Several parametric results of one execution."""

    number: int
    head_num: int
    site_num: int
    test_flg: int
    parm_flg: int
    results: tuple[float, ...]
    inputs: Inputs


class Ftr(Struct, frozen=True, gc=False):
    """One functional result, and where its pattern failed first."""

    number: int
    head_num: int
    site_num: int
    test_flg: int
    description: Description
    cycl_cnt: int | None = None
    rel_vadr: int | None = None
    num_fail: int | None = None
    vect_nam: str = ""
    rslt_txt: str = ""


class Bps(Struct, frozen=True, gc=False):
    """A section of the program begins."""

    seq_name: str = ""


class Eps(Struct, frozen=True, gc=False):
    """The innermost open section ends."""


class Dtr(Struct, frozen=True, gc=False):
    """A line of text."""

    text_dat: str = ""


class Gdr(Struct, frozen=True, gc=False):
    """Values of any type, as texts."""

    values: tuple[str, ...] = ()


Record = (
    Mir
    | Mrr
    | Hbr
    | Sbr
    | Pmr
    | Sdr
    | Wir
    | Wrr
    | Wcr
    | Pir
    | Prr
    | Tsr
    | Ptr
    | Mpr
    | Ftr
    | Bps
    | Eps
    | Dtr
    | Gdr
)


def decode_text(content: bytes) -> str:
    """The text of bytes in UTF-8, else in Latin-1."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def tidy_text(text: str) -> str:
    """The text without padding; NUL characters inside it become blanks."""
    return text.replace("\0", " ").strip()
