"""Tables of the hand-made way: one row for each phase, measurement and log."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}


class Organization(Base):
    __tablename__ = "organization"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class ApiKey(Base):
    __tablename__ = "api_key"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    revoked_at: Mapped[datetime | None]


class Procedure(Base):
    __tablename__ = "procedure"
    __table_args__ = (UniqueConstraint("organization_id", "identifier"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    identifier: Mapped[str]


class Part(Base):
    __tablename__ = "part"
    __table_args__ = (UniqueConstraint("organization_id", "number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    number: Mapped[str]


class Revision(Base):
    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("part_id", "number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    part_id: Mapped[UUID] = mapped_column(ForeignKey("part.id"))
    number: Mapped[str]


class Batch(Base):
    __tablename__ = "batch"
    __table_args__ = (UniqueConstraint("organization_id", "number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    number: Mapped[str]


class Unit(Base):
    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("organization_id", "serial_number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    serial_number: Mapped[str]
    revision_id: Mapped[UUID | None] = mapped_column(ForeignKey("revision.id"))
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("batch.id"))


class Run(Base):
    __tablename__ = "run"
    __table_args__ = (Index(None, "organization_id", "started_at"), Index(None, "procedure_id", "started_at"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    procedure_id: Mapped[UUID] = mapped_column(ForeignKey("procedure.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    outcome: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Phase(Base):
    __tablename__ = "phase"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    outcome: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class Measurement(Base):
    __tablename__ = "measurement"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phase.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    outcome: Mapped[str]
    value_number: Mapped[float | None]
    value_text: Mapped[str | None]
    units: Mapped[str | None]
    lower_limit: Mapped[float | None]
    upper_limit: Mapped[float | None]


class Log(Base):
    __tablename__ = "log"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    level: Mapped[str]
    timestamp: Mapped[datetime]
    message: Mapped[str]
    source_file: Mapped[str | None]
    line_number: Mapped[int | None]
