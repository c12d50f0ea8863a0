"""What a lot says about all its parts: names, places, times and metadata.

Names of bins, ids of wafers and names of measurements may come at the end of a file. So the file is read twice, the
first time only for these (`look_ahead`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from msgspec import Struct, field

from runcard.domain.errors import InvalidInput, RuncardError
from runcard.domain.metadata import MAX_KEYS, MetadataValue
from runcard.importers.stdf.records import Hbr, Mir, Mrr, Prr, Record, Sbr, Sdr, Tsr, Wcr, Wir, Wrr

# Reads the records of the given kinds from the start of the file.
ReadRecords = Callable[[Collection[type[Record]]], Iterator[Record]]
BinT = TypeVar("BinT", bound=Hbr)

ALL_GROUPS = 255
_MIN_LOT_LENGTH = 4

_MIR_KEYS = {
    "stat_num": "station_number",
    "node_nam": "node_name",
    "tstr_typ": "tester_type",
    "serl_num": "tester_serial_number",
    "sblot_id": "sublot_id",
    "test_cod": "step_code",
    "tst_temp": "temperature",
    "rtst_cod": "retest_code",
    "mode_cod": "mode_code",
    "flow_id": "flow_id",
    "setup_id": "setup_id",
    "spec_nam": "spec_name",
    "spec_ver": "spec_version",
    "exec_typ": "exec_type",
    "exec_ver": "exec_version",
    "pkg_typ": "package_type",
    "famly_id": "family_id",
    "proc_id": "process_id",
    "facil_id": "facility_id",
    "floor_id": "floor_id",
    "date_cod": "date_code",
    "eng_id": "engineering_lot_id",
    "rom_cod": "rom_code",
    "oper_frq": "operation_frequency",
    "burn_tim": "burn_in_minutes",
    "supr_nam": "supervisor",
    "user_txt": "user_text",
    "aux_file": "aux_file",
    "cmod_cod": "command_code",
    "prot_cod": "protection_code",
}
_SDR_KEYS = {
    "hand_typ": "handler_type",
    "hand_id": "handler_id",
    "card_typ": "probe_card_type",
    "card_id": "probe_card_id",
    "load_typ": "load_board_type",
    "load_id": "load_board_id",
}
_WCR_KEYS = {"wf_flat": "wafer_flat", "pos_x": "positive_x", "pos_y": "positive_y"}
_MRR_KEYS = {"disp_cod": "lot_disposition", "usr_desc": "lot_description", "exc_desc": "lot_exec_description"}


class Ahead(Struct):
    """What comes at the end of a file. wafer_ids: in the order in which the wafers began."""

    hard_bins: dict[int, Hbr] = field(default_factory=dict)
    soft_bins: dict[int, Hbr] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    wafer_ids: list[str] = field(default_factory=list)
    end: Mrr | None = None


def look_ahead(read: ReadRecords) -> Ahead:
    """What the file says at its end, or up to the place where it is damaged."""
    ahead = Ahead()
    begun: dict[tuple[int | None, int | None], int] = {}
    try:
        for record in read((Hbr, Sbr, Tsr, Wir, Wrr, Mrr)):
            match record:
                case Sbr():
                    _note_bin(ahead.soft_bins, record)
                case Hbr():
                    _note_bin(ahead.hard_bins, record)
                case Tsr(test_num=number) if number is not None and (record.test_nam or record.test_lbl):
                    ahead.names.setdefault(number, record.test_nam or record.test_lbl)
                case Wir():
                    begun[_wafer_place(record)] = len(ahead.wafer_ids)
                    ahead.wafer_ids.append(record.wafer_id)
                case Wrr(wafer_id=wafer_id) if wafer_id:
                    position = begun.get(_wafer_place(record))
                    if position is not None:
                        ahead.wafer_ids[position] = wafer_id
                case Mrr():
                    ahead.end = record
    except RuncardError:
        # The second reading meets the same damage, and raises the error after the parts that come before it.
        return ahead
    return ahead


def _note_bin(bins: dict[int, Hbr], record: Hbr) -> None:
    if record.number is not None and (record.number not in bins or record.name):
        bins[record.number] = record


class Wafer(NamedTuple):
    id: str
    start_t: int | None


class Lot:
    """A lot while it is read: what its records have said so far, and which wafer is at which sites."""

    def __init__(self, mir: Mir, ahead: Ahead) -> None:
        self.mir = mir
        self._ahead = ahead
        self._groups: dict[tuple[int | None, int | None], int | None] = {}
        self._equipment: dict[tuple[int | None, int | None], Sdr] = {}
        self._wafers: dict[tuple[int | None, int | None], Wafer] = {}
        self._wafer_count = 0
        self._wcr = Wcr()
        self.started_at = self._moment()
        self.name = mir.lot_id or f"{self.started_at:%Y%m%dT%H%M%S}"

    def add_equipment(self, record: Sdr) -> None:
        for site in record.site_nums:
            self._groups[record.head_num, site] = record.site_grp
        self._equipment[record.head_num, record.site_grp] = record

    def set_orientation(self, record: Wcr) -> None:
        self._wcr = record

    def begin_wafer(self, record: Wir) -> None:
        ids = self._ahead.wafer_ids
        wafer_id = ids[self._wafer_count] if self._wafer_count < len(ids) else record.wafer_id
        self._wafer_count += 1
        self._wafers[_wafer_place(record)] = Wafer(wafer_id, record.start_t)

    def end_wafer(self, record: Wrr) -> None:
        self._wafers.pop(_wafer_place(record), None)

    def wafer_at(self, head: int, site: int) -> Wafer | None:
        """The wafer at a site: that of its group of sites, else that of its head; None where there is none."""
        group = self._groups.get((head, site))
        return self._wafers.get((head, group)) or self._wafers.get((head, ALL_GROUPS))

    def serial_number(self, part: Prr, wafer: Wafer | None, position: int) -> str:
        """A serial number that no part of another lot has; see the guide. position: of the part in the file, from 1."""
        wafer_id = wafer.id if wafer is not None else ""
        if wafer_id:
            parents = [wafer_id] if _names_lot(wafer_id, self.name) else [self.name, wafer_id]
            if part.x_coord is not None and part.y_coord is not None:
                return "-".join([*parents, f"X{part.x_coord}Y{part.y_coord}"])
        else:
            parents = [self.name, *([self.mir.sblot_id] if self.mir.sblot_id else [])]
        if not part.part_id:
            return "-".join([*parents, f"{self.started_at:%Y%m%dT%H%M%S}", f"#{position}"])
        return part.part_id if _names_lot(part.part_id, self.name) else "-".join([*parents, part.part_id])

    def claimed_by_bin(self, part: Prr) -> str:
        """P or F, by the bins of a part; empty where they do not say."""
        bins = (_found(self._ahead.hard_bins, part.hard_bin), _found(self._ahead.soft_bins, part.soft_bin))
        return next((found.pf for found in bins if found is not None and found.pf in ("P", "F")), "")

    def metadata(self, part: Prr, wafer: Wafer | None) -> dict[str, MetadataValue]:
        """The metadata of a part, the most useful first; at most MAX_KEYS of them are kept."""
        hard = _found(self._ahead.hard_bins, part.hard_bin)
        soft = _found(self._ahead.soft_bins, part.soft_bin)
        flags = part.part_flg or 0
        of_part: dict[str, MetadataValue | None] = {
            "part_id": part.part_id,
            "wafer_id": wafer.id if wafer is not None else None,
            "x": part.x_coord,
            "y": part.y_coord,
            "hard_bin": part.hard_bin,
            "hard_bin_name": hard.name if hard is not None else None,
            "soft_bin": part.soft_bin,
            "soft_bin_name": soft.name if soft is not None else None,
            "head": part.head_num,
            "site": part.site_num,
            "retest": ("", "same part id", "same coordinates", "same part id")[flags & 3],
            "executed_count": part.num_test,
            "part_text": part.part_txt,
            "part_repair": part.part_fix,
        }
        known = {**of_part, **self._lot_metadata(part)}
        kept = [(key, value) for key, value in known.items() if value is not None and value != ""]
        return dict(kept[:MAX_KEYS])

    def name_of(self, number: int) -> str:
        """The name of a test number in its synopsis (TSR); empty where it has none."""
        return self._ahead.names.get(number, "")

    def _lot_metadata(self, part: Prr) -> dict[str, MetadataValue]:
        group = self._groups.get((part.head_num, part.site_num))
        equipment = self._equipment.get((part.head_num, group)) or next(iter(self._equipment.values()), Sdr())
        return {
            **_picked(self.mir, _MIR_KEYS),
            **_picked(equipment, _SDR_KEYS),
            **_picked(self._wcr, _WCR_KEYS),
            **_picked(self._ahead.end or Mrr(), _MRR_KEYS),
        }

    def _moment(self) -> datetime:
        seconds = self.mir.start_t or self.mir.setup_t
        if seconds is None:
            raise InvalidInput.at(("MIR", "START_T"), "required: say when the lot began")
        return moment_of(seconds)


def is_retest(metadata: Mapping[str, MetadataValue]) -> bool:
    """Whether the metadata of a run say that its part or lot was tested before (PRR.PART_FLG, MIR.RTST_COD)."""
    return bool(metadata.get("retest")) or metadata.get("retest_code", "N") not in ("N", "0", "")


def moment_of(seconds: int) -> datetime:
    """The moment of a tester's time, which is taken as UTC because the file names no time zone."""
    return datetime.fromtimestamp(seconds, UTC)


def _wafer_place(record: Wir | Wrr) -> tuple[int | None, int]:
    return record.head_num, ALL_GROUPS if record.site_grp is None else record.site_grp


def _names_lot(text: str, lot: str) -> bool:
    """Whether an id begins with its lot, as `A123.07` of lot A123. Short lots as `1` do not count, as they may match by
    chance.
    """
    after = text[len(lot) : len(lot) + 1]
    return len(lot) >= _MIN_LOT_LENGTH and text.startswith(lot) and after != "" and not after.isalnum()


def _found(bins: Mapping[int, Hbr], number: int | None) -> Hbr | None:
    return None if number is None else bins.get(number)


def _picked(record: Struct, keys: Mapping[str, str]) -> dict[str, MetadataValue]:
    return {key: getattr(record, name) for name, key in keys.items()}
